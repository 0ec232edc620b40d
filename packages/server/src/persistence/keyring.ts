/** Envelope keys: unseal key, or token → key-encryption key (versioned) → data keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import {
  type Clock,
  Fault,
  type RandomBytes,
  Secret,
  type SecretBytes,
  systemClock,
} from '../kernel/index.ts';
import { transaction } from './database.ts';
import { KEK_SCHEMA, KekVersions, type KeyringCustody } from './kek-versions.ts';
import { CountedKey, type DataKey, type KeyUse } from './key-use.ts';
import {
  KEY_BYTES_MAX,
  KEY_BYTES_PER_START,
  KEY_SEALINGS_MAX,
  KEY_SEALINGS_PER_START,
} from './limits.ts';

/**
 * Tables of the keyring; they hold wrapped keys only. `sealings` and `bytes` are what was used up
 * to the start that `starts` counts, and a fixed amount is added for each start since.
 */
export const KEYRING_SCHEMA = `${KEK_SCHEMA}
  CREATE TABLE data_key (
    ref INTEGER PRIMARY KEY AUTOINCREMENT,
    purpose TEXT NOT NULL,
    kek_version INTEGER NOT NULL REFERENCES key_encryption_key(version),
    wrapped BLOB,
    created_ms INTEGER NOT NULL,
    retired_ms INTEGER,
    sealings INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    starts INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX data_key_purpose ON data_key (purpose, ref);
  CREATE TABLE key_use (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    starts INTEGER NOT NULL
  ) STRICT;`;

const KEY_BYTES = 32;
const PER_START: KeyUse = { sealings: KEY_SEALINGS_PER_START, bytes: KEY_BYTES_PER_START };

/** The keys of one data folder. */
export class Keyring {
  /** The key-encryption keys. */
  readonly keks: KekVersions;
  readonly #database: DatabaseSync;
  readonly #random: RandomBytes;
  readonly #clock: Clock;
  readonly #opened = new Map<number, CountedKey>();
  readonly #newest = new Map<string, DataKey>();
  /** Starts that were counted, this one included. */
  #starts: number;
  #isCounted = false;

  /**
   * Opens the key-encryption keys, making the first one if there is none.
   * @throws Fault `E_CRYPTO_OPEN` when the unseal key or the token is not the one of this database.
   */
  constructor(
    database: DatabaseSync,
    custody: KeyringCustody,
    { clock = systemClock }: { readonly clock?: Clock | undefined } = {},
  ) {
    this.#database = database;
    this.#random = custody.random;
    this.#clock = clock;
    this.keks = new KekVersions(database, custody, clock.nowMs());
    this.#starts = Number(database.prepare('SELECT starts FROM key_use').get()?.['starts'] ?? 0);
  }

