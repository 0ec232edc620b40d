import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROLLOUT_DEVICE_STATES } from '@holdfast/protocol/api';
import { HEALTH, healthOf, percentText, stageText } from './rollout-text.ts';

const NONE = Object.fromEntries(ROLLOUT_DEVICE_STATES.map((state) => [state, 0])) as Record<
  (typeof ROLLOUT_DEVICE_STATES)[number],
  number
>;

test('every state of a device counts in exactly one kind', () => {
  const all = HEALTH.flatMap<string>(({ states }) => states);
  assert.deepEqual(all.toSorted(), [...ROLLOUT_DEVICE_STATES].toSorted());
});

test('kinds without devices are left out', () => {
  assert.deepEqual(healthOf(NONE), []);
  assert.deepEqual(healthOf({ ...NONE, trial: 2, offered: 1, reverted: 4 }), [
    { name: 'in progress', tone: 'info', count: 3 },
    { name: 'failed or went back', tone: 'bad', count: 4 },
  ]);
});

test('stages in words', () => {
  const gate = { successRate: 0.95, soakMs: 0 };
  assert.equal(
    stageText({ select: { percent: 1 }, ...gate }),
    'up to 1 % of the devices; goes on when 95 % are confirmed',
  );
  assert.equal(
    stageText({ select: { count: 1 }, ...gate, soakMs: 86_400_000 }),
    'up to 1 device; goes on when 95 % are confirmed, watched for 1 day',
  );
  assert.match(stageText({ select: { group: 'lab' }, ...gate }), /^the group lab;/u);
  assert.match(stageText({ select: { devices: ['a', 'b'] }, ...gate }), /^2 named devices;/u);
  assert.equal(percentText(0.005), '0.5 %');
});
