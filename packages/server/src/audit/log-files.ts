/** The database of the audit log, and the statements on it. @module */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { HASH_BYTES, type Tile } from '@holdfast/protocol/merkle';
import { openDatabase, openDatabaseReadOnly, openReader } from '../persistence/thread.ts';
import type { IndexRow } from './segment-index.ts';

const LOG_VERSION = 4;
/** A batch in a row of the index: a 48-bit number. */
const INDEX_BYTES = 6;
const LOG_SCHEMA = `
  CREATE TABLE batch (
    first INTEGER PRIMARY KEY, count INTEGER NOT NULL, sealed BLOB NOT NULL, layout BLOB NOT NULL
  ) STRICT;
  CREATE TABLE segment (
    key_ref INTEGER NOT NULL,
    first INTEGER NOT NULL,
    batches BLOB NOT NULL,
    PRIMARY KEY (key_ref, first)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE indexed (id INTEGER PRIMARY KEY CHECK (id = 1), until INTEGER NOT NULL) STRICT;
  CREATE TABLE expiry (
    key_ref INTEGER PRIMARY KEY, done INTEGER NOT NULL, before INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE expiring (id INTEGER PRIMARY KEY CHECK (id = 1), next INTEGER NOT NULL) STRICT;
  CREATE TABLE tile (place INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;
  CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;`;
/** The place of a tile is level times this, and its position: tiles of a level stand together. */
const TILES_OF_LEVEL = 2 ** 48;
const LOG_FORMAT = { schema: LOG_SCHEMA, version: LOG_VERSION };

/** One group commit as it is stored. */
export interface StoredBatch {
  /** Index of its first entry. */
  readonly first: number;
  readonly count: number;
  /** The segments, one behind the other. */
  readonly sealed: Uint8Array;
  /** Which data key sealed which entry, see `batch-layout.ts`. */
  readonly layout: Uint8Array;
}

