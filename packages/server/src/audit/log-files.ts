/** The database of the audit log, and the statements on it. @module */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { HASH_BYTES, type Tile } from '@holdfast/protocol/merkle';
import { openDatabase, openDatabaseReadOnly } from '../persistence/index.ts';
import type { IndexRow } from './segment-index.ts';

const LOG_VERSION = 2;
/** A batch in a row of the index: a 48-bit number. */
const INDEX_BYTES = 6;
const LOG_SCHEMA = `
  CREATE TABLE batch (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE segment (
    key_ref INTEGER NOT NULL,
    first INTEGER NOT NULL,
    batches BLOB NOT NULL,
    PRIMARY KEY (key_ref, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE indexed (id INTEGER PRIMARY KEY CHECK (id = 1), until INTEGER NOT NULL) STRICT;
  CREATE TABLE tile (
    level INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;`;

/** One group commit as it is stored. */
export interface StoredBatch {
  /** Index of its first entry. */
  readonly first: number;
  readonly count: number;
  /** The segments, one behind the other. */
  readonly sealed: Uint8Array;
}

/** A checkpoint as it is stored. */
export interface StoredCheckpoint {
  readonly size: number;
  /** Signed note; see `verifyCheckpoint`. */
  readonly note: string;
}

/** Reads and writes the rows of the log; knows nothing of what they mean. */
export class LogFiles {
  readonly database: DatabaseSync;
  readonly close: () => void;
  readonly #cache = new Map<string, StatementSync>();

  private constructor(database: DatabaseSync, close: () => void) {
    this.database = database;
    this.close = close;
  }

  static open(path: string): LogFiles {
    const database = openDatabase(path, { schema: LOG_SCHEMA, version: LOG_VERSION });
    return new LogFiles(database, () => database.close());
  }

  static openReadOnly(path: string): LogFiles {
    const { database, close } = openDatabaseReadOnly(path, LOG_VERSION);
    return new LogFiles(database, close);
  }

  insertBatch({ first, count, sealed }: StoredBatch): void {
    this.#statement('INSERT INTO batch VALUES (?, ?, ?)').run(first, count, sealed);
  }

  writeTile({ level, index, hashes }: Tile): void {
    this.#statement(
      'INSERT INTO tile VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET hashes = excluded.hashes',
    ).run(level, index, hashes);
  }

  readTile(level: number, index: number): Uint8Array | undefined {
    const row = this.#statement('SELECT hashes FROM tile WHERE level = ? AND position = ?').get(
      level,
      index,
    );
    return row?.['hashes'] instanceof Uint8Array ? row['hashes'] : undefined;
  }

  /** Every tile that is stored, as level and position. */
  tilePlaces(): { level: number; index: number; width: number }[] {
    return this.#statement('SELECT level, position, length(hashes) AS bytes FROM tile')
      .all()
      .map((row) => ({
        level: Number(row['level']),
        index: Number(row['position']),
        width: Number(row['bytes']) / HASH_BYTES,
      }));
  }

  insertCheckpoint({ size, note }: StoredCheckpoint): void {
    this.#statement(
      'INSERT INTO checkpoint VALUES (?, ?) ON CONFLICT DO UPDATE SET note = excluded.note',
    ).run(size, note);
  }

  removeCheckpoint(size: number): void {
    this.#statement('DELETE FROM checkpoint WHERE size = ?').run(size);
  }

  /** All checkpoints, smallest size first. */
  checkpoints(): StoredCheckpoint[] {
    return this.#statement('SELECT size, note FROM checkpoint ORDER BY size')
      .all()
      .map(asCheckpoint);
  }

  latestCheckpoint(): StoredCheckpoint | undefined {
    const row = this.#statement(
      'SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1',
    ).get();
    return row === undefined ? undefined : asCheckpoint(row);
  }

  /** The first batch that starts at `first` or later. */
  batchFrom(first: number): StoredBatch | undefined {
    const row = this.#statement(
      'SELECT first, count, sealed FROM batch WHERE first >= ? ORDER BY first LIMIT 1',
    ).get(first);
    return row === undefined ? undefined : asBatch(row);
  }

  /** The last batch that starts at `index` or before. */
  batchAt(index: number): StoredBatch | undefined {
    const row = this.#statement(
      'SELECT first, count, sealed FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1',
    ).get(index);
    return row === undefined ? undefined : asBatch(row);
  }

  /** Where the next batch behind `first` starts, read without its content. */
  batchFirstAfter(first: number): number | undefined {
    const row = this.#statement(
      'SELECT first FROM batch WHERE first > ? ORDER BY first LIMIT 1',
    ).get(first);
    return row === undefined ? undefined : Number(row['first']);
  }

  /** Adds a row to the index. */
  insertIndex({ keyRef, batches }: IndexRow): void {
    const bytes = Buffer.allocUnsafe(batches.length * INDEX_BYTES);
    for (const [at, first] of batches.entries()) {
      bytes.writeUIntBE(first, at * INDEX_BYTES, INDEX_BYTES);
    }
    this.#statement('INSERT INTO segment VALUES (?, ?, ?)').run(keyRef, batches[0] ?? 0, bytes);
  }

  /** Notes that the index covers all batches before `until`. */
  markIndexed(until: number): void {
    this.#statement(
      'INSERT INTO indexed VALUES (1, ?) ON CONFLICT DO UPDATE SET until = excluded.until',
    ).run(until);
  }

  /** Index of the first batch that the index does not cover. */
  indexedUntil(): number {
    return Number(this.#statement('SELECT until FROM indexed').get()?.['until'] ?? 0);
  }

  /** The last row of a key that begins before `before`. */
  indexBefore(keyRef: number, before: number): IndexRow | undefined {
    const row = this.#statement(
      'SELECT batches FROM segment WHERE key_ref = ? AND first < ? ORDER BY first DESC LIMIT 1',
    ).get(keyRef, before);
    return row === undefined ? undefined : asIndexRow(keyRef, row);
  }

  /** The first row of a key that begins at `first` or later. */
  indexFrom(keyRef: number, first: number): IndexRow | undefined {
    const row = this.#statement(
      'SELECT batches FROM segment WHERE key_ref = ? AND first >= ? ORDER BY first LIMIT 1',
    ).get(keyRef, first);
    return row === undefined ? undefined : asIndexRow(keyRef, row);
  }

  /** Pairs of key and batch in the index. */
  indexedCount(): number {
    const sql = `SELECT coalesce(sum(length(batches)), 0) AS bytes FROM segment`;
    return Number(this.#statement(sql).get()?.['bytes']) / INDEX_BYTES;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#cache.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.#cache.set(sql, statement);
    }
    return statement;
  }
}

function asIndexRow(keyRef: number, row: Record<string, unknown>): IndexRow {
  const stored = row['batches'];
  if (!(stored instanceof Uint8Array)) return { keyRef, batches: [] };
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength);
  const count = Math.floor(bytes.length / INDEX_BYTES);
  const batches = Array.from({ length: count }, (_, at) =>
    bytes.readUIntBE(at * INDEX_BYTES, INDEX_BYTES),
  );
  return { keyRef, batches };
}

function asBatch(row: Record<string, unknown>): StoredBatch {
  const sealed = row['sealed'];
  return {
    first: Number(row['first']),
    count: Number(row['count']),
    sealed: sealed instanceof Uint8Array ? sealed : new Uint8Array(0),
  };
}

function asCheckpoint(row: Record<string, unknown>): StoredCheckpoint {
  return { size: Number(row['size']), note: String(row['note']) };
}
