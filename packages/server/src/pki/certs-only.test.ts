import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { certsOnly } from './certs-only.ts';
import { element, isOneElement } from './der.ts';
import { newAuthority, opensslLab } from './openssl.testing.ts';

test('openssl reads the certificates of a certs-only message, in their order', (context) => {
  const lab = opensslLab(context);
  const { root, devicesCa, serversCa } = newAuthority();
  for (const certificates of [[root], [devicesCa, root], [serversCa, devicesCa, root]]) {
    const message = certsOnly(certificates.map(({ raw }) => raw));
    const { isOk, stdout } = lab.openssl('pkcs7 -inform DER -print_certs', message);
    assert.ok(isOk);
    const pems = stdout.toString().match(/-----BEGIN[^]*?-----END CERTIFICATE-----\n/gu);
    assert.deepEqual(
      pems,
      certificates.map((certificate) => certificate.toString()),
    );
    assert.ok(lab.openssl('asn1parse -inform DER', message).isOk);
    assert.ok(lab.openssl('cms -cmsout -print -inform DER -noout', message).isOk);
  }
});

test('an element is one element, and is none with a byte more or less', () => {
  const lengths = fc.oneof(fc.constantFrom(0, 127, 128, 255, 256, 65_535, 65_536), fc.nat(70_000));
  fc.assert(
    fc.property(lengths, (length) => {
      const bytes = Buffer.from(element(0x30, Buffer.alloc(length)));
      const isSmall = length <= 0xffff;
      assert.equal(isOneElement(bytes), isSmall);
      assert.ok(!isOneElement(Buffer.concat([bytes, Buffer.alloc(1)])));
      assert.ok(!isOneElement(bytes.subarray(0, -1)));
    }),
    { numRuns: 50 },
  );
});

test('lengths in BER, and elements that are no SEQUENCE, are none', () => {
  for (const hex of [
    '',
    '30',
    '3100',
    '308100',
    '30820000',
    '3080',
    '30800000',
    '3081050102030405',
  ]) {
    assert.ok(!isOneElement(Buffer.from(hex, 'hex')), hex);
  }
  assert.ok(isOneElement(Buffer.from('3000', 'hex')));
});
