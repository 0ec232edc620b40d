/** Goal: every act is offered once, and tags are read as people type them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACT_GROUPS, ACT_WORDS, tagsIn } from './act-words.ts';

test('the menu has every act once', () => {
  const offered = ACT_GROUPS.flatMap(({ acts }) => acts);
  assert.deepEqual(offered.toSorted(), Object.keys(ACT_WORDS).sort());
});

test('tags stand between commas or spaces, each once', () => {
  assert.deepEqual(tagsIn('roof, north  roof,,east'), ['roof', 'north', 'east']);
  assert.deepEqual(tagsIn('  '), []);
});
