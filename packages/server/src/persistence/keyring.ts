/** Envelope keys: unseal key, or token → key-encryption key (versioned) → data keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import { type KeyWrapper, deriveKey, open, seal, softwareWrapper } from '../crypto/index.ts';
import { Fault, type RandomBytes, Secret, type SecretBytes } from '../kernel/index.ts';

/** A key that encrypts data, and the number under which sealed data names it. */
export interface DataKey {
  /** 1 to 2^32 - 1; says nothing about what the key is for. */
  readonly ref: number;
  readonly key: SecretBytes;
}

/** Who holds the key-encryption key. */
export type KeyringCustody =
  /** It stands in the database, wrapped under the unseal key. */
  | { readonly unsealKey: SecretBytes; readonly random: RandomBytes }
  /** It is in a token, and the database has nothing of it. */
  | { readonly token: KeyWrapper; readonly random: RandomBytes };

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
  readonly #kek: { readonly version: number; readonly key: KeyWrapper };
  readonly #opened = new Map<number, DataKey>();

  /**
   * Opens the key-encryption key, making the first one if there is none.
   * @throws Fault `E_CRYPTO_OPEN` when the unseal key or the token is not the one of this database.
   */
  constructor(database: DatabaseSync, custody: KeyringCustody) {
    this.#database = database;
    this.#random = custody.random;
    this.#kek =
      'token' in custody
        ? this.#tokenKek(custody.token)
        : this.#openKek(deriveKey(custody.unsealKey, 'holdfast/kek-wrap/v1'));
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
    const key = new Secret(this.#kek.key.unwrap(row['wrapped'], aad));
    const dataKey = { ref, key };
    this.#opened.set(ref, dataKey);
    return dataKey;
  }

  /** Whether there was a data key under this number that was destroyed. */
  isDestroyed(ref: number): boolean {
    const row = this.#database.prepare('SELECT wrapped FROM data_key WHERE ref = ?').get(ref);
    return row !== undefined && row['wrapped'] === null;
  }

  /** Destroys a data key: what it sealed can never be opened again. */
  destroy(ref: number): void {
    this.#database.prepare('UPDATE data_key SET wrapped = NULL WHERE ref = ?').run(ref);
    this.#opened.delete(ref);
  }

  #wrap(key: SecretBytes, identity: { ref: number; purpose: string }): Uint8Array {
    return this.#kek.key.wrap(key.expose(), keyContext(this.#kek.version, identity));
  }

  /** What stands in the place of the wrapped key proves that it is this token's, and is no key. */
  #tokenKek(token: KeyWrapper): { version: number; key: KeyWrapper } {
    const row = this.#latestKek();
    const version = row?.version ?? 1;
    if (row === undefined) this.#insertKek(version, token.wrap(TOKEN_MARK, tokenContext(version)));
    else token.unwrap(row.wrapped, tokenContext(version));
    return { version, key: token };
  }

  #openKek(wrappingKey: SecretBytes): { version: number; key: KeyWrapper } {
    const row = this.#latestKek();
    if (row === undefined) return this.#createKek(wrappingKey);
    const { version, wrapped } = row;
    const context = { key: wrappingKey.expose(), aad: kekContext(version) };
    const key = new Secret(open(wrapped, context));
    return { version, key: softwareWrapper({ random: this.#random }, key) };
  }

  #createKek(wrappingKey: SecretBytes): { version: number; key: KeyWrapper } {
    const version = 1;
    const key = new Secret(this.#random(KEY_BYTES));
    const context = { key: wrappingKey.expose(), aad: kekContext(version), random: this.#random };
    this.#insertKek(version, seal(key.expose(), context));
    return { version, key: softwareWrapper({ random: this.#random }, key) };
  }

  #latestKek(): { version: number; wrapped: Uint8Array } | undefined {
    const row = this.#database
      .prepare('SELECT version, wrapped FROM key_encryption_key ORDER BY version DESC LIMIT 1')
      .get();
    if (row === undefined) return undefined;
    if (!(row['wrapped'] instanceof Uint8Array)) throw missingKey(0);
    return { version: Number(row['version']), wrapped: row['wrapped'] };
  }

  #insertKek(version: number, wrapped: Uint8Array): void {
    this.#database
      .prepare('INSERT INTO key_encryption_key (version, wrapped) VALUES (?, ?)')
      .run(version, wrapped);
  }
}

/** Sealed by the token's key where a wrapped key would stand. */
const TOKEN_MARK = Buffer.from('holdfast/token-kek/v1');

function tokenContext(version: number): Buffer {
  return Buffer.from(`holdfast/token-kek/v1/${version}`);
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
