/** The key-encryption keys of a data folder: the one that wraps, and those before it. @module */
import type { DatabaseSync } from 'node:sqlite';
import {
  type KeyWrapper,
  deriveKey,
  open,
  openFault,
  seal,
  softwareWrapper,
} from '../crypto/index.ts';
import { Fault, type RandomBytes, Secret, type SecretBytes } from '../kernel/index.ts';

/** The key-encryption keys in a token: two of them while a rotation is under way. */
export interface TokenKeks {
  /** Those that there are, oldest first. */
  readonly keys: readonly KeyWrapper[];
  /** Makes another one, which is found again after a crash at any moment. */
  make(): KeyWrapper;
  /** Destroys all but one in the token. */
  keepOnly(key: KeyWrapper): void;
}

/** Who holds the key-encryption keys. */
export type KeyringCustody =
  /** They stand in the database, wrapped under the unseal key. */
  | { readonly unsealKey: SecretBytes; readonly random: RandomBytes }
  /** They are in a token, and the database has nothing of them. */
  | { readonly token: TokenKeks; readonly random: RandomBytes };

/** Of a version that is retired nothing but its dates is left. */
export const KEK_SCHEMA = `
  CREATE TABLE key_encryption_key (
    version INTEGER PRIMARY KEY,
    wrapped BLOB,
    created_ms INTEGER NOT NULL,
    retired_ms INTEGER
  ) STRICT;`;

/** A version as it is shown. */
export interface KekVersion {
  readonly version: number;
  readonly createdAtMs: number;
  /** When it was destroyed; undefined while it can be used. */
  readonly retiredAtMs: number | undefined;
}

interface OpenedKek {
  readonly version: number;
  readonly key: KeyWrapper;
}

const KEK_BYTES = 32;

/** Opens, makes and retires versions. */
export class KekVersions {
  readonly #database: DatabaseSync;
  readonly #custody: KeyringCustody;
  /** Those that can be used, oldest first; never empty. */
  #opened: OpenedKek[];

  /**
   * Opens all versions that can be used, and makes the first one where there is none.
   * @throws Fault `E_CRYPTO_OPEN` when the unseal key or the token is not the one of this database.
   */
  constructor(database: DatabaseSync, custody: KeyringCustody, nowMs: number) {
    this.#database = database;
    this.#custody = custody;
    this.#opened = this.#openAll();
    if (this.#opened.length > 0) return;
    const key = 'token' in custody ? custody.token.keys.at(-1) : undefined;
    this.#add({ version: 1, key }, nowMs);
  }

  /** Whether they are in a token. */
  get isInToken(): boolean {
    return 'token' in this.#custody;
  }

  /** The version that wraps. */
  get current(): OpenedKek {
    const current = this.#opened.at(-1);
    if (current === undefined) throw openFault();
    return current;
  }

  /** Whether a version before the current one can still be used. */
  get isRotating(): boolean {
    return this.#opened.length > 1;
  }

  /** @throws Fault `E_CRYPTO_OPEN` for a version that is not there. */
  of(version: number): KeyWrapper {
    const found = this.#opened.find((one) => one.version === version);
    if (found === undefined) throw openFault();
    return found.key;
  }

  /** Makes the next version, which wraps from now on. @returns its number. */
  add(nowMs: number): number {
    const version = this.current.version + 1;
    const key = 'token' in this.#custody ? this.#custody.token.make() : undefined;
    this.#add({ version, key }, nowMs);
    return version;
  }

  /** Destroys all versions before the current one, as part of the caller's transaction. */
  retire(nowMs: number): void {
    this.#database
      .prepare(
        `UPDATE key_encryption_key SET wrapped = NULL, retired_ms = ?
         WHERE version < ? AND wrapped IS NOT NULL`,
      )
      .run(nowMs, this.current.version);
  }

  /** Forgets those that were retired. */
  forgetRetired(): void {
    this.#opened = [this.current];
  }

  /** Whether the token has keys that no version uses any more. */
  get hasLeftovers(): boolean {
    return 'token' in this.#custody && this.#custody.token.keys.length > this.#opened.length;
  }

  /** Destroys those in the token. */
  destroyLeftovers(): void {
    if ('token' in this.#custody && !this.isRotating) {
      this.#custody.token.keepOnly(this.current.key);
    }
  }

  /** All that there ever were, oldest first. */
  all(): KekVersion[] {
    return this.#database
      .prepare('SELECT version, created_ms, retired_ms FROM key_encryption_key ORDER BY version')
      .all()
      .map((row) => ({
        version: Number(row['version']),
        createdAtMs: Number(row['created_ms']),
        retiredAtMs: row['retired_ms'] === null ? undefined : Number(row['retired_ms']),
      }));
  }

  #openAll(): OpenedKek[] {
    const rows = this.#database
      .prepare(
        `SELECT version, wrapped FROM key_encryption_key
         WHERE wrapped IS NOT NULL ORDER BY version`,
      )
      .all();
    return rows.map(({ version, wrapped }) => {
      if (!(wrapped instanceof Uint8Array)) throw new TypeError('a key without bytes');
      return { version: Number(version), key: this.#open(Number(version), wrapped) };
    });
  }

  #open(version: number, wrapped: Uint8Array): KeyWrapper {
    const custody = this.#custody;
    if ('token' in custody) {
      const key = custody.token.keys.find((one) => isMarkedBy(one, { version, wrapped }));
      if (key === undefined) throw openFault();
      return key;
    }
    const context = { key: wrappingKey(custody.unsealKey).expose(), aad: kekContext(version) };
    return softwareWrapper(custody, new Secret(open(wrapped, context)));
  }

  #add({ version, key }: { version: number; key: KeyWrapper | undefined }, nowMs: number): void {
    const custody = this.#custody;
    if ('token' in custody) {
      if (key === undefined) throw openFault();
      // It proves that it is this token's, and is no key.
      this.#insert({ version, wrapped: key.wrap(TOKEN_MARK, tokenContext(version)) }, nowMs);
      this.#opened.push({ version, key });
      return;
    }
    const { random, unsealKey } = custody;
    const made = new Secret(random(KEK_BYTES));
    const context = { key: wrappingKey(unsealKey).expose(), aad: kekContext(version), random };
    this.#insert({ version, wrapped: seal(made.expose(), context) }, nowMs);
    this.#opened.push({ version, key: softwareWrapper(custody, made) });
  }

  #insert({ version, wrapped }: { version: number; wrapped: Uint8Array }, nowMs: number): void {
    this.#database
      .prepare('INSERT INTO key_encryption_key (version, wrapped, created_ms) VALUES (?, ?, ?)')
      .run(version, wrapped, nowMs);
  }
}

function isMarkedBy(
  key: KeyWrapper,
  { version, wrapped }: { version: number; wrapped: Uint8Array },
): boolean {
  try {
    key.unwrap(wrapped, tokenContext(version));
    return true;
  } catch (error) {
    if (error instanceof Fault && error.code === 'E_CRYPTO_OPEN') return false;
    throw error;
  }
}

/** Sealed by the token's key where a wrapped key would stand. */
const TOKEN_MARK = Buffer.from('holdfast/token-kek/v1');

function tokenContext(version: number): Buffer {
  return Buffer.from(`holdfast/token-kek/v1/${version}`);
}

function wrappingKey(unsealKey: SecretBytes): SecretBytes {
  return deriveKey(unsealKey, 'holdfast/kek-wrap/v1');
}

function kekContext(version: number): Buffer {
  return Buffer.from(`holdfast/kek/v1/${version}`);
}
