import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { Chunker } from './chunker.ts';

const SIZES = { min: 200, typical: 400, max: 800 };

function cut(rows: readonly { key: string; bytes: Buffer }[]): Buffer[] {
  const chunker = new Chunker(SIZES);
  const chunks = rows.flatMap(({ key, bytes }) => chunker.add(bytes, Buffer.from(key)));
  const rest = chunker.end();
  return rest === undefined ? chunks : [...chunks, rest];
}

function rowsOf(count: number): { key: string; bytes: Buffer }[] {
  return Array.from({ length: count }, (_, n) => ({
    key: `row ${n}`,
    bytes: hash('sha512', String(n), 'buffer').subarray(0, 20 + (n % 40)),
  }));
}

test('the chunks are the rows, one behind the other, within their bounds', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 200 }), (sizes) => {
      const rows = sizes.map((size, n) => ({ key: `${n}`, bytes: Buffer.alloc(size, n) }));
      const chunks = cut(rows);
      assert.deepEqual(Buffer.concat(chunks), Buffer.concat(rows.map(({ bytes }) => bytes)));
      for (const [at, chunk] of chunks.entries()) {
        const isOneLargeRow = sizes.includes(chunk.length);
        assert.ok(chunk.length <= SIZES.max || isOneLargeRow, `${chunk.length} bytes`);
        const next = chunks[at + 1];
        const isBeforeLargeRow = next !== undefined && chunk.length + next.length > SIZES.max;
        assert.ok(chunk.length >= SIZES.min || next === undefined || isBeforeLargeRow);
      }
    }),
  );
});

test('a row that is added, changed or removed changes the chunks beside it alone', () => {
  const rows = rowsOf(2_000);
  const before = new Set(cut(rows).map((chunk) => chunk.toString('hex')));
  const changes = [
    rows.toSpliced(1_000, 0, { key: 'new', bytes: Buffer.alloc(30, 1) }),
    rows.toSpliced(1_000, 1),
    rows.toSpliced(1_000, 1, { key: 'row 1000', bytes: Buffer.alloc(1) }),
    [...rows, { key: 'last', bytes: Buffer.alloc(30, 1) }],
  ];
  for (const changed of changes) {
    const fresh = cut(changed).filter((chunk) => !before.has(chunk.toString('hex')));
    assert.ok(fresh.length >= 1 && fresh.length <= 8, `${fresh.length} of ${before.size}`);
  }
});

test('rows of nothing give no chunk', () => {
  assert.equal(new Chunker(SIZES).end(), undefined);
});
