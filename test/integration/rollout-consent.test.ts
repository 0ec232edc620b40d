/** An owner is asked before an update, by their app. ETSI EN 303 645 §5.3-6, -11, -12. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairTestApp, startInProcess, waitFor } from '@holdfast/testkit';
import { People } from './firmware-people.ts';

const WAIT_MS = 120_000;

test('a device waits for its owner, and the others do not', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  for (const id of ['mine', 'hers', 'nobodys']) {
    await server.enroll(id);
    await client.setDeviceHardware(id, { hardware: 'thermo-a', reason: 'its label' });
  }
  const people = new People();
  await people.init(client);
  const { id: release } = await people.release(client, '1.0.0');
  const mine = (await pairTestApp(t, server, 'mine')).client;
  const hers = (await pairTestApp(t, server, 'hers')).client;
  const notice = 'the heating stops for two minutes';
  const plan = { stages: [{ select: { percent: 100 } }], needsConsent: true, notice };
  const forecast = await client.planRollout({ release, plan });
  assert.deepEqual([forecast.devices, forecast.asked], [3, 2]);
  const { id } = await client.draftRollout({ release, plan });
  await client.startRollout(id, 'a test');

  const asked = await waitFor(
    'the owner to be asked',
    async () => (await mine.updates())[0],
    WAIT_MS,
  );
  assert.equal(asked.device, 'mine');
  assert.equal(asked.version, '1.0.0');
  assert.equal(asked.notice, notice);
  const assigned = async (device: string) => (await client.deviceUpdate(device)).assigned?.release;
  await waitFor(
    'the device of nobody',
    async () => (await assigned('nobodys')) === release,
    WAIT_MS,
  );
  assert.equal(await assigned('mine'), undefined);

  await assert.rejects(hers.agreeToUpdate('mine'), { code: 'E_OPERATE_NOT_FOUND' });
  const tooLate = new Date(Date.parse(asked.latestAt) + 1).toISOString();
  await assert.rejects(mine.agreeToUpdate('mine', tooLate), { code: 'E_OPERATE_INPUT' });
  await mine.agreeToUpdate('mine', asked.latestAt);
  assert.equal((await mine.updates())[0]?.from, asked.latestAt);
  await mine.agreeToUpdate('mine');
  await waitFor(
    'what the owner agreed to',
    async () => (await assigned('mine')) === release,
    WAIT_MS,
  );
  assert.deepEqual(await mine.updates(), []);
  assert.equal(await assigned('hers'), undefined, 'who does not answer is left alone');
  const acts = await client.acts({ limit: 100 });
  const consent = acts.filter(({ action }) => action === 'rollout.consent');
  assert.equal(consent.length, 2, 'what was refused was not done');
  assert.ok(
    consent.every(({ principal, target }) => principal.startsWith('app:') && target === 'mine'),
  );
});
