import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { HmacSha256 } from './hmac-sha256.ts';

/** RFC 4231 §4.2 to §4.5: key, data, HMAC-SHA-256, in hexadecimal. */
const VECTORS: readonly (readonly [key: string, data: string, tag: string])[] = [
  [
    '0b'.repeat(20),
    '4869205468657265',
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'aa'.repeat(20),
    'dd'.repeat(50),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    '0102030405060708090a0b0c0d0e0f10111213141516171819',
    'cd'.repeat(50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
];

test('the vectors of RFC 4231', () => {
  for (const [key, data, tag] of VECTORS) {
    const hmac = new HmacSha256(Buffer.from(key, 'hex'));
    assert.equal(hmac.isTagOf({ bytes: Buffer.from(data, 'hex') }, Buffer.from(tag, 'hex')), true);
  }
});

test('any key, text and bytes: the tag is that of createHmac, and no other', () => {
  const key = fc.uint8Array({ minLength: 1, maxLength: 64 });
  const text = fc.string({ unit: 'binary', maxLength: 50 });
  const bytes = fc.uint8Array({ maxLength: 500 });
  const bit = fc.nat({ max: 255 });
  fc.assert(
    fc.property(key, text, bytes, bit, (key, text, bytes, bit) => {
      const tag = createHmac('sha256', key).update(text, 'utf8').update(bytes).digest();
      const hmac = new HmacSha256(key);
      assert.equal(hmac.isTagOf({ text, bytes }, tag), true);
      tag.writeUInt8(tag.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.equal(hmac.isTagOf({ text, bytes }, tag), false);
    }),
  );
});

test('inputs larger than all before, and small ones after them', () => {
  const key = Buffer.alloc(32, 1);
  const hmac = new HmacSha256(key);
  for (const [units, count] of [
    [0, 0],
    [5_440, 0],
    [5_441, 1],
    [100_000, 70_000],
    [1, 1],
  ] as const) {
    const text = '€'.repeat(units);
    const bytes = Buffer.alloc(count, 7);
    const tag = createHmac('sha256', key).update(text).update(bytes).digest();
    assert.equal(hmac.isTagOf({ text, bytes }, tag), true, `${units} and ${count}`);
  }
});

test('two keys do not disturb each other', () => {
  const [a, b] = [1, 2].map((fill) => Buffer.alloc(32, fill));
  assert.ok(a !== undefined && b !== undefined);
  const [first, second] = [new HmacSha256(a), new HmacSha256(b)];
  const bytes = Buffer.from('one');
  const tagOf = (key: Buffer): Buffer => createHmac('sha256', key).update(bytes).digest();
  for (let round = 0; round < 2; round += 1) {
    assert.equal(first.isTagOf({ bytes }, tagOf(a)), true);
    assert.equal(second.isTagOf({ bytes }, tagOf(b)), true);
    assert.equal(first.isTagOf({ bytes }, tagOf(b)), false);
  }
});

test('a key longer than a block is a mistake of ours', () => {
  assert.doesNotThrow(() => new HmacSha256(Buffer.alloc(64)));
  assert.throws(() => new HmacSha256(Buffer.alloc(65)), RangeError);
});
