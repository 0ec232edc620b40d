import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factTexts, whoText } from './act-text.ts';

test('acts are told in words', () => {
  assert.equal(whoText({ principal: 'person:ann' }), 'ann');
  assert.equal(whoText({ principal: 'device:pump-1' }), 'device:pump-1');
  assert.deepEqual(factTexts({}), []);
  assert.deepEqual(factTexts({ facts: { stateBefore: 'active', group: '', count: 2 } }), [
    'state before: active',
    'group: (none)',
    'count: 2',
  ]);
});
