/** The database of the audit log, and the statements on it. @module */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { HASH_BYTES, type Tile } from '@holdfast/protocol/merkle';
import { openDatabase, openDatabaseReadOnly } from '../persistence/index.ts';

const LOG_VERSION = 1;
const LOG_SCHEMA = `
  CREATE TABLE batch (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE segment (
    key_ref INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    PRIMARY KEY (key_ref, batch)
  ) STRICT, WITHOUT ROWID;
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
    const { database, close } = openDatabaseReadOnly(path);
    return new LogFiles(database, close);
  }

  insertBatch({ first, count, sealed }: StoredBatch, keyRefs: Iterable<number>): void {
    this.#statement('INSERT INTO batch VALUES (?, ?, ?)').run(first, count, sealed);
    const insertSegment = this.#statement('INSERT INTO segment VALUES (?, ?)');
    for (const keyRef of keyRefs) insertSegment.run(keyRef, first);
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

  /** Where the next batch behind `first` starts, read without its content. */
  batchFirstAfter(first: number): number | undefined {
    const row = this.#statement(
      'SELECT first FROM batch WHERE first > ? ORDER BY first LIMIT 1',
    ).get(first);
    return row === undefined ? undefined : Number(row['first']);
  }

  /** The last batch that starts before `before` and has a segment of this key. */
  batchOfKeyBefore(keyRef: number, before: number): StoredBatch | undefined {
    const row = this.#statement(
      `SELECT first, count, sealed FROM batch WHERE first =
         (SELECT max(batch) FROM segment WHERE key_ref = ? AND batch < ?)`,
    ).get(keyRef, before);
    return row === undefined ? undefined : asBatch(row);
  }

  /** Whether the index leads from this key to this batch. */
  isIndexed(keyRef: number, batchFirst: number): boolean {
    const row = this.#statement('SELECT 1 FROM segment WHERE key_ref = ? AND batch = ?');
    return row.get(keyRef, batchFirst) !== undefined;
  }

  /** Rows of the index. */
  indexedCount(): number {
    return Number(this.#statement('SELECT count(*) AS rows FROM segment').get()?.['rows']);
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
