/** The keys of records: one that names, and those that seal. @module */
import { deriveKey } from '../crypto/index.ts';
import type { SecretBytes } from '../kernel/index.ts';
import type { Keyring } from './keyring.ts';

/** What is derived from a data key of records. */
export interface RecordKey {
  readonly ref: number;
  /** The data key itself. */
  readonly root: SecretBytes;
  readonly record: SecretBytes;
  readonly state: SecretBytes;
  /** Counts one sealing, see `DataKey.spend`. */
  readonly spend: (bytes: number) => void;
}

/** Finds the keys of records. */
export class RecordKeys {
  /**
   * For blind indexes and digests, and for nothing that is sealed: HMAC wears out no key, and names
   * that changed would have to change everywhere at once.
   */
  readonly index: SecretBytes;
  readonly #keyring: Keyring;
  readonly #known = new Map<number, RecordKey>();

  constructor(keyring: Keyring) {
    this.#keyring = keyring;
    this.index = keyring.only('record-index').key;
  }

  /** The one that seals. */
  get current(): RecordKey {
    return this.byRef(this.#keyring.only('records').ref);
  }

  /** @throws Fault `E_PERSISTENCE_KEY` */
  byRef(ref: number): RecordKey {
    const root = this.#keyring.byRef(ref);
    const known = this.#known.get(ref);
    // After a transaction that came to nothing, another key can have the number.
    if (known?.root === root.key) return known;
    const key: RecordKey = {
      ref,
      root: root.key,
      record: deriveKey(root.key, 'holdfast/record/v1'),
      state: deriveKey(root.key, 'holdfast/store-state/v1'),
      spend: (bytes) => root.spend(bytes),
    };
    this.#known.set(ref, key);
    return key;
  }
}

/** Binds a record to its place: a row moved to another id or collection does not open. */
export function recordContext(collection: string, lookup: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`holdfast/record/v1/${collection}\0`), lookup]);
}
