/** The database of the series: sealed directories and chunks under numbers. @module */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { deriveKey, open, seal } from '../../crypto/thread.ts';
import { type RandomBytes, Secret } from '../../kernel/index.ts';
import { openDatabase } from '../../persistence/thread.ts';
import { ByteReader, ByteWriter } from './byte-writer.ts';
import { decodeRows, encodeRows } from './encode-rows.ts';
import type { Rows } from './rows.ts';

const SERIES_VERSION = 1;
const SERIES_SCHEMA = `
  CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), next INTEGER NOT NULL) STRICT;
  CREATE TABLE directory (key_ref INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key_ref INTEGER NOT NULL,
    stream INTEGER NOT NULL,
    level INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    head BLOB NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX chunk_place ON chunk (key_ref, stream, level, tier);`;

/** The key under which what one data key sealed in the log is sealed here, too. */
export interface SeriesKey {
  readonly ref: number;
  readonly bytes: Uint8Array;
}

/** Derives it: with the data key, it is gone. */
export function seriesKey(ref: number, dataKey: Uint8Array): SeriesKey {
  return { ref, bytes: deriveKey(new Secret(dataKey), 'holdfast/series/v1').expose() };
}

/** Which chunks: those of a stream and a level; of a tier, or of all. */
export interface ChunkPlace {
  readonly stream: number;
  readonly level: number;
  readonly tier?: number;
}

/** What is known of a chunk without opening it whole. */
export interface ChunkHead {
  readonly id: number;
  readonly stream: number;
  readonly level: number;
  readonly tier: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly minIndex: number;
  readonly maxIndex: number;
  readonly rows: number;
}

/** The database, and the statements on it. */
export class SeriesFile {
  readonly database: DatabaseSync;
  readonly #random: RandomBytes;
  readonly #cache = new Map<string, StatementSync>();

  private constructor(database: DatabaseSync, random: RandomBytes) {
    this.database = database;
    this.#random = random;
  }

  /** Opens or makes the file, for one thread to write. @throws Fault as `openDatabase`. */
  static open(path: string, random: RandomBytes): SeriesFile {
    const database = openDatabase(path, { schema: SERIES_SCHEMA, version: SERIES_VERSION });
    // What a crash takes away with its progress is made of the log again.
    database.exec('PRAGMA synchronous = NORMAL');
    return new SeriesFile(database, random);
  }

  /** Opens it beside the one who writes. */
  static openReadOnly(path: string, random: RandomBytes): SeriesFile {
    return new SeriesFile(new DatabaseSync(path, { readOnly: true }), random);
  }