/** What is to expire of the segments of a key, as it is stored. */
export interface StoredExpiry {
  readonly keyRef: number;
  /** Every segment in a batch before this one has expired. */
  readonly done: number;
  /** The same is to be true of this batch. */
  readonly before: number;
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
    const database = openDatabase(path, LOG_FORMAT);
    return new LogFiles(database, () => database.close());
  }

  static openReadOnly(path: string): LogFiles {
    const { database, close } = openDatabaseReadOnly(path, LOG_FORMAT);
    return new LogFiles(database, close);
  }

  /** Opens the log to read it beside the thread that writes it: sees what that one commits. */
  static openLive(path: string): LogFiles {
    const database = openReader(path, LOG_FORMAT);
    return new LogFiles(database, () => database.close());
  }

  insertBatch({ first, count, sealed, layout }: StoredBatch): void {
    this.#statement('INSERT INTO batch VALUES (?, ?, ?, ?)').run(first, count, sealed, layout);
  }

  writeTile({ level, index, hashes }: Tile): void {
    this.#statement(
      'INSERT INTO tile VALUES (?, ?) ON CONFLICT DO UPDATE SET hashes = excluded.hashes',
    ).run(level * TILES_OF_LEVEL + index, hashes);
  }

  readTile(level: number, index: number): Uint8Array | undefined {
    const place = level * TILES_OF_LEVEL + index;
    const row = this.#statement('SELECT hashes FROM tile WHERE place = ?').get(place);
    return row?.['hashes'] instanceof Uint8Array ? row['hashes'] : undefined;
  }

  /** Every tile that is stored, as level and position. */
  tilePlaces(): { level: number; index: number; width: number }[] {
    return this.#statement('SELECT place, length(hashes) AS bytes FROM tile')
      .all()
      .map((row) => ({
        level: Math.floor(Number(row['place']) / TILES_OF_LEVEL),
        index: Number(row['place']) % TILES_OF_LEVEL,
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

  /** The smallest checkpoint of this size or a larger one. */
  checkpointFrom(size: number): StoredCheckpoint | undefined {
    const row = this.#statement(
      'SELECT size, note FROM checkpoint WHERE size >= ? ORDER BY size LIMIT 1',
    ).get(size);
    if (row === undefined) return undefined;
    requireOrder(Number(row['size']) >= size);
    return asCheckpoint(row);
  }

  /** The largest checkpoint below this size. */
  checkpointBefore(size: number): StoredCheckpoint | undefined {
    const row = this.#statement(
      'SELECT size, note FROM checkpoint WHERE size < ? ORDER BY size DESC LIMIT 1',
    ).get(size);
    if (row === undefined) return undefined;
    requireOrder(Number(row['size']) < size);
    return asCheckpoint(row);
  }

  /** The first batch that starts at `first` or later. */
  batchFrom(first: number): StoredBatch | undefined {
    const row = this.#statement('SELECT * FROM batch WHERE first >= ? ORDER BY first LIMIT 1').get(
      first,
    );
    if (row === undefined) return undefined;
    requireOrder(Number(row['first']) >= first);
    return asBatch(row);
  }

  /** The last batch that starts at `index` or before. */
  batchAt(index: number): StoredBatch | undefined {
    const row = this.#statement(
      'SELECT * FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1',
    ).get(index);
    return row === undefined ? undefined : asBatch(row);
  }

  /** Batches that begin before `end`, as a walk through the whole table finds them. */
  batchCount(end: number): number {
    const sql = 'SELECT count(*) AS rows FROM batch WHERE +first < ?';
    return Number(this.#statement(sql).get(end)?.['rows']);
  }

  /** Where the next batch behind `first` starts, read without its content. */
  batchFirstAfter(first: number): number | undefined {
    const row = this.#statement(
      'SELECT first FROM batch WHERE first > ? ORDER BY first LIMIT 1',
    ).get(first);
    if (row === undefined) return undefined;
    requireOrder(Number(row['first']) > first);
    return Number(row['first']);
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

  /** Whether a row of a key stands where its first batch does. */
  hasIndexRow(keyRef: number, first: number): boolean {
    const sql = 'SELECT 1 FROM segment WHERE key_ref = ? AND first = ?';
    return this.#statement(sql).get(keyRef, first) !== undefined;
  }

  /** Pairs of key and batch in the index, and rows of it. */
  indexedCount(): { pairs: number; rows: number } {
    const sql = `SELECT coalesce(sum(length(batches)), 0) AS bytes, count(*) AS rows FROM segment`;
    const counted = this.#statement(sql).get();
    return { pairs: Number(counted?.['bytes']) / INDEX_BYTES, rows: Number(counted?.['rows']) };
  }

  /** Where the batch begins that has the entry at `index`, or the last one, and its entries. */
  spanAt(index: number): { first: number; count: number } | undefined {
    const row = this.#statement(
      'SELECT first, count FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1',
    ).get(index);
    return row && { first: Number(row['first']), count: Number(row['count']) };
  }

  /** Puts other segments into a batch; in a transaction. */
  replaceBatch(batch: StoredBatch): void {
    // No UPDATE: SQLite joins pages that have become nearly empty only after a DELETE, and pages
    // in the middle of the log are never filled up again.
    this.#statement('DELETE FROM batch WHERE first = ?').run(batch.first);
    this.insertBatch(batch);
  }

  /** Before this batch, every segment of a key has expired. */
  expiredUntil(keyRef: number): number {
    const row = this.#statement('SELECT done FROM expiry WHERE key_ref = ?').get(keyRef);
    return Number(row?.['done'] ?? 0);
  }

  planExpiry({ keyRef, done, before }: StoredExpiry): void {
    this.#statement(
      `INSERT INTO expiry VALUES (?, ?, ?) ON CONFLICT DO UPDATE
        SET done = excluded.done, before = max(before, excluded.before)`,
    ).run(keyRef, done, before);
  }

  /** What is planned and not done. */
  pendingExpiries(): StoredExpiry[] {
    return this.expiries().filter(({ done, before }) => done < before);
  }

  /** What was planned of each key at last, done or not. */
  expiries(): StoredExpiry[] {
    return this.#statement('SELECT * FROM expiry')
      .all()
      .map((row) => ({
        keyRef: Number(row['key_ref']),
        done: Number(row['done']),
        before: Number(row['before']),
      }));
  }

  /** Rows that no code of ours writes, in the tables that have one row or none. */
  strayRows(): number {
    const sql = `SELECT (SELECT count(*) FROM indexed WHERE id IS NOT 1) +
      (SELECT count(*) FROM expiring WHERE id IS NOT 1) AS rows`;
    return Number(this.#statement(sql).get()?.['rows']);
  }

  /** Up to which batch all that is planned has been done; undefined when no run has begun. */
  expiryProgress(): number | undefined {
    const row = this.#statement('SELECT next FROM expiring').get();
    return row && Number(row['next']);
  }

  setExpiryProgress(next: number): void {
    this.#statement(
      'INSERT INTO expiring VALUES (1, ?) ON CONFLICT DO UPDATE SET next = excluded.next',
    ).run(next);
  }

  /** Notes with each key how far a run has come, so that more can be planned. */
  foldExpiryProgress(next: number): void {
    this.#statement('UPDATE expiry SET done = min(before, max(done, ?)) WHERE done < before').run(
      next,
    );
    this.#statement('DELETE FROM expiring').run();
  }

  /** All that was planned is done. */
  finishExpiries(): void {
    this.#statement('UPDATE expiry SET done = before WHERE done < before').run();
    this.#statement('DELETE FROM expiring').run();
  }

  /**
   * Empties the write-ahead log, in which the former state of what changed still stands. Does
   * nothing while somebody reads.
   */
  emptyWriteAheadLog(): void {
    this.#statement('PRAGMA wal_checkpoint(TRUNCATE)').get();
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

/** A damaged page leads a search to a place where it was before: whoever goes on would never end. */
function requireOrder(isInOrder: boolean): void {
  if (!isInOrder) throw new Error('the rows are not in their order: a page is malformed');
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
  return {
    first: Number(row['first']),
    count: Number(row['count']),
    sealed: asBytes(row['sealed']),
    layout: asBytes(row['layout']),
  };
}

function asBytes(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}

function asCheckpoint(row: Record<string, unknown>): StoredCheckpoint {
  return { size: Number(row['size']), note: String(row['note']) };
}
