/** Records whose names and content the database never sees. @module */
import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { ZodType } from 'zod';
import { deriveKey, open, seal } from '../crypto/index.ts';
import type { RandomBytes, SecretBytes } from '../kernel/index.ts';
import { openDatabase, transaction } from './database.ts';
import { KEYRING_SCHEMA, Keyring, type KeyringCustody } from './keyring.ts';

/** Version of the schema of the registry's file. */
export const STORE_VERSION = 1;
const STORE_SCHEMA = `${KEYRING_SCHEMA}
  CREATE TABLE record (
    collection TEXT NOT NULL,
    lookup BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (collection, lookup)
  ) STRICT, WITHOUT ROWID;`;

/** One kind of record, by id. Writes are on the disk when they return. */
export interface Collection<T> {
  read(id: string): T | undefined;
  write(id: string, value: T): void;
  remove(id: string): void;
  /** All records, in no particular order. */
  all(): T[];
}

/** The sealed store of one data folder: keys, and records under them. */
export class SealedStore {
  readonly keyring: Keyring;
  readonly #database: DatabaseSync;
  readonly #random: RandomBytes;
  readonly #recordKey: SecretBytes;
  readonly #indexKey: SecretBytes;

  /** Opens or creates the store for this process alone. */
  constructor(path: string, custody: KeyringCustody) {
    this.#database = openDatabase(path, { schema: STORE_SCHEMA, version: STORE_VERSION });
    this.#random = custody.random;
    try {
      this.keyring = new Keyring(this.#database, custody);
    } catch (error) {
      this.#database.close();
      throw error;
    }
    const root = this.keyring.only('records').key;
    this.#recordKey = deriveKey(root, 'holdfast/record/v1');
    this.#indexKey = deriveKey(root, 'holdfast/blind-index/v1');
  }

  /**
   * A collection of records of one shape. `name` stands in the clear in the database.
   * What is read is checked against `schema`, so that an old or foreign shape cannot pass.
   */
  collection<T>(name: string, schema: ZodType<T>): Collection<T> {
    const select = this.#database.prepare(
      'SELECT sealed FROM record WHERE collection = ? AND lookup = ?',
    );
    const selectAll = this.#database.prepare(
      'SELECT lookup, sealed FROM record WHERE collection = ?',
    );
    const upsert = this.#database.prepare(
      'INSERT INTO record VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed',
    );
    const remove = this.#database.prepare('DELETE FROM record WHERE collection = ? AND lookup = ?');
    const parse = (lookup: unknown, sealed: unknown): T =>
      schema.parse(JSON.parse(this.#open(name, lookup, sealed)));
    return {
      read: (id) => {
        const lookup = this.#lookup(name, id);
        const row = select.get(name, lookup);
        return row === undefined ? undefined : parse(lookup, row['sealed']);
      },
      write: (id, value) => {
        const lookup = this.#lookup(name, id);
        upsert.run(name, lookup, this.#seal(name, lookup, JSON.stringify(value)));
      },
      remove: (id) => {
        remove.run(name, this.#lookup(name, id));
      },
      all: () => selectAll.all(name).map((row) => parse(row['lookup'], row['sealed'])),
    };
  }

  /** Runs `task` in one transaction: all of its writes happen, or none. */
  transaction<T>(task: () => T): T {
    return transaction(this.#database, task);
  }

  /**
   * Leaves nothing of removed records behind in the write-ahead log. In the file itself SQLite has
   * overwritten them; copies made before, and what a disk keeps of its own, are out of reach.
   */
  scrub(): void {
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  close(): void {
    this.#database.close();
  }

  /** The blind index: equal ids of a collection give equal look-ups, and nothing else shows. */
  #lookup(collection: string, id: string): Buffer {
    const key = this.#indexKey.expose();
    return createHmac('sha256', key).update(`${collection}\0${id}`, 'utf8').digest();
  }

  #seal(collection: string, lookup: Uint8Array, text: string): Buffer {
    const key = this.#recordKey.expose();
    const aad = recordContext(collection, lookup);
    return seal(Buffer.from(text, 'utf8'), { key, aad, random: this.#random });
  }

  #open(collection: string, lookup: unknown, sealed: unknown): string {
    if (!(lookup instanceof Uint8Array) || !(sealed instanceof Uint8Array)) {
      throw new TypeError('record row without blobs');
    }
    const aad = recordContext(collection, lookup);
    return open(sealed, { key: this.#recordKey.expose(), aad }).toString('utf8');
  }
}

/** Binds a record to its place: a row moved to another id or collection does not open. */
function recordContext(collection: string, lookup: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`holdfast/record/v1/${collection}\0`), lookup]);
}
