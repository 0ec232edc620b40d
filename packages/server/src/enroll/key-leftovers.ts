/** Keys in a token of which no generation knows, or will know: they are destroyed. @module */
import { z } from 'zod';
import type { KeyCustody, SavedKey } from '../crypto/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';

const LeftoversSchema = z.object({ version: z.literal(1), ids: z.array(z.string()) });

/**
 * Notes keys before they are made, and before they are let go of. Other servers may have keys in
 * the same token: what is destroyed is what was noted here, and is not in use.
 */
export class KeyLeftovers {
  /** A custody that notes each key which it is going to make. */
  readonly noting: KeyCustody;
  readonly #custody: KeyCustody;
  readonly #records: Collection<z.infer<typeof LeftoversSchema>>;

  constructor(store: SealedStore, custody: KeyCustody) {
    this.#custody = custody;
    this.#records = store.collection('authority-leftovers', LeftoversSchema);
    this.noting = {
      make: (label) => custody.make(label, (key) => this.note(key)),
      open: (key) => custody.open(key),
      destroy: (key) => custody.destroy(key),
    };
  }

  /** Notes a key; one that is sealed goes with its record, and needs no note. */
  note(key: SavedKey | undefined): void {
    if (key?.kind !== 'pkcs11') return;
    this.#write([...this.#ids, key.id]);
  }

  /** Destroys what was noted and is not in use. What the token keeps is tried again next time. */
  destroy(inUse: readonly SavedKey[]): void {
    const used = new Set(inUse.map((key) => (key.kind === 'pkcs11' ? key.id : '')));
    const ids = this.#ids;
    if (ids.length === 0) return;
    const kept = ids.filter((id) => !used.has(id) && !this.#isDestroyed(id));
    this.#write(kept);
  }

  get #ids(): readonly string[] {
    return this.#records.read(ONLY)?.ids ?? [];
  }

  #isDestroyed(id: string): boolean {
    try {
      this.#custody.destroy({ kind: 'pkcs11', id });
      return true;
    } catch {
      // A server that cannot tidy up its token can go on all the same.
      return false;
    }
  }

  #write(ids: readonly string[]): void {
    this.#records.write(ONLY, { version: 1, ids: [...ids] });
  }
}

const ONLY = 'only';
