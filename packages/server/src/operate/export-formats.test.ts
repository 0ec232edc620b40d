import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { csvCell, encodeExport } from './export-formats.ts';
import { EXPORT_COLUMNS, type Row } from './export-rows.ts';
import { EXPORT_ROW_GROUP } from './limits.ts';

const AT = new Date('2026-11-21T03:00:00.000Z');

function rowAt(index: number): Row {
  return { index, at: AT, device: 'pump-1', topic: 'd/pump-1/telemetry', kid: 'k', payload: '{}' };
}

async function* rowsOf(count: number): AsyncGenerator<Row> {
  for (let index = 0; index < count; index += 1) yield rowAt(index);
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

test('Parquet is read back by another reader, with its types, over several row groups', async () => {
  for (const count of [0, 1, EXPORT_ROW_GROUP + 1]) {
    const bytes = await bytesOf(encodeExport('parquet', EXPORT_COLUMNS.readings, rowsOf(count)));
    const file = new Uint8Array(bytes).buffer;
    const rows = await parquetReadObjects({ file });
    assert.equal(rows.length, count);
    const last = rows.at(-1);
    if (last === undefined) continue;
    assert.deepEqual(last, { ...rowAt(count - 1), index: BigInt(count - 1) });
  }
});

test('Parquet is written as it is read: a reader that leaves ends the reading of rows', async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Row> {
    for (;;) yield rowAt((read += 1));
  }
  const pieces = encodeExport('parquet', EXPORT_COLUMNS.readings, endless());
  const first = await pieces.next();
  assert.ok(first.done !== true && first.value.length > 0);
  await pieces.return(undefined);
  assert.ok(read <= 3 * EXPORT_ROW_GROUP, `${read} rows were read`);
});

test('an error in the rows is an error of the export, in each format', async () => {
  async function* broken(): AsyncGenerator<Row> {
    yield rowAt(1);
    throw new Error('the access has ended');
  }
  for (const format of ['ndjson', 'csv', 'parquet'] as const) {
    const bytes = bytesOf(encodeExport(format, EXPORT_COLUMNS.readings, broken()));
    await assert.rejects(bytes, /the access has ended/u, format);
  }
});

test('NDJSON and CSV have a line for each row', async () => {
  const ndjson = await bytesOf(encodeExport('ndjson', EXPORT_COLUMNS.readings, rowsOf(2)));
  const lines = ndjson.toString('utf8').trimEnd().split('\n');
  assert.deepEqual(JSON.parse(lines[1] ?? ''), { ...rowAt(1), at: AT.toISOString() });
  const csv = await bytesOf(encodeExport('csv', EXPORT_COLUMNS.readings, rowsOf(2)));
  assert.equal(
    csv.toString('utf8'),
    'index,at,device,topic,kid,payload\r\n' +
      `0,${AT.toISOString()},pump-1,d/pump-1/telemetry,k,{}\r\n` +
      `1,${AT.toISOString()},pump-1,d/pump-1/telemetry,k,{}\r\n`,
  );
});

test('no text of CSV begins a formula, and a reader gets the text back', () => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '=a"b']) {
    assert.match(csvCell(text), /^"?'/u, JSON.stringify(text));
  }
  assert.equal(csvCell(-5), '-5', 'a number is a number');
  assert.equal(csvCell('a "b", c'), '"a ""b"", c"');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const cell = csvCell(text);
      const plain = cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell;
      assert.ok(!/^[=+\-@\t\r]/u.test(plain));
      assert.ok(plain === text || plain === `'${text}`);
      if (!cell.startsWith('"')) assert.doesNotMatch(cell, /[",\r\n]/u);
    }),
  );
});
