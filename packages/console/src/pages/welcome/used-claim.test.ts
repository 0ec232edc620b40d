/** Goal: a claim is called used when the server says so of this very claim. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usedClaim } from './used-claim.ts';

const [first, second] = ['2026-11-22T00:00:00.000Z', '2026-11-22T00:05:00.000Z'];
const used = { usedAt: '2026-11-21T00:01:00.000Z', certificate: 'ab' };

test('a claim is used when the server says so, whether it is still shown or not', () => {
  const state = { expiresAt: first, ...used };
  assert.deepEqual(usedClaim(undefined, state), used);
  assert.deepEqual(usedClaim({ expiresAt: first }, state), used);
});

test('an open one is not, nor one that was made since', () => {
  assert.equal(usedClaim(undefined, undefined), undefined);
  assert.equal(usedClaim({ expiresAt: first }, { expiresAt: first }), undefined);
  assert.equal(usedClaim({ expiresAt: second }, { expiresAt: first, ...used }), undefined);
});
