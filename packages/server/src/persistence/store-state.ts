/** What all records together are, so that an older copy of one, or of the file, shows. @module */
import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { deriveKey, open, seal } from '../crypto/index.ts';
import type { RandomBytes, SecretBytes } from '../kernel/index.ts';
import type { RecordKeys } from './record-keys.ts';

/** Table of the state. */
export const STATE_SCHEMA = `
  CREATE TABLE state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key_ref INTEGER NOT NULL,
    sealed BLOB NOT NULL
  ) STRICT;`;

const AAD = Buffer.from('holdfast/store-state/v1');
const DIGEST_MODULUS = 2n ** 256n;

const StateSchema = z.strictObject({
  /** Transactions that changed records that count, since there is this store. */
  generation: z.int().min(0),
  /** Sum of the keyed hashes of all records, modulo 2^256, in hex. */
  digest: z.string().regex(/^[0-9a-f]{1,64}$/),
  /** The newest checkpoint of the log that was durable when this was written; empty for none. */
  checkpoint: z.string(),
});
type State = z.infer<typeof StateSchema>;

/** What a store says of itself when it is opened. */
export interface OpenedState {
  /** Transactions that had changed records. */
  readonly generation: number;
  /** A checkpoint that the log had reached; empty for none. */
  readonly checkpoint: string;
  /** False when a record was removed, added, or replaced by another copy of it. */
  readonly isIntact: boolean;
}

/** One record as it stands in the database; `sealed` is undefined where there is none. */
export interface RecordPlace {
  readonly collection: string;
  readonly lookup: Uint8Array;
  readonly sealed: unknown;
}

/**
 * Keeps, sealed in one row, how often the records were changed, and a digest of them all. Each
 * record is sealed by itself, and an older copy of it opens as well: only the digest shows it.
 *
 * The digest is the sum of an HMAC of each record (a keyed incremental multiset hash, Clarke et
 * al. 2003), so that a change costs two hashes, whatever the number of records. The sum itself is
 * sealed, or it could be solved for a set of old records that gives the same.
 */
export class StoreState {
  readonly opened: OpenedState;
  readonly #database: DatabaseSync;
  readonly #keys: RecordKeys;
  readonly #digestKey: SecretBytes;
  readonly #random: RandomBytes;
  /** As it is in the database. */
  #stored: State;
  /** What the transaction under way adds to the digest; undefined for no change. */
  #delta: bigint | undefined;
  #pending: State | undefined;
  #isCounted = false;
  /** Gives the newest durable checkpoint; undefined until the state is checked against the log. */
  #checkpointOf: (() => string) | undefined;

  /** @throws Fault `E_CRYPTO_OPEN` when the state was not sealed by this store. */
  constructor(
    database: DatabaseSync,
    { keys, random }: { readonly keys: RecordKeys; readonly random: RandomBytes },
  ) {
    this.#database = database;
    this.#random = random;
    this.#keys = keys;
    this.#digestKey = deriveKey(keys.index, 'holdfast/store-digest/v1');
    const stored = this.#read();
    this.#stored = stored ?? { generation: 0, digest: '0', checkpoint: '' };
    const { generation, digest, checkpoint } = this.#stored;
    this.opened = { generation, checkpoint, isIntact: this.#digestOfAll() === digest };
  }

  /** Transactions that have changed records, and are on the disk. */
  get generation(): number {
    return this.#stored.generation;
  }

  /**
   * Lets the state move on, once it was checked against the log. Before, a start that goes wrong
   * could count an older store up until it passes for the newest one.
   */
  release(checkpointOf: () => string): void {
    this.#checkpointOf = checkpointOf;
  }

  /** Takes the records as they are for the right ones; the generation goes on above `floor`. */
  accept(floor: number): void {
    const generation = Math.max(this.#stored.generation, floor);
    this.#stored = { ...this.#stored, generation, digest: this.#digestOfAll() };
    this.#write(this.#stored);
  }

  /** Keeps the newest checkpoint, if it is not kept yet; the records have not changed. */
  mark(): void {
    const checkpoint = this.#checkpointOf?.() ?? this.#stored.checkpoint;
    if (checkpoint === this.#stored.checkpoint) return;
    const state = { ...this.#stored, checkpoint };
    this.#write(state);
    this.#stored = state;
  }

  /** Notes that a record is about to change, within a transaction, and whether that counts. */
  note(before: RecordPlace, after: RecordPlace, isCounted: boolean): void {
    this.#isCounted ||= isCounted;
    this.#delta = (this.#delta ?? 0n) + this.#hash(after) - this.#hash(before);
  }

  /** Writes the state as the last statement of a transaction that changed records. */
  write(): void {
    if (this.#delta === undefined) return;
    const { generation, digest, checkpoint } = this.#stored;
    const sum = BigInt(`0x${digest}`) + this.#delta;
    this.#pending = {
      generation: this.#checkpointOf && this.#isCounted ? generation + 1 : generation,
      digest: reduced(sum),
      checkpoint: this.#checkpointOf?.() ?? checkpoint,
    };
    this.#write(this.#pending);
  }

  /** Seals the state under the current key, as part of the caller's transaction. */
  reseal(): void {
    this.#write(this.#pending ?? this.#stored);
  }

  /** The transaction has ended; `isCommitted` says how. */
  end(isCommitted: boolean): void {
    if (isCommitted && this.#pending !== undefined) this.#stored = this.#pending;
    this.#pending = undefined;
    this.#delta = undefined;
    this.#isCounted = false;
  }

  #digestOfAll(): string {
    let sum = 0n;
    const rows = this.#database.prepare('SELECT collection, lookup, sealed FROM record').iterate();
    for (const { collection, lookup, sealed } of rows) {
      if (!(lookup instanceof Uint8Array)) continue;
      sum += this.#hash({ collection: String(collection), lookup, sealed });
    }
    return reduced(sum);
  }

  #hash({ collection, lookup, sealed }: RecordPlace): bigint {
    if (!(sealed instanceof Uint8Array)) return 0n;
    const hash = createHmac('sha256', this.#digestKey.expose()).update(`${collection}\0`, 'utf8');
    return BigInt(`0x${hash.update(lookup).update(sealed).digest('hex')}`);
  }

  #read(): State | undefined {
    const row = this.#database.prepare('SELECT key_ref, sealed FROM state').get();
    const sealed = row?.['sealed'];
    if (!(sealed instanceof Uint8Array)) return undefined;
    const key = this.#keys.byRef(Number(row?.['key_ref'])).state.expose();
    const text = open(sealed, { key, aad: AAD }).toString('utf8');
    return StateSchema.parse(JSON.parse(text));
  }

  #write(state: State): void {
    const { ref, state: key, spend } = this.#keys.current;
    const text = Buffer.from(JSON.stringify(state), 'utf8');
    spend(text.length);
    this.#database
      .prepare(
        `INSERT INTO state VALUES (1, ?, ?) ON CONFLICT DO UPDATE
         SET key_ref = excluded.key_ref, sealed = excluded.sealed`,
      )
      .run(ref, seal(text, { key: key.expose(), aad: AAD, random: this.#random }));
  }
}

function reduced(sum: bigint): string {
  return (((sum % DIGEST_MODULUS) + DIGEST_MODULUS) % DIGEST_MODULUS).toString(16);
}
