/** The API key of a device in the header of a request. @module */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from '@holdfast/protocol';
import { DEVICE_API_KEY_HEADER } from '@holdfast/protocol/api';
import { AdmittedPeer, type ApiKeyCheck, type Gate, type ShownApiKey } from '../session/index.ts';

/** A key that was found right on a connection. */
interface RememberedKey {
  /** SHA-256 of the key: 32 random bytes need no stretching. */
  readonly hash: Uint8Array;
  readonly shown: ShownApiKey;
}

/** Who shows a key: whose certificate has ended is asked for it, too, and uses nothing by it. */
export type KeyedPeer = Pick<AdmittedPeer, 'kind' | 'principal'>;

/** A request, and its connection: one and the same object for the requests of one connection. */
export interface ShownBy {
  readonly headers: Headers;
  readonly connection: object;
}

/** Checks the header, once for each connection as long as it stays the same. */
export class ApiKeyHeader {
  readonly #check: Pick<ApiKeyCheck, 'checkKey' | 'recheck'>;
  readonly #gate: Pick<Gate, 'use'>;
  readonly #remembered = new WeakMap<object, RememberedKey>();

  constructor(check: Pick<ApiKeyCheck, 'checkKey' | 'recheck'>, gate: Pick<Gate, 'use'>) {
    this.#check = check;
    this.#gate = gate;
  }

  /**
   * What speaks against a request: a wrong key, one that has ended, or none where the class asks
   * for one. Undefined when nothing does.
   */
  async refusalOf(peer: KeyedPeer, { headers, connection }: ShownBy): Promise<Refusal | undefined> {
    const key = headers.get(DEVICE_API_KEY_HEADER);
    if (key === null) return this.#check.recheck(peer, undefined);
    const hash = hashOf(key);
    const known = this.#known(hash, connection);
    if (known !== undefined) return this.#check.recheck(peer, known);
    const shown = await this.#check.checkKey(peer, key);
    if (shown instanceof Refusal) return shown;
    this.#remembered.set(connection, { hash, shown });
    return AdmittedPeer.is(peer) ? this.#gate.use(peer) : undefined;
  }

  /** As {@link refusalOf}, for a request that it let pass and that has waited since. */
  recheck(peer: KeyedPeer, { headers, connection }: ShownBy): Refusal | undefined {
    const key = headers.get(DEVICE_API_KEY_HEADER);
    const shown = key === null ? undefined : this.#known(hashOf(key), connection);
    return this.#check.recheck(peer, shown);
  }

  #known(hash: Uint8Array, connection: object): ShownApiKey | undefined {
    const known = this.#remembered.get(connection);
    return known !== undefined && timingSafeEqual(known.hash, hash) ? known.shown : undefined;
  }
}

function hashOf(key: string): Uint8Array {
  return createHash('sha256').update(key, 'utf8').digest();
}
