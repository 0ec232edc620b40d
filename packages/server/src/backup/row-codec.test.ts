import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type SqlValue, decodeRows, encodeRow } from './row-codec.ts';

const value: fc.Arbitrary<SqlValue> = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true }),
  fc.string({ unit: 'grapheme' }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);

test('rows come back as they were, whatever stands in them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value, value), { maxLength: 20 }), (rows) => {
      const bytes = Buffer.concat(rows.map(encodeRow));
      assert.deepEqual([...decodeRows(bytes, 3)], rows);
    }),
  );
});

test('bytes that end within a row, or are none, are no rows', () => {
  fc.assert(
    fc.property(fc.tuple(value, value), fc.nat(), (row, cut) => {
      const bytes = encodeRow(row);
      const short = bytes.subarray(0, 1 + (cut % (bytes.length - 1)));
      assert.throws(() => [...decodeRows(short, 2)], RangeError);
    }),
  );
  assert.throws(() => [...decodeRows(Buffer.of(9), 1)], RangeError);
  assert.throws(() => [...decodeRows(Buffer.of(0), 0)], RangeError);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (noise) => {
      try {
        for (const row of decodeRows(Buffer.from(noise), 2)) assert.equal(row.length, 2);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
  );
});