  /** Counts the start, by which each key may seal a little. Whoever only reads does not call it. */
  countStart(): void {
    this.#starts += 1;
    this.#isCounted = true;
    this.#database
      .prepare(
        'INSERT INTO key_use VALUES (1, ?) ON CONFLICT DO UPDATE SET starts = excluded.starts',
      )
      .run(this.#starts);
  }

  /** Makes a data key. `purpose` is stored in the clear: it never names a device or a person. */
  create(purpose: string): DataKey {
    const key = new Secret(this.#random(KEY_BYTES));
    const createdAtMs = this.#clock.nowMs();
    const { version, key: kek } = this.keks.current;
    const ref = this.#atomically(() => {
      // The ref is part of the wrapping's context, so it has to be known first.
      const { lastInsertRowid } = this.#database
        .prepare(
          `INSERT INTO data_key (purpose, kek_version, created_ms, sealings, bytes, starts)
           VALUES (?, ?, ?, ?, ?, ?)`,
        )
        .run(purpose, version, createdAtMs, PER_START.sealings, PER_START.bytes, this.#starts);
      const made = Number(lastInsertRowid);
      const wrapped = kek.wrap(key.expose(), keyContext(version, { ref: made, purpose }));
      this.#database.prepare('UPDATE data_key SET wrapped = ? WHERE ref = ?').run(wrapped, made);
      return made;
    });
    const used = { sealings: 0, bytes: 0 };
    return this.#keep({ ref, key, createdAtMs, used, reserved: PER_START });
  }

  /** The newest data key of a purpose: the one that seals. Made at first use. */
  only(purpose: string): DataKey {
    const known = this.#newest.get(purpose);
    if (known !== undefined) return known;
    const [ref] = this.#refs(purpose);
    const newest = ref === undefined ? this.create(purpose) : this.byRef(ref);
    this.#newest.set(purpose, newest);
    return newest;
  }

  /** All data keys of a purpose, newest first. None has sealed anything since there is a newer one. */
  all(purpose: string): DataKey[] {
    return this.#refs(purpose).map((ref) => this.byRef(ref));
  }

  /** Replaces the data key of a purpose; the one before only opens from now on. */
  renew(purpose: string): DataKey {
    const before = this.#refs(purpose)[0];
    const made = this.#atomically(() => {
      const next = this.create(purpose);
      if (before !== undefined) this.retire(before);
      return next;
    });
    this.#newest.set(purpose, made);
    return made;
  }

  /** Notes that a data key seals nothing any more. */
  retire(ref: number): void {
    this.#database
      .prepare('UPDATE data_key SET retired_ms = ? WHERE ref = ? AND retired_ms IS NULL')
      .run(this.#clock.nowMs(), ref);
  }

  /** Whether the time of a data key has come that is in use. */
  isDue(ref: number): boolean {
    return this.#opened.get(ref)?.isDue(this.#clock.nowMs()) === true;
  }

  /** Whether a data key has sealed so much that it is to be replaced. */
  isWorn(ref: number): boolean {
    return this.#opened.get(ref)?.isWorn === true;
  }

  /** Numbers of the opened data keys that are due, in no particular order. */
  due(): number[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#opened.values()].filter((key) => key.isDue(nowMs)).map(({ ref }) => ref);
  }

  /**
   * The data key under a number.
   * @throws Fault `E_PERSISTENCE_KEY` when it does not exist or was destroyed.
   */
  byRef(ref: number): DataKey {
    const known = this.#opened.get(ref);
    if (known !== undefined) return known;
    const row = this.#database.prepare('SELECT * FROM data_key WHERE ref = ?').get(ref);
    if (row === undefined || !(row['wrapped'] instanceof Uint8Array)) throw missingKey(ref);
    const version = Number(row['kek_version']);
    const aad = keyContext(version, { ref, purpose: String(row['purpose']) });
    const key = new Secret(this.keks.of(version).unwrap(row['wrapped'], aad));
    const starts = this.#isCounted ? this.#starts - 1 : this.#starts;
    const since = Math.max(0, starts - Number(row['starts']));
    const used = {
      sealings: Number(row['sealings']) + since * PER_START.sealings,
      bytes: Number(row['bytes']) + since * PER_START.bytes,
    };
    // What was written down by this start is used up by now, for all that is known.
    const isGranted = this.#isCounted && Number(row['starts']) < this.#starts;
    const reserved = isGranted ? granted(used) : used;
    return this.#keep({ ref, key, createdAtMs: Number(row['created_ms']), used, reserved });
  }

  /** Whether there was a data key under this number that was destroyed. */
  isDestroyed(ref: number): boolean {
    const row = this.#database.prepare('SELECT wrapped FROM data_key WHERE ref = ?').get(ref);
    return row !== undefined && row['wrapped'] === null;
  }

  /** Numbers of all data keys that were destroyed. */
  destroyedRefs(): number[] {
    const sql = 'SELECT ref FROM data_key WHERE wrapped IS NULL ORDER BY ref';
    return this.#database
      .prepare(sql)
      .all()
      .map((row) => Number(row['ref']));
  }

  /** Destroys a data key: what it sealed can never be opened again. */
  destroy(ref: number): void {
    this.#database.prepare('UPDATE data_key SET wrapped = NULL WHERE ref = ?').run(ref);
    this.#opened.delete(ref);
    this.#newest.clear();
  }

  /** Reserves more for all keys that will need it soon, so that none has to in a hurry. */
  reserveAhead(): void {
    const low = [...this.#opened.values()].filter((key) => key.isLow);
    if (low.length > 0) this.#reserveAll(low);
  }

  /** Writes down what was really used, before the end of a run. */
  settle(): void {
    if (!this.#isCounted) return;
    this.#atomically(() => {
      for (const key of this.#opened.values()) if (key.isUsed) this.#write(key.ref, key.used);
    });
  }

  /** A transaction came to nothing, and what was reserved or made in it did. */
  rolledBack(): void {
    for (const key of this.#opened.values()) key.withdraw();
    this.#newest.clear();
  }

  #reserve(key: CountedKey): void {
    const low = [...this.#opened.values()].filter((one) => one !== key && one.isLow);
    try {
      this.#reserveAll([key, ...low]);
    } catch (error) {
      // Within a transaction it has to fail. Otherwise, a disk that does not take this takes nothing
      // of what is sealed either: it goes on counting in memory, and this is tried again.
      if (this.#database.isTransaction || !this.#isCounted) throw error;
      key.grant(granted(key.used));
    }
  }

  #reserveAll(keys: readonly CountedKey[]): void {
    this.#atomically(() => {
      for (const key of keys) this.#write(key.ref, key.wanted);
    });
    for (const key of keys) key.grant(key.wanted);
  }

  #write(ref: number, { sealings, bytes }: KeyUse): void {
    this.#database
      .prepare('UPDATE data_key SET sealings = ?, bytes = ?, starts = ? WHERE ref = ?')
      .run(sealings, bytes, this.#starts, ref);
  }

  #keep(parts: {
    readonly ref: number;
    readonly key: SecretBytes;
    readonly createdAtMs: number;
    readonly used: KeyUse;
    readonly reserved: KeyUse;
  }): CountedKey {
    const kept = new CountedKey({ ...parts, reserve: (key) => this.#reserve(key) });
    this.#opened.set(parts.ref, kept);
    return kept;
  }

  /** Newest first, without those that were destroyed. */
  #refs(purpose: string): number[] {
    return this.#database
      .prepare(
        'SELECT ref FROM data_key WHERE purpose = ? AND wrapped IS NOT NULL ORDER BY ref DESC',
      )
      .all(purpose)
      .map((row) => Number(row['ref']));
  }

  #atomically<T>(task: () => T): T {
    return this.#database.isTransaction ? task() : transaction(this.#database, task);
  }
}

/** What a wrapped data key belongs to: it opens nowhere else. */
export function keyContext(
  kekVersion: number,
  { ref, purpose }: { ref: number; purpose: string },
): Buffer {
  return Buffer.from(`holdfast/data-key/v1/${kekVersion}/${ref}/${purpose}`);
}

/** With what one start gives, and never more than a key may seal. */
function granted({ sealings, bytes }: KeyUse): KeyUse {
  return {
    sealings: Math.min(KEY_SEALINGS_MAX, sealings + PER_START.sealings),
    bytes: Math.min(KEY_BYTES_MAX, bytes + PER_START.bytes),
  };
}

function missingKey(ref: number): Fault {
  return new Fault({
    code: 'E_PERSISTENCE_KEY',
    what: `Data key ${ref} does not exist, or was destroyed by an erasure.`,
    fix: 'What it sealed cannot be opened any more; restore a backup if that was not intended.',
  });
}
