/** The forms of an export: NDJSON, CSV and Parquet, each written as the rows come. @module */
import type { ExportFormat } from '@holdfast/protocol/api';
import { ByteWriter, parquetWriteRows } from 'hyparquet-writer';
import type { Cell, Column, Row } from './export-rows.ts';
import { EXPORT_FLUSH_BYTES, EXPORT_ROW_GROUP } from './limits.ts';

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

/** Row group by row group: the next one is read when the one before was taken. */
async function* parquet(
  columns: readonly Column[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<Uint8Array> {
  const writer = new PieceWriter();
  const written = parquetWriteRows({
    writer,
    rows: parquetRows(columns, rows),
    columns: columns.map(({ name, type }) => ({ name, type, nullable: false })),
    rowGroupSize: EXPORT_ROW_GROUP,
    createdBy: 'holdfast',
  });
  const ended = Promise.resolve(written).then(
    () => writer.end(),
    (error: unknown) => writer.end(error),
  );
  try {
    yield* writer.pieces();
  } finally {
    writer.stop();
    await ended;
  }
}

async function* parquetRows(
  columns: readonly Column[],
  rows: AsyncIterable<Row>,
): AsyncGenerator<Record<string, unknown>> {
  const integers = columns.filter(({ type }) => type === 'INT64').map(({ name }) => name);
  for await (const row of rows) {
    const exact = integers.map((name) => [name, BigInt(Number(row[name]))]);
    yield { ...row, ...Object.fromEntries(exact) };
  }
}

/** Hands over what was written after each row group, and waits until it is taken. */
class PieceWriter extends ByteWriter {
  #piece: Uint8Array | undefined;
  #isEnded = false;
  #isStopped = false;
  #error: unknown;
  #wakeReader = (): void => {};
  #wakeWriter = (): void => {};

  async flush(): Promise<void> {
    this.#take();
    while (this.#piece !== undefined && !this.#isStopped) {
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    if (this.#isStopped) throw new Error('nobody reads the export any more');
  }

  end(error?: unknown): void {
    if (error === undefined) this.#take();
    this.#error = error;
    this.#isEnded = true;
    this.#wakeReader();
  }

  stop(): void {
    this.#isStopped = true;
    this.#wakeWriter();
  }

  async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = this.#piece;
      if (piece !== undefined) {
        this.#piece = undefined;
        this.#wakeWriter();
        yield piece;
        continue;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#isEnded) return;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  #take(): void {
    if (this.index === 0) return;
    const written = new Uint8Array(this.buffer.slice(0, this.index));
    this.#piece =
      this.#piece === undefined ? written : new Uint8Array(Buffer.concat([this.#piece, written]));
    this.index = 0;
    this.#wakeReader();
  }
}
