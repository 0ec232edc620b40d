/** Goal: an act is found by what the page shows, and by how the log calls it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFound } from './find-acts.ts';

const act = {
  index: 7,
  at: '2026-11-21T00:00:00.000Z',
  action: 'device.set-group',
  principal: 'person:ann',
  target: 'pump-1',
};

test('acts are found by who, what and which, in any order', () => {
  for (const words of [
    '',
    'ann',
    'PUMP-1',
    'another group',
    'device.set-group',
    'pump set group',
  ]) {
    assert.ok(isFound(act, words), words);
  }
  for (const words of ['bob', 'device.revoke', 'pump-1 revoked', 'undefined']) {
    assert.ok(!isFound(act, words), words);
  }
});
