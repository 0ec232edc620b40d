/** The keys that the server signs with itself: of both repositories, never one for both. @module */
import { type Repository, keyOf } from '@holdfast/firmware';
import type { Key } from '@tufjs/models';
import { z } from 'zod';
import { type KeyHandle, generatePrivateKey, softwareKeyHandle } from '../crypto/index.ts';
import { type Clock, Secret } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';

const OnlineKeySchema = z.object({
  repository: z.enum(['image', 'director']),
  role: z.enum(['targets', 'snapshot', 'timestamp']),
  /** Id of the key at TUF. */
  keyId: z.string(),
  /** Ed25519, PKCS#8 in DER, base64. Secret. */
  pkcs8: z.string(),
  /** Counts the sets of keys: those of the highest one sign, once roots name them. */
  generation: z.int(),
  createdAtMs: z.int(),
});
type OnlineKeyRecord = Readonly<z.infer<typeof OnlineKeySchema>>;

/** A key of the server for one role. */
export interface OnlineKey {
  readonly repository: Repository;
  readonly role: OnlineRole;
  readonly generation: number;
  /** As roots name it. */
  readonly key: Key;
  readonly handle: KeyHandle;
}

/** What the server signs. */
export type OnlineRole = OnlineKeyRecord['role'];

const ROLES: readonly { readonly repository: Repository; readonly role: OnlineRole }[] = [
  { repository: 'image', role: 'snapshot' },
  { repository: 'image', role: 'timestamp' },
  { repository: 'director', role: 'targets' },
  { repository: 'director', role: 'snapshot' },
  { repository: 'director', role: 'timestamp' },
];

/** All keys of the server for updates, sealed in its store. */
export class OnlineKeys {
  readonly #store: Pick<SealedStore, 'collection' | 'transaction'>;
  readonly #clock: Clock;
  readonly #records: Collection<OnlineKeyRecord>;
  readonly #keys = new Map<string, OnlineKey>();

  constructor({
    store,
    clock,
  }: {
    readonly store: Pick<SealedStore, 'collection' | 'transaction'>;
    readonly clock: Clock;
  }) {
    this.#store = store;
    this.#clock = clock;
    this.#records = store.collection('update-key', OnlineKeySchema);
    for (const record of this.#records.all()) this.#open(record);
    // They cost nothing, and a root can name only keys that are there.
    if (this.#keys.size === 0) this.make();
  }

  /** A key by its id; undefined when it is not one of ours. */
  byId(keyId: string): OnlineKey | undefined {
    return this.#keys.get(keyId);
  }

  /** The newest keys, one for each role. */
  newest(): OnlineKey[] {
    const generation = this.#newestGeneration();
    return [...this.#keys.values()].filter((key) => key.generation === generation);
  }

  /** Makes a key for each role. They sign nothing before roots name them. */
  make(): OnlineKey[] {
    const generation = this.#newestGeneration() + 1;
    const createdAtMs = this.#clock.nowMs();
    const made = ROLES.map(({ repository, role }): OnlineKeyRecord => {
      const pkcs8 = generatePrivateKey('Ed25519');
      const { keyID: keyId } = keyOf(softwareKeyHandle('Ed25519', pkcs8).publicKey);
      const text = Buffer.from(pkcs8.expose()).toString('base64');
      return { repository, role, keyId, pkcs8: text, generation, createdAtMs };
    });
    this.#store.transaction(() => {
      for (const record of made) this.#records.write(record.keyId, record);
    });
    return made.map((record) => this.#open(record));
  }

  /**
   * Destroys the keys that no root names any more, but for the newest ones.
   * @param named - the ids of all keys that are named.
   * @returns the ids of those that are gone.
   */
  removeUnused(named: ReadonlySet<string>): string[] {
    const generation = this.#newestGeneration();
    const gone = [...this.#keys.values()]
      .filter((one) => one.generation < generation && !named.has(one.key.keyID))
      .map(({ key }) => key.keyID);
    for (const keyId of gone) {
      this.#records.remove(keyId);
      this.#keys.delete(keyId);
    }
    return gone;
  }

  #newestGeneration(): number {
    return Math.max(0, ...[...this.#keys.values()].map(({ generation }) => generation));
  }

  #open({ repository, role, keyId, pkcs8, generation }: OnlineKeyRecord): OnlineKey {
    const handle = softwareKeyHandle('Ed25519', new Secret(Buffer.from(pkcs8, 'base64')));
    const opened = { repository, role, generation, key: keyOf(handle.publicKey), handle };
    this.#keys.set(keyId, opened);
    return opened;
  }
}
