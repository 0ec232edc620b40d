/** Envelope keys: unseal secret → key-encryption key (versioned) → data keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import { deriveKey, open, seal } from '../crypto/index.ts';
import { Fault, type RandomBytes, Secret, type SecretBytes } from '../kernel/index.ts';

/** A key that encrypts data, and the number under which sealed data names it. */
export interface DataKey {
  /** 1 to 2^32 - 1; says nothing about what the key is for. */
  readonly ref: number;
  readonly key: SecretBytes;
}

/** Tables of the keyring; they hold wrapped keys only. */
export const KEYRING_SCHEMA = `
  CREATE TABLE key_encryption_key (version INTEGER PRIMARY KEY, wrapped BLOB NOT NULL) STRICT;
  CREATE TABLE data_key (
    ref INTEGER PRIMARY KEY AUTOINCREMENT,
    purpose TEXT NOT NULL,
    kek_version INTEGER NOT NULL REFERENCES key_encryption_key(version),
    wrapped BLOB
  ) STRICT;`;

const KEY_BYTES = 32;

/** The keys of one data folder. */
export class Keyring {
  readonly #database: DatabaseSync;
  readonly #random: RandomBytes;
  readonly #kek: { readonly version: number; readonly key: SecretBytes };
  readonly #opened = new Map<number, DataKey>();

  /** Opens the key-encryption key with the unseal secret, making the first one if there is none. */
  constructor(
    database: DatabaseSync,
    { unsealKey, random }: { unsealKey: SecretBytes; random: RandomBytes },
  ) {
    this.#database = database;
    this.#random = random;
    this.#kek = this.#openKek(deriveKey(unsealKey, 'holdfast/kek-wrap/v1'));
  }

  /** Makes a data key. `purpose` is stored in the clear: it never names a device or a person. */
  create(purpose: string): DataKey {
    const key = new Secret(this.#random(KEY_BYTES));
    // The ref is part of the wrapping's context, so it has to be known first.
    const { lastInsertRowid } = this.#database
      .prepare('INSERT INTO data_key (purpose, kek_version) VALUES (?, ?)')
      .run(purpose, this.#kek.version);
    const ref = Number(lastInsertRowid);
    this.#database
      .prepare('UPDATE data_key SET wrapped = ? WHERE ref = ?')
      .run(this.#wrap(key, { ref, purpose }), ref);
    const dataKey = { ref, key };
    this.#opened.set(ref, dataKey);
    return dataKey;
  }

  /** The one data key of a purpose that has a single key; made at first use. */
  only(purpose: string): DataKey {
    const row = this.#database
      .prepare('SELECT ref FROM data_key WHERE purpose = ? AND wrapped IS NOT NULL')
      .get(purpose);
    return row === undefined ? this.create(purpose) : this.byRef(Number(row['ref']));
  }

  /**
   * The data key under a number.
   * @throws Fault `E_PERSISTENCE_KEY` when it does not exist or was destroyed.
   */
  byRef(ref: number): DataKey {
    const known = this.#opened.get(ref);
    if (known !== undefined) return known;
    const row = this.#database
      .prepare('SELECT purpose, wrapped FROM data_key WHERE ref = ?')
      .get(ref);
    if (row === undefined || !(row['wrapped'] instanceof Uint8Array)) throw missingKey(ref);
    const aad = keyContext(this.#kek.version, { ref, purpose: String(row['purpose']) });
    const key = new Secret(open(row['wrapped'], { key: this.#kek.key.expose(), aad }));
    const dataKey = { ref, key };
    this.#opened.set(ref, dataKey);
    return dataKey;
  }

  #wrap(key: SecretBytes, identity: { ref: number; purpose: string }): Buffer {
    const aad = keyContext(this.#kek.version, identity);
    return seal(key.expose(), { key: this.#kek.key.expose(), aad, random: this.#random });
  }

  #openKek(wrappingKey: SecretBytes): { version: number; key: SecretBytes } {
    const row = this.#database
      .prepare('SELECT version, wrapped FROM key_encryption_key ORDER BY version DESC LIMIT 1')
      .get();
    if (row === undefined) return this.#createKek(wrappingKey);
    const version = Number(row['version']);
    const wrapped = row['wrapped'];
    if (!(wrapped instanceof Uint8Array)) throw missingKey(0);
    const aad = kekContext(version);
    return { version, key: new Secret(open(wrapped, { key: wrappingKey.expose(), aad })) };
  }

  #createKek(wrappingKey: SecretBytes): { version: number; key: SecretBytes } {
    const version = 1;
    const key = new Secret(this.#random(KEY_BYTES));
    const context = { key: wrappingKey.expose(), aad: kekContext(version), random: this.#random };
    this.#database
      .prepare('INSERT INTO key_encryption_key (version, wrapped) VALUES (?, ?)')
      .run(version, seal(key.expose(), context));
    return { version, key };
  }
}

function kekContext(version: number): Buffer {
  return Buffer.from(`holdfast/kek/v1/${version}`);
}

function keyContext(
  kekVersion: number,
  { ref, purpose }: { ref: number; purpose: string },
): Buffer {
  return Buffer.from(`holdfast/data-key/v1/${kekVersion}/${ref}/${purpose}`);
}

function missingKey(ref: number): Fault {
  return new Fault({
    code: 'E_PERSISTENCE_KEY',
    what: `Data key ${ref} does not exist, or was destroyed by an erasure.`,
    fix: 'What it sealed cannot be opened any more; restore a backup if that was not intended.',
  });
}
