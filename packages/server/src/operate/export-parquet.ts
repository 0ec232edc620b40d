/** An export as Parquet. @module */
import { ByteWriter, parquetWriteRows } from 'hyparquet-writer';
import type { Column, Row } from './export-rows.ts';
import { EXPORT_ROW_GROUP } from './limits.ts';

/** Row group by row group: the next one is read when the one before was taken. */
export async function* writeParquet(
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
