import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalView } from '@holdfast/protocol/api';
import { addressesOf, fitOf } from './refusal-fit.ts';

function refusal(facts: Partial<RefusalView>): RefusalView {
  const words = { what: '', fix: '', detail: '', count: 1 };
  return { index: 1, at: '2026-01-01T00:00:00Z', code: 'E_VERIFY_SIG', ...words, ...facts };
}

const nowhere = { id: 'pump-1', addresses: new Set<string>() };
const seen = { id: 'pump-1', addresses: new Set(['192.0.2.7']) };

test('what it proved or claimed to be is its own', () => {
  assert.equal(fitOf(refusal({ principal: 'pump-1' }), nowhere), 'own');
  assert.equal(fitOf(refusal({ claimed: 'pump-1', code: 'E_ENROLL_CLAIM' }), nowhere), 'own');
  assert.equal(fitOf(refusal({ claimed: 'CN=pump-1' }), nowhere), 'own');
});

test('what others were refused is none of it', () => {
  assert.equal(fitOf(refusal({ principal: 'pump-2' }), seen), undefined);
  assert.equal(fitOf(refusal({ principal: 'pump-2', address: '192.0.2.7' }), seen), undefined);
  const signIn = refusal({ code: 'E_OPERATE_SIGN_IN', address: '192.0.2.7' });
  assert.equal(fitOf(signIn, seen), undefined);
});

test('who proved nothing may be it: anybody at first, then only at its address', () => {
  const knock = refusal({ code: 'E_SESSION_NO_CERTIFICATE', address: '192.0.2.7' });
  assert.equal(fitOf(knock, nowhere), 'perhaps');
  assert.equal(fitOf(knock, seen), 'perhaps');
  assert.equal(fitOf({ ...knock, address: '192.0.2.8' }, seen), undefined);
});

test('it was seen where it connected, and where it was refused itself', () => {
  const own = refusal({ principal: 'pump-1', address: '192.0.2.7' });
  const other = refusal({ principal: 'pump-2', address: '192.0.2.8' });
  const addresses = addressesOf([own, other], 'pump-1', ['192.0.2.9']);
  assert.deepEqual([...addresses].toSorted(), ['192.0.2.7', '192.0.2.9']);
});
