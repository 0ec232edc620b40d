import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MeasurementsSchema } from '@holdfast/firmware';
import { eventLogOf } from '../../../firmware/src/measured-boot/event-log.testing.ts';
import { FakeWorld } from '../fake-world.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('fw measurements', () => {
  it('prints the chosen PCRs of an event log', async () => {
    const world = new FakeWorld();
    const path = join(world.home, 'events');
    const events = [
      { pcr: 9, digest: sha256('command line') },
      { pcr: 8, digest: sha256('kernel') },
      { pcr: 7, digest: sha256('keys') },
      { pcr: 8, digest: sha256('initrd') },
    ];
    writeFileSync(path, eventLogOf(events));
    assert.equal(await world.run('fw', 'measurements', path, '--pcr', '9', '--pcr', '8'), 0);
    assert.deepEqual(MeasurementsSchema.parse(JSON.parse(world.outText)), [
      { pcr: 8, events: [sha256('kernel'), sha256('initrd')] },
      { pcr: 9, events: [sha256('command line')] },
    ]);
  });

  it('says what is wrong with the file, or with a PCR', async () => {
    const world = new FakeWorld();
    const path = join(world.home, 'events');
    writeFileSync(path, eventLogOf([{ pcr: 8, digest: sha256('kernel') }]));
    assert.equal(await world.run('fw', 'measurements', path), 2);
    assert.equal(await world.run('fw', 'measurements', path, '--pcr', '24'), 2);
    assert.match(world.errText, /"24" is no PCR/u);
    assert.equal(await world.run('fw', 'measurements', path, '--pcr', '9'), 1);
    assert.match(world.errText, /no event of PCR 9/u);
    writeFileSync(path, 'no log');
    assert.equal(await world.run('fw', 'measurements', path, '--pcr', '8'), 1);
    assert.match(world.errText, /no crypto-agile event log/u);
  });
});
