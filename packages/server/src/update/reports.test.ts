/** What devices tell: the last of it is kept, and heard after it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpdateLab, deviceId } from './lab.testing.ts';
import { UPDATE_STEPS_KEPT_MAX } from './limits.ts';

const ONE = deviceId('pump-1');

test('the last report is kept, with the time of its state', async (t) => {
  const lab = new UpdateLab(t);
  const release = 'thermo@1.0.0';
  const startMs = lab.clock.ms;
  const running = 'ab'.repeat(32);
  const { reports } = lab.parts;
  await reports.take(ONE, { release, state: 'downloading', hardware: 'thermo-a', counter: 3 });
  lab.clock.ms += 1_000;
  await reports.take(ONE, { release, state: 'downloading' });
  assert.deepEqual(lab.reopen().reports.of(ONE), {
    device: ONE,
    release,
    state: 'downloading',
    sinceMs: startMs,
    reportedMs: startMs + 1_000,
    hardware: 'thermo-a',
    counter: 3,
  });
  lab.clock.ms += 1_000;
  await lab.parts.reports.take(ONE, { release, state: 'failed', why: 'no space', running });
  const last = lab.parts.reports.of(ONE);
  assert.equal(last?.sinceMs, startMs + 2_000);
  assert.equal(last.why, 'no space');
  assert.equal(last.running, running);
  lab.parts.reports.forget(ONE);
  assert.equal(lab.reopen().reports.of(ONE), undefined);
});

test('what a device says that it is leaves how its last update ended', async (t) => {
  const lab = new UpdateLab(t);
  const { reports } = lab.parts;
  await reports.take(ONE, { release: 'thermo@1.0.0', state: 'confirmed' });
  const confirmed = reports.of(ONE);
  lab.clock.ms += 1_000;
  await reports.take(ONE, { release: '', state: 'idle', hardware: 'thermo-b' });
  const reportedMs = lab.clock.ms;
  assert.deepEqual(reports.of(ONE), { ...confirmed, reportedMs, hardware: 'thermo-b' });
});

test('a listener that fails keeps no report from the others', async (t) => {
  const { reports } = new UpdateLab(t).parts;
  const heard: string[] = [];
  reports.onReport(() => {
    throw new Error('broken');
  });
  const stop = reports.onReport((device, { state }) => {
    heard.push(`${device} ${state} ${reports.of(device)?.state}`);
  });
  await reports.take(ONE, { release: 'thermo@1.0.0', state: 'trial' });
  stop();
  await reports.take(ONE, { release: 'thermo@1.0.0', state: 'confirmed' });
  assert.deepEqual(heard, ['pump-1 trial trial']);
});

test('each state that a device comes into is kept with its time, until the device is forgotten', async (t) => {
  const lab = new UpdateLab(t);
  const startMs = lab.clock.ms;
  const release = 'thermo@1.0.0';
  const told = ['downloading', 'downloading', 'verified', 'failed'] as const;
  for (const state of told) {
    await lab.parts.reports.take(ONE, { release, state });
    lab.clock.ms += 1_000;
  }
  // The reason comes behind, as from Mender; what the device is says nothing of its update.
  await lab.parts.reports.take(ONE, { release, state: 'failed', why: 'no space' });
  await lab.parts.reports.take(ONE, { release: '', state: 'idle', hardware: 'thermo-b' });
  await lab.parts.reports.take(deviceId('pump-2'), { release: '', state: 'idle', counter: 1 });
  const { reports } = lab.reopen();
  assert.deepEqual(reports.stepsOf(ONE), [
    { atMs: startMs, release, state: 'downloading' },
    { atMs: startMs + 2_000, release, state: 'verified' },
    { atMs: startMs + 3_000, release, state: 'failed', why: 'no space' },
  ]);
  assert.deepEqual(reports.stepsOf('pump-2'), []);
  await lab.parts.forget(ONE);
  assert.deepEqual(lab.reopen().reports.stepsOf(ONE), []);
});

test('the oldest steps make room, and only those of the same device', async (t) => {
  const lab = new UpdateLab(t);
  const { reports } = lab.parts;
  const two = deviceId('pump-2');
  await reports.take(two, { release: 'thermo@1.0.0', state: 'confirmed' });
  const tell = (step: number): Promise<void> =>
    reports.take(ONE, { release: `thermo@${step}.0.0`, state: 'confirmed' });
  for (let step = 1; step <= UPDATE_STEPS_KEPT_MAX; step += 1) await tell(step);
  assert.equal(reports.stepsOf(ONE)[0]?.release, 'thermo@1.0.0');
  await tell(UPDATE_STEPS_KEPT_MAX + 1);
  const steps = reports.stepsOf(ONE);
  assert.equal(steps.length, UPDATE_STEPS_KEPT_MAX);
  assert.equal(steps[0]?.release, 'thermo@2.0.0');
  assert.equal(reports.stepsOf(two).length, 1);
});
