import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linkSecretOf } from './link-secret.ts';

test('a link brings a first code, an invitation, or the word of a provider', () => {
  assert.deepEqual(linkSecretOf('#first=ABCD-EFGH'), { kind: 'first', code: 'ABCD-EFGH' });
  assert.deepEqual(linkSecretOf('#invitation=ABCD'), { kind: 'invitation', code: 'ABCD' });
  assert.deepEqual(linkSecretOf('#oidc-refused'), { kind: 'oidc-refused' });
});

test('what is nothing of ours is nothing', () => {
  for (const hash of ['', '#', '#first=', '#first', '#main', '#other=ABCD', '#oidc-refused=1']) {
    assert.equal(linkSecretOf(hash), undefined, hash);
  }
});
