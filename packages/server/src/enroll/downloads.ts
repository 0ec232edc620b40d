/** How much strangers may fetch: requests by network, and large answers at a time. @module */
import type { ServerResponse } from 'node:http';
import { type Refusal, refuse } from '@holdfast/protocol';
import { type Clock, WindowCounter, networkOf } from '../kernel/index.ts';
import {
  DOWNLOADS_MAX,
  DOWNLOADS_PER_NETWORK_MAX,
  DOWNLOAD_MS_MAX,
  REVOCATION_KEYS_MAX,
  REVOCATION_REQUESTS_MAX,
  REVOCATION_WINDOW_MS,
} from './limits.ts';

/** Bounds what is served to everybody. */
export class Downloads {
  readonly #clock: Clock;
  readonly #requests: WindowCounter;
  readonly #open = new Map<string, number>();
  #openCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#requests = new WindowCounter(clock, {
      windowMs: REVOCATION_WINDOW_MS,
      keysMax: REVOCATION_KEYS_MAX,
    });
  }

  /** Counts a request; `E_ENROLL_REVOCATION_RATE` when it is one too many. */
  count(address: string): Refusal | undefined {
    const count = this.#requests.add(networkOf(address));
    if (count <= REVOCATION_REQUESTS_MAX) return undefined;
    return refuse('E_ENROLL_REVOCATION_RATE', `${count} requests of this network in a minute`);
  }

  /**
   * Lets a large answer begin, which is then kept in memory until the peer has read it; a peer
   * that is too slow is cut off. `E_ENROLL_REVOCATION_RATE` when too many are on their way.
   */
  begin(address: string, response: ServerResponse): Refusal | undefined {
    const network = networkOf(address);
    const ofNetwork = this.#open.get(network) ?? 0;
    if (this.#openCount >= DOWNLOADS_MAX || ofNetwork >= DOWNLOADS_PER_NETWORK_MAX) {
      const counts = `${this.#openCount} in all, ${ofNetwork} of this network`;
      return refuse('E_ENROLL_REVOCATION_RATE', `downloads on their way: ${counts}`);
    }
    this.#openCount += 1;
    this.#open.set(network, ofNetwork + 1);
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      this.#end(network);
    };
    // A pipelined answer that never got its turn on the connection has no event 'close'.
    const cancel = this.#clock.after(DOWNLOAD_MS_MAX, () => {
      response.destroy();
      end();
    });
    response.once('close', end);
    return undefined;
  }

  #end(network: string): void {
    this.#openCount -= 1;
    const left = (this.#open.get(network) ?? 1) - 1;
    if (left === 0) this.#open.delete(network);
    else this.#open.set(network, left);
  }
}
