/** Goal: whoever reads what was done reads words, and every act has its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACT_WORDS, EVENT_WORDS, actWords, isActName } from './act-words.ts';

test('acts and events are told in words, and unknown ones as they are called', () => {
  assert.equal(actWords('device.quarantine'), 'Quarantined a device');
  assert.equal(actWords('clock.jump'), 'Saw the clock of the machine jump');
  assert.equal(actWords('device.teleport-away'), 'device teleport away');
  assert.equal(actWords('toString'), 'toString');
});

test('only acts are acts', () => {
  assert.ok(isActName('policy.set'));
  for (const other of ['clock.jump', 'toString', '', undefined, 3]) assert.ok(!isActName(other));
});

test('no two have the same words', () => {
  const words = Object.values({ ...ACT_WORDS, ...EVENT_WORDS });
  assert.equal(new Set(words).size, words.length);
  for (const text of words) assert.match(text, /^[A-Z][^.]*[^. ]$/u);
});
