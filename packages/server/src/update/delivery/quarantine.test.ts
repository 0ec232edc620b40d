/** A device in quarantine is connected to nothing but the way to its updates. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { LifeCycleAct } from '../../registry/index.ts';
import { type LabDevice, type UpdateLab, openUpdateLab } from './lab.testing.ts';

const IMAGE = randomBytes(100_000);

async function setUp(t: TestContext): Promise<{
  lab: UpdateLab;
  pump: LabDevice;
  artifact: string;
  change: (act: LifeCycleAct) => void;
}> {
  const lab = await openUpdateLab(t);
  const pump = lab.addDevice('pump-1');
  const release = lab.updates.add(IMAGE);
  await lab.updates.assign(pump.id, release);
  const change = (act: LifeCycleAct): void =>
    void lab.registry.changeState(pump.id, { act, by: 'local', reason: 'test' });
  return { lab, pump, artifact: `/update/v1/artifact/${release.sha256}`, change };
}

test('it polls, fetches what it is to run, and reports', async (t) => {
  const { lab, pump, artifact, change } = await setUp(t);
  change('quarantine');
  assert.equal((await lab.ask(pump, { path: '/update/v1/poll' })).status, 200);
  assert.ok((await lab.ask(pump, { path: artifact })).bytes.equals(IMAGE));
  const body = { release: 'thermostat@1.0.0', state: 'confirmed' };
  const reported = await lab.ask(pump, { path: '/update/v1/report', method: 'POST', body });
  assert.equal(reported.status, 204);
  assert.deepEqual(lab.reports, []);
});

test('it reaches nothing else [E_SESSION_STATE]', async (t) => {
  const { lab, pump, change } = await setUp(t);
  change('quarantine');
  const paths = [
    '/update/v1/boot/challenge',
    '/DEFAULT/controller/v1/pump-1',
    '/api/devices/v1/deployments/device/deployments/next',
  ];
  for (const path of paths) {
    assert.equal((await lab.ask(pump, { path, method: 'POST' })).status, 401, path);
  }
  const codes = lab.reports.map(({ refusal }) => refusal.code);
  assert.deepEqual(
    codes,
    paths.map(() => 'E_SESSION_STATE'),
  );
});

for (const act of ['suspend', 'revoke', 'retire'] as const) {
  test(`one that was quarantined, then ${act}: nothing at all`, async (t) => {
    const { lab, pump, artifact, change } = await setUp(t);
    change('quarantine');
    if (act === 'suspend') change('release');
    change(act);
    for (const path of ['/update/v1/poll', artifact]) {
      assert.equal((await lab.ask(pump, { path })).status, 401);
    }
  });
}

test('a superseded certificate opens nothing in quarantine either', async (t) => {
  const { lab, pump, change } = await setUp(t);
  const next = lab.addDevice('pump-2');
  change('quarantine');
  assert.equal((await lab.ask(next, { path: '/update/v1/poll' })).status, 200);
  const [own] = lab.registry.certificatesOf(pump.id);
  assert.ok(own);
  lab.registry.certificate = () => ({ ...own, status: 'superseded' });
  assert.equal((await lab.ask(pump, { path: '/update/v1/poll' })).status, 401);
  lab.registry.certificate = () => ({ ...own, deviceId: 'pump-2' });
  assert.equal((await lab.ask(pump, { path: '/update/v1/poll' })).status, 401);
});

test('its class may ask for an API key: then it is asked for in quarantine as well', async (t) => {
  const { lab, pump, change } = await setUp(t);
  lab.classSettings.set('gateway', { requiresApiKey: true });
  change('quarantine');
  assert.equal((await lab.ask(pump, { path: '/update/v1/poll' })).status, 401);
});
