import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TpmView } from '@holdfast/protocol/api';
import { FakeWorld } from '../fake-world.ts';

const EK = '5f'.repeat(32);
const BOUND: TpmView = { ekSha256: EK, boundAt: '2026-11-21T10:00:00.000Z', trust: 'nobody' };
const ACCEPTED: TpmView = { ...BOUND, trust: 'operator', trustedBy: 'person:ada' };

const showing = (tpm: TpmView) => new FakeWorld({ client: { tpm: () => Promise.resolve(tpm) } });

describe('device tpm', () => {
  it('says what was proven, or why nothing was', async () => {
    const waiting = showing(BOUND);
    assert.equal(await waiting.run('device', 'tpm', 'show', 'gateway-1'), 0);
    assert.match(waiting.outText, /Nobody vouches for the TPM of gateway-1, so it has nothing/u);
    const proof = { at: '2026-11-21T11:00:00.000Z', release: 'thermo@2.0.0' };
    const proven = showing({ ...ACCEPTED, boot: 'proven', proof });
    await proven.run('device', 'tpm', 'show', 'gateway-1');
    assert.match(proven.outText, /Proven: gateway-1 booted thermo@2\.0\.0, 2026-11-21 1/u);
    assert.match(proven.outText, /vouched for by operator person:ada/u);
    const why = 'measurement: PCR 9, event 2: ab, not expected';
    const unproven = showing({ ...ACCEPTED, boot: 'unproven', why });
    await unproven.run('device', 'tpm', 'show', 'gateway-1');
    assert.match(unproven.outText, /gateway-1 has not proven how it booted/u);
    assert.match(unproven.outText, /why {3}measurement: PCR 9/u);
    const raw = showing(ACCEPTED);
    await raw.run('device', 'tpm', 'show', 'gateway-1', '--json');
    assert.deepEqual(JSON.parse(raw.outText), ACCEPTED);
  });

  it('vouches for one TPM, by its whole hash', async () => {
    const asked: string[] = [];
    const acceptTpm = (device: string, ekSha256: string): Promise<TpmView> => {
      asked.push(`${device} ${ekSha256}`);
      return Promise.resolve({ ...ACCEPTED, boot: 'unproven' });
    };
    const world = new FakeWorld({ client: { acceptTpm } });
    assert.equal(await world.run('device', 'tpm', 'accept', 'gateway-1', EK.slice(2)), 2);
    assert.match(world.errText, /64 hexadecimal digits/u);
    assert.equal(await world.run('device', 'tpm', 'accept', 'gateway-1', EK.toUpperCase()), 0);
    assert.deepEqual(asked, [`gateway-1 ${EK}`]);
  });

  it('forgets one', async () => {
    const forgotten: string[] = [];
    const forgetTpm = (device: string): Promise<void> => {
      forgotten.push(device);
      return Promise.resolve();
    };
    const world = new FakeWorld({ client: { forgetTpm } });
    assert.equal(await world.run('device', 'tpm', 'forget', 'gateway-1'), 0);
    assert.deepEqual(forgotten, ['gateway-1']);
    assert.match(world.outText, /No TPM is bound to gateway-1 any more/u);
  });
});
