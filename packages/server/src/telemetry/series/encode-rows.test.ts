import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRows, encodeRows } from './encode-rows.ts';
import { CHUNK_ROWS_MAX } from './limits.ts';
import { ABSENT, type Rows, addRow, concatRows, noRows, splitRows } from './rows.ts';

const TIME_MAX = 2 ** 48;
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -50_000, max: 50_000 }).map((digits) => digits / 100),
  fc.constantFrom(0, -0, 1e300, -1e300, 2 ** 53, 5e-324, 0.1 + 0.2),
);
const row = fc.record({
  timeMs: fc.integer({ min: 0, max: TIME_MAX }),
  step: fc.integer({ min: 1, max: 2 ** 32 }),
  values: fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), value), { maxLength: 4 }),
});

const rowsOf = (list: { timeMs: number; step: number; values: [number, number][] }[]): Rows => {
  const rows = noRows();
  let index = 0;
  for (const { timeMs, step, values } of list) {
    index += step;
    addRow(rows, { timeMs, index }, new Map(values));
  }
  return rows;
};

/** Columns without any value are not stored. */
function withoutEmpty({ times, indexes, columns }: Rows): Rows {
  const kept = [...columns].filter(([, values]) => !values.every(Number.isNaN));
  return { times, indexes, columns: new Map(kept) };
}

test('rows come back to the last bit', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (list) => {
      const rows = rowsOf(list);
      assert.deepEqual(decodeRows(encodeRows(rows)), withoutEmpty(rows));
    }),
  );
});

test('columns that are not wanted are left out', () => {
  const rows = rowsOf([
    {
      timeMs: 1,
      step: 1,
      values: [
        [1, 5],
        [2, 6],
      ],
    },
    { timeMs: 2, step: 1, values: [[2, 7]] },
  ]);
  const { columns } = decodeRows(encodeRows(rows), new Set([2]));
  assert.deepEqual([...columns], [[2, [6, 7]]]);
  assert.deepEqual(decodeRows(encodeRows(rows)).columns.get(1), [5, ABSENT]);
});

test('rows that were cut into parts are the same behind each other again', () => {
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), fc.nat(9), (list, size) => {
      const rows = rowsOf(list);
      const parts = splitRows(rows, size + 1).map((part) => decodeRows(encodeRows(part)));
      const again = concatRows(parts.toReversed());
      assert.deepEqual(again.times, rows.times);
      assert.deepEqual(again.indexes, rows.indexes);
      for (const [column, values] of withoutEmpty(rows).columns) {
        assert.deepEqual(again.columns.get(column), values);
      }
    }),
  );
});

test('a month of a thermometer takes about a byte a reading', () => {
  const rows = noRows();
  for (let at = 0; at < CHUNK_ROWS_MAX; at += 1) {
    const temperature = Math.round(210 + 30 * Math.sin(at / 500)) / 10;
    addRow(rows, { timeMs: 1.7e12 + at * 10_000, index: at * 100 }, [[0, temperature]]);
  }
  const bytes = encodeRows(rows).length;
  assert.ok(bytes < CHUNK_ROWS_MAX / 2, `${bytes} bytes`);
});

test('bytes that are no rows are refused, and never more than there may be', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
      try {
        decodeRows(Uint8Array.of(0, ...noise));
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
      }
    }),
  );
  const tooMany = Buffer.from([0, 0x81, 0x20]); // 4,097
  assert.throws(() => decodeRows(tooMany), /4097 rows/u);
});
