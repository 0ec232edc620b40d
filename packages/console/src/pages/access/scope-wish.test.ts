import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateTokenRequestSchema, TOKEN_SCOPE_ACTIONS_MAX } from '@holdfast/protocol/api';
import { CHOSEN_MAX, type ScopeWish, isScopeComplete, scopeOf, scopeText } from './scope-wish.ts';

const actions = ['device:command'];

test('a wish is the scope that the API takes, and no limit is none', () => {
  for (const [wish, scope] of [
    [{ extent: 'all', actions, group: ' ' }, undefined],
    [{ extent: 'reads', actions, group: '' }, { actions: ['reads'] }],
    [{ extent: 'chosen', actions, group: '' }, { actions }],
    [
      { extent: 'chosen', actions, group: ' north ' },
      { actions, group: 'north' },
    ],
    [{ extent: 'all', actions, group: 'north' }, { group: 'north' }],
  ] as const satisfies readonly (readonly [ScopeWish, object | undefined])[]) {
    assert.deepEqual(scopeOf(wish), scope);
    CreateTokenRequestSchema.parse({ label: 'report', scope: scopeOf(wish) });
  }
});

test('to choose means one action at least, and as many as the API takes', () => {
  assert.equal(isScopeComplete({ extent: 'chosen', actions: [], group: 'north' }), false);
  assert.equal(isScopeComplete({ extent: 'chosen', actions, group: '' }), true);
  assert.equal(isScopeComplete({ extent: 'all', actions: [], group: '' }), true);
  assert.equal(CHOSEN_MAX, TOKEN_SCOPE_ACTIONS_MAX);
});

test('what a token may do is told in words', () => {
  assert.equal(scopeText({}), 'all that its person may');
  assert.equal(scopeText({ scope: { actions: ['reads'] } }), 'read');
  assert.equal(
    scopeText({ scope: { actions: ['reads', 'device:command'], group: 'north' } }),
    'read, device:command, in the group north',
  );
  assert.equal(
    scopeText({ scope: { group: 'north' } }),
    'all that its person may, in the group north',
  );
});
