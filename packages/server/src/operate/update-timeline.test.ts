/** What the API tells of the updates of a device: its own steps, and those of others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDeviceId } from '@holdfast/protocol';
import { type DeviceUpdateList, DeviceUpdateListSchema } from '@holdfast/protocol/api';
import type { ActRecord } from '../telemetry/index.ts';
import { UPDATE_STEPS_KEPT_MAX } from '../update/index.ts';
import { type Lab, openLab, present } from './lab.testing.ts';

const DEVICE = present(parseDeviceId('pump-1'));
const MINUTE_MS = 60_000;

function openFleet(t: Parameters<typeof openLab>[0]): Lab {
  const lab = openLab(t);
  for (const id of ['pump-1', 'pump-2']) present(lab.registry.add({ id, class: 'sensor' }));
  return lab;
}

function act(lab: Lab, action: string, more: Partial<ActRecord> = {}): void {
  const index = lab.acts.items.length + 1;
  const common = { index, atMs: lab.clock.ms, action, principal: 'server', target: 'pump-1' };
  lab.acts.push({ ...common, ...more });
}

function assign(lab: Lab, release: string, more: Partial<ActRecord> = {}): void {
  act(lab, 'update.assign', { facts: { release, sha256: 'ab' }, ...more });
}

async function read(lab: Lab): Promise<DeviceUpdateList> {
  const answer = await lab.call('GET', '/v1/devices/pump-1/updates', { token: lab.localToken });
  assert.equal(answer.status, 200);
  return DeviceUpdateListSchema.parse(await answer.json());
}

test('the steps of a device stand with what others did for it, newest first', async (t) => {
  const lab = openFleet(t);
  const { reports } = lab.deps.updates;
  assert.deepEqual(await read(lab), { device: 'pump-1', steps: [], isComplete: true });
  const first = 'thermo@1.0.0';
  const next = 'thermo@2.0.0';
  assign(lab, first, { principal: 'person:ada', reason: 'a test' });
  act(lab, 'device.set-tags');
  assign(lab, first, { target: 'pump-2' });
  await reports.take(DEVICE, { release: first, state: 'confirmed' });
  lab.clock.ms += MINUTE_MS;
  act(lab, 'rollout.consent', { principal: 'app:ada.1' });
  assign(lab, next, { reason: 'rollout 5be1c0de', facts: { release: next, before: first } });
  lab.clock.ms += MINUTE_MS;
  await reports.take(DEVICE, { release: next, state: 'reverted', why: 'no connection' });
  assign(lab, 'none', { reason: 'rollout 5be1c0de', facts: { release: 'none', before: next } });
  const { steps, isComplete } = await read(lab);
  assert.ok(isComplete);
  const at = (minutes: number): string =>
    new Date(lab.clock.ms - (2 - minutes) * MINUTE_MS).toISOString();
  assert.deepEqual(steps, [
    { what: 'told', at: at(2), release: next, state: 'reverted', why: 'no connection' },
    { what: 'assigned', at: at(2), by: 'server', before: next, rollout: '5be1c0de' },
    {
      what: 'assigned',
      at: at(1),
      by: 'server',
      release: next,
      before: first,
      rollout: '5be1c0de',
    },
    { what: 'agreed', at: at(1), by: 'app:ada.1' },
    { what: 'told', at: at(0), release: first, state: 'confirmed' },
    { what: 'assigned', at: at(0), by: 'person:ada', release: first, reason: 'a test' },
  ]);
});

test('what was assigned before all that is kept is not told, and that there was more is', async (t) => {
  const lab = openFleet(t);
  const { reports } = lab.deps.updates;
  assign(lab, 'thermo@0.9.0');
  lab.clock.ms += MINUTE_MS;
  const tell = (step: number): Promise<void> =>
    reports.take(DEVICE, { release: `thermo@${step}.0.0`, state: 'confirmed' });
  for (let step = 1; step < UPDATE_STEPS_KEPT_MAX; step += 1) await tell(step);
  const whole = await read(lab);
  assert.deepEqual([whole.isComplete, whole.steps.length], [true, UPDATE_STEPS_KEPT_MAX]);
  await tell(UPDATE_STEPS_KEPT_MAX);
  const part = await read(lab);
  assert.deepEqual([part.isComplete, part.steps.length], [false, UPDATE_STEPS_KEPT_MAX]);
  assert.ok(part.steps.every(({ what }) => what === 'told'));
});

test('who may not read the device reads nothing of its updates', async (t) => {
  const lab = openFleet(t);
  const absent = await lab.call('GET', '/v1/devices/nobody/updates', { token: lab.localToken });
  assert.equal(absent.status, 404);
  assert.equal((await lab.call('GET', '/v1/devices/pump-1/updates')).status, 401);
});
