import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Cbor, CborMap, CborTag, encodeCbor, head } from './cbor.ts';
import { decodeCbor } from './decode-cbor.ts';
import { CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, SUIT_BYTES_MAX } from './limits.ts';

const hex = (item: Cbor): string => Buffer.from(encodeCbor(item)).toString('hex');
const from = (text: string): Cbor | undefined => decodeCbor(Buffer.from(text, 'hex'));

/** Of RFC 8949, appendix A: those that fit 53 bits and have no floats. */
const EXAMPLES: readonly (readonly [Cbor, string])[] = [
  [0, '00'],
  [10, '0a'],
  [23, '17'],
  [24, '1818'],
  [100, '1864'],
  [1_000, '1903e8'],
  [1_000_000, '1a000f4240'],
  [1_000_000_000_000, '1b000000e8d4a51000'],
  [-1, '20'],
  [-10, '29'],
  [-100, '3863'],
  [-1_000, '3903e7'],
  [false, 'f4'],
  [true, 'f5'],
  [null, 'f6'],
  [Uint8Array.of(), '40'],
  [Uint8Array.of(1, 2, 3, 4), '4401020304'],
  ['', '60'],
  ['IETF', '6449455446'],
  ['\u{10151}', '64f0908591'],
  [[], '80'],
  [[1, [2, 3], [4, 5]], '8301820203820405'],
  [new CborMap([]), 'a0'],
  [
    new CborMap([
      ['b', [2, 3]],
      ['a', 1],
    ]),
    'a26161016162820203',
  ],
  [new CborTag(32, 'http://www.example.com'), 'd82076687474703a2f2f7777772e6578616d706c652e636f6d'],
];

test('items are written and read as in RFC 8949', () => {
  for (const [item, text] of EXAMPLES) {
    assert.equal(hex(item), text);
    const back = from(text);
    assert.ok(back !== undefined);
    assert.equal(hex(back), text);
  }
});

test('what has a shorter form, or another order, is not read', () => {
  const wrong = [
    // Numbers that are not in their shortest form.
    '',
    '1800',
    '1817',
    '190018',
    '1a0000ffff',
    '1b00000000ffffffff',
    '5800',
    '7800',
    '9800',
    // Of indefinite length, and reserved.
    '5f4101ff',
    '9fff',
    'bfff',
    'ff',
    '1c',
    'fe',
    // Floats, and other simple values.
    'f90000',
    'fa00000000',
    'fb0000000000000000',
    'f7',
    'f0',
    'f8f4',
    // A key that is twice there, and unsorted maps.
    'a201000100',
    'a202000100',
    'a2616100000a',
    // Beyond 53 bits.
    '1b0020000000000000',
    '3b001fffffffffffff',
    // No UTF-8.
    '61ff',
    '62c080',
    '63eda080',
    // Too much, and too little.
    '0000',
    '8101ff',
    '8201',
    '420a',
    'a101',
    'c1',
    '9bffffffffffffffff',
  ];
  for (const text of wrong) assert.equal(from(text), undefined, text);
});

test('both sides of the limits', () => {
  const isRead = (bytes: Uint8Array): boolean => decodeCbor(bytes) !== undefined;
  const nested = (depth: number): Uint8Array => Buffer.from(`${'81'.repeat(depth)}00`, 'hex');
  assert.equal(isRead(nested(CBOR_DEPTH_MAX)), true);
  assert.equal(isRead(nested(CBOR_DEPTH_MAX + 1)), false);
  const zeros = (count: number): Uint8Array => Buffer.concat([head(4, count), Buffer.alloc(count)]);
  assert.equal(isRead(zeros(CBOR_ITEMS_MAX - 1)), true);
  assert.equal(isRead(zeros(CBOR_ITEMS_MAX)), false);
  const string = (length: number): Uint8Array =>
    Buffer.concat([head(2, length), Buffer.alloc(length)]);
  assert.equal(isRead(string(SUIT_BYTES_MAX - 3)), true);
  assert.equal(isRead(string(SUIT_BYTES_MAX - 2)), false);
});

test('what cannot be written says so', () => {
  for (const item of [0.5, 2 ** 53, Number.NaN]) {
    assert.throws(() => encodeCbor(item), RangeError);
  }
  assert.throws(() => encodeCbor(new CborMap([[1, 1], [1, 2]])), RangeError); // prettier-ignore
});

const scalar = fc.oneof(
  fc.maxSafeInteger(),
  fc.string(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array(),
);
/** Items in items, three deep: built up by hand, as deeper trees grow without bound. */
const item: fc.Arbitrary<Cbor> = [1, 2, 3].reduce<fc.Arbitrary<Cbor>>((inner) => {
  const key = (entry: readonly [Cbor, Cbor]): string => hex(entry[0]);
  const entries = fc.uniqueArray(fc.tuple(scalar, inner), { maxLength: 3, selector: key });
  return fc.oneof(
    scalar,
    fc.array(inner, { maxLength: 3 }),
    entries.map((all) => new CborMap(all)),
    fc.tuple(fc.nat(), inner).map(([tag, tagged]) => new CborTag(tag, tagged)),
  );
}, scalar);

test('every item comes back', () => {
  fc.assert(
    fc.property(item, (given) => {
      const encoded = encodeCbor(given);
      const back = decodeCbor(encoded);
      assert.ok(back !== undefined);
      assert.deepEqual(encodeCbor(back), encoded);
    }),
  );
});

test('what is read of random bytes is written as the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const read = decodeCbor(bytes);
      if (read !== undefined) assert.deepEqual(Buffer.from(encodeCbor(read)), Buffer.from(bytes));
    }),
    { numRuns: 2_000 },
  );
});
