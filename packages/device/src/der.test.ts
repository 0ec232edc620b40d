import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { readDer, readDerAll } from './der-reader.ts';
import { TAG, derElement, derOid, derSequence, derSmallInteger, derUtf8 } from './der-writer.ts';

const openssl = (args: string[], input: Uint8Array): string =>
  execFileSync('openssl', args, { input, encoding: 'utf8' });

test('openssl reads what the writer writes', () => {
  const element = derSequence(
    derSmallInteger(127),
    derOid('1.2.840.10045.4.3.2'),
    derOid('2.5.4.3'),
    derUtf8('Gerät'),
    derElement(TAG.octetString, new Uint8Array(300)),
  );
  const text = openssl(['asn1parse', '-inform', 'DER'], element);
  assert.match(text, /INTEGER\s+:7F/u);
  assert.match(text, /OBJECT\s+:ecdsa-with-SHA256/u);
  assert.match(text, /OBJECT\s+:commonName/u);
  assert.match(text, /hl=4 l= 300 prim: OCTET STRING/u);
});

test('lengths take their shortest form on both sides of each boundary [X.690 §10.1]', () => {
  for (const [length, header] of [
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [255, '0481ff'],
    [256, '04820100'],
    [65_535, '0482ffff'],
    [65_536, '0483010000'],
  ] as const) {
    const element = derElement(TAG.octetString, new Uint8Array(length));
    const hex = Buffer.from(element.subarray(0, header.length / 2)).toString('hex');
    assert.equal(hex, header);
    assert.equal(readDer(element)?.content.length, length);
  }
});

test('a length in more bytes than it needs, or of unknown end, is refused', () => {
  for (const hex of ['04810100', '04817f', '0482007f', '048200ff', '0480', '3080', '0484000000']) {
    const bytes = Buffer.concat([Buffer.from(hex, 'hex'), new Uint8Array(300)]);
    assert.equal(readDer(bytes), undefined, hex);
  }
  assert.equal(readDer(Buffer.from('1f0100', 'hex')), undefined, 'a tag of several bytes');
});

test('an element that is cut short is none', () => {
  const element = derElement(TAG.octetString, new Uint8Array(200));
  for (const end of [0, 1, 2, 3, element.length - 1]) {
    assert.equal(readDer(element.subarray(0, end)), undefined);
  }
  assert.notEqual(readDer(element), undefined);
});

test('small integers are 0 to 127', () => {
  assert.throws(() => derSmallInteger(128), RangeError);
  assert.throws(() => derSmallInteger(-1), RangeError);
});

test('what was written is read again, up to the number of elements that is accepted', () => {
  const contents = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
  fc.assert(
    fc.property(contents, (parts) => {
      const bytes = Buffer.concat(parts.map((part) => derElement(TAG.octetString, part)));
      const found = readDerAll(bytes, parts.length);
      assert.deepEqual(
        found?.map(({ content }) => Buffer.from(content)),
        parts.map((part) => Buffer.from(part)),
      );
      if (parts.length > 0) assert.equal(readDerAll(bytes, parts.length - 1), undefined);
      assert.equal(readDerAll(Buffer.concat([bytes, Buffer.of(0x04)]), 9), undefined);
    }),
  );
});

test('any bytes give an element or nothing, and an element is what it was read from', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const element = readDer(bytes);
      if (element === undefined) return;
      assert.deepEqual(derElement(element.tag, element.content), Buffer.from(element.bytes));
    }),
  );
});