  /** Index of the first entry of the log that is not taken in. */
  get next(): number {
    return Number(this.#statement('SELECT next FROM progress').get()?.['next'] ?? 0);
  }

  setNext(next: number): void {
    const sql = 'INSERT INTO progress VALUES (1, ?) ON CONFLICT DO UPDATE SET next = excluded.next';
    this.#statement(sql).run(next);
  }

  /** Numbers of all data keys of which there is something. */
  keyRefs(): number[] {
    const rows = this.#statement('SELECT key_ref FROM directory ORDER BY key_ref').all();
    return rows.map((row) => Number(row['key_ref']));
  }

  /** The directory of a key. @throws Fault `E_CRYPTO_OPEN`. */
  readDirectory({ ref, bytes }: SeriesKey): string | undefined {
    const row = this.#statement('SELECT sealed FROM directory WHERE key_ref = ?').get(ref);
    if (row === undefined) return undefined;
    return open(blob(row['sealed']), { key: bytes, aad: context('directory', ref, 0) }).toString();
  }

  writeDirectory({ ref, bytes }: SeriesKey, text: string): void {
    const aad = context('directory', ref, 0);
    const sealed = seal(Buffer.from(text), { key: bytes, aad, random: this.#random });
    const sql =
      'INSERT INTO directory VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed';
    this.#statement(sql).run(ref, sealed);
  }

  addChunk(key: SeriesKey, { stream, level, tier = 0 }: ChunkPlace, rows: Rows): void {
    // The number is part of what the content is bound to, so it has to be known first.
    const { lastInsertRowid } = this.#statement(
      `INSERT INTO chunk (key_ref, stream, level, tier, head, body) VALUES (?, ?, ?, ?, x'', x'')`,
    ).run(key.ref, stream, level, tier);
    this.replaceChunk(key, Number(lastInsertRowid), rows);
  }

  replaceChunk({ ref, bytes }: SeriesKey, id: number, rows: Rows): void {
    const sealed = (part: 'head' | 'body', plain: Uint8Array): Buffer =>
      seal(plain, { key: bytes, aad: context(part, ref, id), random: this.#random });
    this.#statement('UPDATE chunk SET head = ?, body = ? WHERE id = ?').run(
      sealed('head', encodeHead(rows)),
      sealed('body', encodeRows(rows)),
      id,
    );
  }

  removeChunk(id: number): void {
    this.#statement('DELETE FROM chunk WHERE id = ?').run(id);
  }

  /** The chunks of a place, oldest first. @throws Fault `E_CRYPTO_OPEN`. */
  heads(key: SeriesKey, { stream, level, tier }: ChunkPlace): ChunkHead[] {
    const sql = 'SELECT id, tier, head FROM chunk WHERE key_ref = ? AND stream = ? AND level = ?';
    const rows =
      tier === undefined
        ? this.#statement(`${sql} ORDER BY id`).all(key.ref, stream, level)
        : this.#statement(`${sql} AND tier = ? ORDER BY id`).all(key.ref, stream, level, tier);
    return rows.map((row) => {
      const id = Number(row['id']);
      const aad = context('head', key.ref, id);
      const head = open(blob(row['head']), { key: key.bytes, aad });
      return decodeHead(head, { id, stream, level, tier: Number(row['tier']) });
    });
  }

  /** The rows of a chunk; of the columns those that are wanted. @throws Fault `E_CRYPTO_OPEN`. */
  rows(key: SeriesKey, id: number, wanted?: ReadonlySet<number>): Rows {
    const row = this.#statement('SELECT body FROM chunk WHERE id = ?').get(id);
    const aad = context('body', key.ref, id);
    return decodeRows(open(blob(row?.['body']), { key: key.bytes, aad }), wanted);
  }

  /** Removes everything that stands under a key. */
  remove(keyRef: number): void {
    this.#statement('DELETE FROM directory WHERE key_ref = ?').run(keyRef);
    this.#statement('DELETE FROM chunk WHERE key_ref = ?').run(keyRef);
  }

  /** Forgets everything: the log has to be read again. */
  clear(): void {
    for (const table of ['progress', 'directory', 'chunk'])
      this.database.exec(`DELETE FROM ${table}`);
  }

  /** Leaves nothing of what was removed in the write-ahead log, unless somebody reads just now. */
  scrub(): void {
    this.#statement('PRAGMA wal_checkpoint(TRUNCATE)').get();
  }

  close(): void {
    this.database.close();
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

/** Binds what is sealed to its place: what was moved does not open. */
function context(what: 'directory' | 'head' | 'body', keyRef: number, id: number): Buffer {
  return Buffer.from(`holdfast/series/v1/${what}/${keyRef}/${id}`, 'latin1');
}

function blob(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(0);
}

function encodeHead({ times, indexes }: Rows): Buffer {
  const writer = new ByteWriter();
  const [minMs, maxMs] = boundsOf(times);
  const [minIndex, maxIndex] = boundsOf(indexes);
  const numbers = [minMs, maxMs - minMs, minIndex, maxIndex - minIndex, times.length];
  for (const number of numbers) writer.varint(number);
  return writer.written;
}

function decodeHead(
  bytes: Uint8Array,
  place: Pick<ChunkHead, 'id' | 'stream' | 'level' | 'tier'>,
): ChunkHead {
  const reader = new ByteReader(bytes);
  const minMs = reader.varint();
  const maxMs = minMs + reader.varint();
  const minIndex = reader.varint();
  const maxIndex = minIndex + reader.varint();
  return { ...place, minMs, maxMs, minIndex, maxIndex, rows: reader.varint() };
}

function boundsOf(values: readonly number[]): [min: number, max: number] {
  let [min, max] = [values[0] ?? 0, values[0] ?? 0];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}
