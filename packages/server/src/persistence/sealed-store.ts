/** Records whose names and content the database never sees. @module */
import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { ZodType } from 'zod';
import { deriveKey, open, seal } from '../crypto/index.ts';
import { type Clock, type RandomBytes, type SecretBytes, systemClock } from '../kernel/index.ts';
import { type OpenDatabaseOptions, openDatabase, transaction } from './database.ts';
import { KekRotation } from './kek-rotation.ts';
import type { KeyringCustody } from './kek-versions.ts';
import { KeyCensus } from './key-census.ts';
import { KEYRING_SCHEMA, Keyring } from './keyring.ts';
import { RecordKeys, recordContext } from './record-keys.ts';
import { RecordResealing } from './record-resealing.ts';
import { STATE_SCHEMA, StoreState } from './store-state.ts';

const STORE_SCHEMA = `${KEYRING_SCHEMA}${STATE_SCHEMA}
  CREATE TABLE record (
    collection TEXT NOT NULL,
    lookup BLOB NOT NULL,
    key_ref INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (collection, lookup)
  ) STRICT, WITHOUT ROWID;`;
/** Format of the registry's file. */
export const STORE_FORMAT: OpenDatabaseOptions = { schema: STORE_SCHEMA, version: 3 };

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
  /** How often the records were changed, and a digest of them. */
  readonly state: StoreState;
  readonly #database: DatabaseSync;
  readonly #random: RandomBytes;
  readonly #clock: Clock;
  readonly #keys: RecordKeys;
  readonly #indexKey: SecretBytes;
  #isScrubbed = true;

  /** Opens or creates the store for this process alone. */
  constructor(
    path: string,
    custody: KeyringCustody,
    { clock = systemClock }: { readonly clock?: Clock | undefined } = {},
  ) {
    this.#database = openDatabase(path, STORE_FORMAT);
    this.#random = custody.random;
    this.#clock = clock;
    try {
      this.keyring = new Keyring(this.#database, custody, { clock });
      this.keyring.countStart();
    } catch (error) {
      this.#database.close();
      throw error;
    }
    this.#keys = new RecordKeys(this.keyring);
    this.#indexKey = deriveKey(this.#keys.index, 'holdfast/blind-index/v1');
    this.state = new StoreState(this.#database, { keys: this.#keys, random: custody.random });
  }

  /**
   * A collection of records of one shape. `name` stands in the clear in the database.
   * What is read is checked against `schema`, so that an old or foreign shape cannot pass.
   * A collection that is not counted can be set back to an earlier copy of the whole file unseen.
   */
  collection<T>(
    name: string,
    schema: ZodType<T>,
    { isCounted = true }: { readonly isCounted?: boolean } = {},
  ): Collection<T> {
    const select = this.#database.prepare(
      'SELECT key_ref, sealed FROM record WHERE collection = ? AND lookup = ?',
    );
    const selectAll = this.#database.prepare(
      'SELECT lookup, key_ref, sealed FROM record WHERE collection = ?',
    );
    const upsert = this.#database.prepare(
      `INSERT INTO record VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
       SET key_ref = excluded.key_ref, sealed = excluded.sealed`,
    );
    const remove = this.#database.prepare('DELETE FROM record WHERE collection = ? AND lookup = ?');
    const parse = (row: Readonly<Record<string, unknown>>): T =>
      schema.parse(JSON.parse(this.#open(name, row)));
    return {
      read: (id) => {
        const lookup = this.#lookup(name, id);
        const row = select.get(name, lookup);
        return row === undefined ? undefined : parse({ ...row, lookup });
      },
      write: (id, value) => {
        const lookup = this.#lookup(name, id);
        this.#change(() => {
          const { keyRef, sealed } = this.#seal(name, lookup, JSON.stringify(value));
          const before = select.get(name, lookup)?.['sealed'];
          const place = { collection: name, lookup };
          this.state.note({ ...place, sealed: before }, { ...place, sealed }, isCounted);
          upsert.run(name, lookup, keyRef, sealed);
        });
      },
      remove: (id) => {
        const place = { collection: name, lookup: this.#lookup(name, id) };
        this.#change(() => {
          const sealed = select.get(name, place.lookup)?.['sealed'];
          if (sealed === undefined) return;
          this.state.note({ ...place, sealed }, { ...place, sealed: undefined }, isCounted);
          remove.run(name, place.lookup);
        });
      },
      all: () => selectAll.all(name).map((row) => parse(row)),
    };
  }

  /** Runs `task` in one transaction: all of its writes happen, or none. */
  transaction<T>(task: () => T): T {
    let isCommitted = false;
    try {
      const result = transaction(this.#database, () => {
        const made = task();
        this.state.write();
        return made;
      });
      isCommitted = true;
      return result;
    } finally {
      this.state.end(isCommitted);
      if (!isCommitted) this.keyring.rolledBack();
    }
  }

  /** The rotation of the key-encryption key, from the beginning or from where it was. */
  rotation(): KekRotation {
    return new KekRotation(this.#database, { keyring: this.keyring, clock: this.#clock });
  }

  /** Seals records again that are sealed under a key before the current one. */
  resealing(): RecordResealing {
    return new RecordResealing(this.#database, {
      keys: this.#keys,
      store: this,
      random: this.#random,
      clock: this.#clock,
    });
  }

  /** What there is of keys, in numbers. */
  get census(): KeyCensus {
    return new KeyCensus(this.#database, this.keyring);
  }

  /** Changes one record, in the transaction under way or in one of its own. */
  #change(task: () => void): void {
    if (this.#database.isTransaction) task();
    else this.transaction(task);
  }

  /**
   * Leaves nothing of removed records behind in the write-ahead log. In the file itself SQLite has
   * overwritten them; copies made before, and what a disk keeps of its own, are out of reach.
   * @returns false when somebody reads, so that the log could not be emptied: try again.
   */
  scrub(): boolean {
    const row = this.#database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
    this.#isScrubbed = Number(row?.['busy']) === 0;
    return this.#isScrubbed;
  }

  /** False while the last {@link scrub} waits for readers: it has to be tried again. */
  get isScrubbed(): boolean {
    return this.#isScrubbed;
  }

  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  close(): void {
    try {
      this.keyring.settle();
    } catch {
      // A disk that fails: what was counted ahead stands, which is more than was used.
    }
    this.#database.close();
  }

  /** The blind index: equal ids of a collection give equal look-ups, and nothing else shows. */
  #lookup(collection: string, id: string): Buffer {
    const key = this.#indexKey.expose();
    return createHmac('sha256', key).update(`${collection}\0${id}`, 'utf8').digest();
  }

  #seal(collection: string, lookup: Uint8Array, text: string): { keyRef: number; sealed: Buffer } {
    const { ref: keyRef, record, spend } = this.#keys.current;
    const plaintext = Buffer.from(text, 'utf8');
    spend(plaintext.length);
    const aad = recordContext(collection, lookup);
    return { keyRef, sealed: seal(plaintext, { key: record.expose(), aad, random: this.#random }) };
  }

  #open(collection: string, row: Readonly<Record<string, unknown>>): string {
    const { lookup, sealed, key_ref: keyRef } = row;
    if (!(lookup instanceof Uint8Array) || !(sealed instanceof Uint8Array)) {
      throw new TypeError('record row without blobs');
    }
    const aad = recordContext(collection, lookup);
    const { record } = this.#keys.byRef(Number(keyRef));
    return open(sealed, { key: record.expose(), aad }).toString('utf8');
  }
}
