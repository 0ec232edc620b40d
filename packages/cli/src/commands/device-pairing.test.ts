import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatPairing } from '@holdfast/protocol';
import { FakeWorld } from '../fake-world.ts';

const code = '0123-ABCD-EFGH-JKMN';
const anchorPin = 'a'.repeat(43);
const text = formatPairing({ host: 'localhost', port: 8443, of: 'pump-1', anchorPin, code });
const made = { of: 'pump-1', code, text };

describe('device pair-code', () => {
  it('prints the code and the text, and a QR code on a terminal', async () => {
    const client = { pairCode: () => Promise.resolve(made) };
    const plain = new FakeWorld({ client });
    assert.equal(await plain.run('device', 'pair-code', 'pump-1'), 0);
    assert.ok(plain.outText.includes(code) && plain.outText.includes(text));
    assert.doesNotMatch(plain.outText, /█/u);
    const terminal = new FakeWorld({ client, isTty: true });
    await terminal.run('device', 'pair-code', 'pump-1');
    assert.match(terminal.outText, /█/u);
  });

  it('prints only JSON with --json', async () => {
    const world = new FakeWorld({ client: { pairCode: () => Promise.resolve(made) } });
    await world.run('device', 'pair-code', 'pump-1', '--json');
    assert.deepEqual(JSON.parse(world.outText), made);
  });
});

describe('device reset', () => {
  const client = (asked: unknown[]) => ({
    resetDevice: (...request: unknown[]) => {
      asked.push(request);
      return Promise.resolve({ device: 'pump-1', hadOwner: true });
    },
  });

  it('resets in a script without a question, with its reason', async () => {
    const asked: unknown[] = [];
    const world = new FakeWorld({ client: client(asked) });
    assert.equal(await world.run('device', 'reset', 'pump-1', '--reason', 'sold'), 0);
    assert.deepEqual(asked, [['pump-1', 'sold']]);
    assert.match(world.outText, /is reset: its owner has no rights any more/);
  });

  it('does nothing on a terminal until the id was typed', async () => {
    const asked: unknown[] = [];
    const world = new FakeWorld({ client: client(asked), isTty: true, answers: ['pump-2'] });
    assert.notEqual(await world.run('device', 'reset', 'pump-1'), 0);
    assert.deepEqual(asked, []);
  });
});
