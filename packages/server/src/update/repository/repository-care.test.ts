/** What ends is signed again in time; and when it is not, somebody hears of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpdateLab } from '../lab.testing.ts';
import { ALARM_REPEAT_MS, ONLINE_ALARM_MS, PEOPLE_ALARM_MS, TIMESTAMP_LIFE_MS } from './limits.ts';

const DAY_MS = 86_400_000;

function alarms(lab: UpdateLab): string[] {
  return lab.events
    .filter(({ name }) => name === 'update.metadata-ending')
    .map(({ facts }) => `${String(facts?.['repository'])}/${String(facts?.['role'])}`);
}

test('nobody is told of what is signed again in time', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  for (let hours = 0; hours < 14 * 24; hours += 3) {
    lab.clock.ms += 3 * 3_600_000;
    await lab.parts.care.look();
    assert.ok((lab.parts.care.ends()[0]?.expiresMs ?? 0) > lab.clock.ms + ONLINE_ALARM_MS);
  }
  assert.deepEqual(alarms(lab), []);
});

test('a timestamp that cannot be signed is an alarm long before it ends, once a day', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  lab.beforeRecord = () => {
    throw new Error('the disk is full');
  };
  const endMs = lab.clock.ms + TIMESTAMP_LIFE_MS;
  lab.clock.ms = endMs - ONLINE_ALARM_MS;
  await lab.parts.care.look();
  assert.deepEqual(alarms(lab), []);
  lab.clock.ms += 1;
  await lab.parts.care.look();
  await lab.parts.care.look();
  assert.deepEqual(alarms(lab), ['image/timestamp']);
  lab.clock.ms += ALARM_REPEAT_MS;
  await lab.parts.care.look();
  assert.deepEqual(alarms(lab), ['image/timestamp', 'image/timestamp']);
  lab.beforeRecord = () => {};
  await lab.parts.care.look();
  await lab.parts.care.look();
  assert.ok(
    lab.parts.care.ends().every(({ isEndingSoon }) => !isEndingSoon),
    'it is caught up',
  );
});

test('people hear weeks before what only they can sign ends', async (t) => {
  const lab = new UpdateLab(t);
  await lab.init();
  const targetsEndMs = lab.clock.ms + 180 * DAY_MS;
  lab.clock.ms = targetsEndMs - PEOPLE_ALARM_MS;
  await lab.parts.care.look();
  assert.deepEqual(alarms(lab), []);
  lab.clock.ms += 1_000;
  await lab.parts.care.look();
  assert.deepEqual(alarms(lab), ['image/targets']);
});
