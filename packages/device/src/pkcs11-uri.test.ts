import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type TokenKeyName, formatKeyUri, parseKeyUri, pemOfUri, uriOfPem } from './pkcs11-uri.ts';

const NAME: TokenKeyName = {
  token: 'my token',
  object: 'holdfast-01',
  id: Uint8Array.of(1, 0xab),
  type: 'private',
};
const URI = 'pkcs11:token=my%20token;id=%01%AB;object=holdfast-01;type=private';

test('a key is named as every tool for PKCS #11 reads it [RFC 7512 §2.4]', () => {
  assert.equal(formatKeyUri(NAME), URI);
  assert.deepEqual(parseKeyUri(URI), NAME);
});

test('the PEM form is that of pkcs11-provider', () => {
  // SEQUENCE { VisibleString "PKCS#11 Provider URI v1.0", UTF8String }.
  const pem = pemOfUri('pkcs11:object=k;type=private');
  assert.equal(
    pem,
    '-----BEGIN PKCS#11 PROVIDER URI-----\n' +
      'MDkaGVBLQ1MjMTEgUHJvdmlkZXIgVVJJIHYxLjAMHHBrY3MxMTpvYmplY3Q9azt0\n' +
      'eXBlPXByaXZhdGU=\n' +
      '-----END PKCS#11 PROVIDER URI-----\n',
  );
  assert.equal(uriOfPem(pem), 'pkcs11:object=k;type=private');
});

test('any name comes back, and any other text is refused', () => {
  const name = fc.record({
    token: fc.string({ unit: 'binary', minLength: 1, maxLength: 32 }),
    object: fc.string({ minLength: 1, maxLength: 32 }),
    id: fc.uint8Array({ minLength: 1, maxLength: 32 }),
    type: fc.constantFrom('private' as const, 'secret-key' as const),
  });
  fc.assert(
    fc.property(name, (given) => {
      const uri = formatKeyUri(given);
      assert.deepEqual(parseKeyUri(uri), { ...given });
      assert.equal(uriOfPem(pemOfUri(uri)), uri);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(parseKeyUri(text), undefined);
      assert.equal(uriOfPem(text), undefined);
    }),
  );
  for (const text of [
    URI.replace('private', 'public'),
    URI.replace('id=%01%AB', 'id=01'),
    URI.replace('%20', '%2'),
    `${URI}?pin-value=1`,
    `${URI};`,
    'pkcs11:',
  ]) {
    assert.equal(parseKeyUri(text), undefined, text);
  }
});
