/** The API key of a device in the header of a request. @module */
import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from '@holdfast/protocol';
import { DEVICE_API_KEY_HEADER } from '@holdfast/protocol/api';
import type { AdmittedPeer, ApiKeyCheck, Gate, ShownApiKey } from '../session/index.ts';

/** A key that was found right on a connection. */
interface RememberedKey {
  /** SHA-256 of the key: 32 random bytes need no stretching. */
  readonly hash: Uint8Array;
  readonly shown: ShownApiKey;
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
   * @param connection - One and the same object for the requests of one connection.
   */
  async refusalOf(
    peer: AdmittedPeer,
    { headers, connection }: { headers: Headers; connection: object },
  ): Promise<Refusal | undefined> {
    const key = headers.get(DEVICE_API_KEY_HEADER);
    if (key === null) return this.#check.recheck(peer, undefined);
    const hash = createHash('sha256').update(key, 'utf8').digest();
    const known = this.#remembered.get(connection);
    if (known !== undefined && timingSafeEqual(known.hash, hash)) {
      return this.#check.recheck(peer, known.shown);
    }
    const shown = await this.#check.checkKey(peer, key);
    if (shown instanceof Refusal) return shown;
    this.#remembered.set(connection, { hash, shown });
    return this.#gate.use(peer);
  }
}
