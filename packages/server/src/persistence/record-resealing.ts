/** Seals records again under the current key, a few at a time. @module */
import type { DatabaseSync } from 'node:sqlite';
import { open, seal } from '../crypto/index.ts';
import type { Clock, RandomBytes } from '../kernel/index.ts';
import { REWRAP_MAX, REWRAP_MS_MAX } from './limits.ts';
import { type RecordKeys, recordContext } from './record-keys.ts';
import type { SealedStore } from './sealed-store.ts';

/** What sealing again needs. */
export interface RecordResealingDeps {
  readonly keys: RecordKeys;
  readonly store: Pick<SealedStore, 'transaction' | 'state'>;
  readonly random: RandomBytes;
  readonly clock: Clock;
}

/**
 * Goes through all records once. The key before is kept: backups that were made under it are to
 * be opened. What it has done is in the database: after a crash another one goes on.
 */
export class RecordResealing {
  readonly #database: DatabaseSync;
  readonly #deps: RecordResealingDeps;
  #after: { readonly collection: string; readonly lookup: Uint8Array } = {
    collection: '',
    lookup: new Uint8Array(0),
  };

  constructor(database: DatabaseSync, deps: RecordResealingDeps) {
    this.#database = database;
    this.#deps = deps;
  }

  /** Whether a record, or the state, is sealed under a key before. */
  get isNeeded(): boolean {
    const { ref } = this.#deps.keys.current;
    const found = (table: 'record' | 'state'): boolean =>
      this.#database.prepare(`SELECT 1 FROM ${table} WHERE key_ref <> ? LIMIT 1`).get(ref) !==
      undefined;
    return found('record') || found('state');
  }

  /** Seals a few records again. @returns whether there may be more. */
  step(): boolean {
    const { keys, store, clock } = this.#deps;
    return store.transaction(() => {
      const rows = this.#database
        .prepare(
          `SELECT collection, lookup, key_ref, sealed FROM record
           WHERE (collection, lookup) > (?, ?) AND key_ref <> ?
           ORDER BY collection, lookup LIMIT ?`,
        )
        .all(this.#after.collection, this.#after.lookup, keys.current.ref, REWRAP_MAX);
      const endMs = clock.monotonicMs() + REWRAP_MS_MAX;
      for (const row of rows) {
        this.#reseal(row);
        if (clock.monotonicMs() >= endMs) return true;
      }
      store.state.reseal();
      return rows.length === REWRAP_MAX;
    });
  }

  #reseal(row: Readonly<Record<string, unknown>>): void {
    const { keys, store, random } = this.#deps;
    const { lookup, sealed: before } = row;
    if (!(lookup instanceof Uint8Array) || !(before instanceof Uint8Array)) {
      throw new TypeError('record row without blobs');
    }
    const collection = String(row['collection']);
    const aad = recordContext(collection, lookup);
    const key = keys.byRef(Number(row['key_ref'])).record.expose();
    const plaintext = open(before, { key, aad });
    const { ref, record, spend } = keys.current;
    spend(plaintext.length);
    const sealed = seal(plaintext, { key: record.expose(), aad, random });
    const place = { collection, lookup };
    store.state.note({ ...place, sealed: before }, { ...place, sealed }, false);
    this.#database
      .prepare('UPDATE record SET key_ref = ?, sealed = ? WHERE collection = ? AND lookup = ?')
      .run(ref, sealed, collection, lookup);
    this.#after = place;
  }
}
