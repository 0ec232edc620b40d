/** Goal: every state that a device can tell has its place in the steps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEVICE_UPDATE_STATE_LIST } from '@holdfast/protocol/api';
import { updateSteps } from './update-steps.ts';

test('every state but idle is shown', () => {
  for (const state of DEVICE_UPDATE_STATE_LIST) {
    assert.equal(updateSteps(state).length === 0, state === 'idle', state);
  }
});

test('what is behind is done, and what is before is open', () => {
  const states = updateSteps('staged').map(({ state }) => state);
  assert.deepEqual(states, ['done', 'done', 'now', 'open', 'open', 'open']);
  assert.ok(updateSteps('confirmed').every(({ state }) => state === 'done'));
  assert.deepEqual(
    updateSteps('reverted').map(({ state }) => state),
    ['failed'],
  );
});
