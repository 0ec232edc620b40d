/** The forms of an export: NDJSON, CSV and Parquet, each written as the rows come. @module */
import type { ExportFormat } from '@holdfast/protocol/api';
import type { Cell, Column, Row } from './export-rows.ts';
import { EXPORT_FLUSH_BYTES } from './limits.ts';

export const EXPORT_TYPES: Readonly<Record<ExportFormat, string>> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  parquet: 'application/vnd.apache.parquet',
};

/** Writes rows in a format; gives the bytes piece by piece. */
export function encodeExport(
  format: ExportFormat,
  columns: readonly Column[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<Uint8Array> {
  switch (format) {
    case 'ndjson':
      return inPieces(lines(rows, (row) => JSON.stringify(row)));
    case 'csv':
      return inPieces(csvLines(columns, rows));
    case 'parquet':
      return parquet(columns, rows);
  }
}

async function* lines(
  rows: AsyncIterable<Row>,
  write: (row: Row) => string,
): AsyncGenerator<string> {
  for await (const row of rows) yield `${write(row)}\n`;
}

/** RFC 4180: fields that need it in quotes, lines end in CRLF, the first one names the columns. */
async function* csvLines(
  columns: readonly Column[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<string> {
  yield `${columns.map(({ name }) => csvCell(name)).join(',')}\r\n`;
  for await (const row of rows) {
    yield `${columns.map(({ name }) => csvCell(row[name] ?? '')).join(',')}\r\n`;
  }
}

/**
 * One field of CSV. A spreadsheet would run a text as a formula that begins so: a device or a
 * person chose it, so an apostrophe makes it text, as OWASP advises for CSV injection.
 */
export function csvCell(cell: Cell): string {
  if (typeof cell === 'number') return String(cell);
  if (cell instanceof Date) return cell.toISOString();
  const safe =
    /^[\t\r\n ]*[=+\-@＝＋－＠]/u.test(cell) || /^[\t\r]/u.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

async function* inPieces(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  let gathered = '';
  for await (const text of texts) {
    gathered += text;
    if (gathered.length < EXPORT_FLUSH_BYTES) continue;
    yield Buffer.from(gathered, 'utf8');
    gathered = '';
  }
  if (gathered !== '') yield Buffer.from(gathered, 'utf8');
}

/** Its writer is loaded when somebody wants it: fifty modules, at each start otherwise. */
async function* parquet(
  columns: readonly Column[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<Uint8Array> {
  const { writeParquet } = await import('./export-parquet.ts');
  yield* writeParquet(columns, rows);
}
