/** Wraps all data keys under the current key-encryption key, a few at a time. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../kernel/index.ts';
import { transaction } from './database.ts';
import { type Keyring, keyContext } from './keyring.ts';
import { REWRAP_MAX, REWRAP_MS_MAX } from './limits.ts';

/**
 * The rotation of the key-encryption key. What it has done is in the database and nowhere else:
 * after a crash another one goes on where this one was.
 */
export class KekRotation {
  readonly #database: DatabaseSync;
  readonly #keyring: Keyring;
  readonly #clock: Clock;
  #after = 0;

  constructor(database: DatabaseSync, { keyring, clock }: { keyring: Keyring; clock: Clock }) {
    this.#database = database;
    this.#keyring = keyring;
    this.#clock = clock;
  }

  /** Data keys that still depend on a version before. */
  get left(): number {
    const row = this.#database
      .prepare('SELECT count(*) AS n FROM data_key WHERE kek_version < ? AND wrapped IS NOT NULL')
      .get(this.#keyring.keks.current.version);
    return Number(row?.['n'] ?? 0);
  }

  /** Wraps a few data keys again. @returns whether there may be more. */
  step(): boolean {
    return transaction(this.#database, () => {
      const { keks } = this.#keyring;
      const { version, key: kek } = keks.current;
      const rows = this.#database
        .prepare(
          `SELECT ref, purpose, kek_version, wrapped FROM data_key
           WHERE ref > ? AND kek_version < ? AND wrapped IS NOT NULL ORDER BY ref LIMIT ?`,
        )
        .all(this.#after, version, REWRAP_MAX);
      const update = this.#database.prepare(
        'UPDATE data_key SET kek_version = ?, wrapped = ? WHERE ref = ?',
      );
      const endMs = this.#clock.monotonicMs() + REWRAP_MS_MAX;
      for (const row of rows) {
        const { wrapped } = row;
        if (!(wrapped instanceof Uint8Array)) throw new TypeError('a key without bytes');
        const identity = { ref: Number(row['ref']), purpose: String(row['purpose']) };
        const before = Number(row['kek_version']);
        const key = keks.of(before).unwrap(wrapped, keyContext(before, identity));
        update.run(version, kek.wrap(key, keyContext(version, identity)), identity.ref);
        this.#after = identity.ref;
        if (this.#clock.monotonicMs() >= endMs) return true;
      }
      return rows.length === REWRAP_MAX;
    });
  }

  /**
   * Destroys the versions before. @returns the number of data keys that still depend on one: then
   * nothing was done.
   */
  finish(): number {
    const { keks } = this.#keyring;
    const left = transaction(this.#database, () => {
      const found = this.left;
      if (found === 0) keks.retire(this.#clock.nowMs());
      return found;
    });
    this.#after = 0;
    if (left === 0) keks.forgetRetired();
    return left;
  }
}
