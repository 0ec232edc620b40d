/** How long to wait before connecting again: exponential, with full jitter. @module */
import type { RandomFraction } from './clock.ts';
import { BACK_OFF } from './limits.ts';

/**
 * Counts failed connections. Each one doubles the ceiling below which the delay is drawn, so that
 * the devices of a fleet spread out when their server comes back.
 */
export class BackOff {
  readonly #random: RandomFraction;
  #failures = 0;

  constructor(random: RandomFraction) {
    this.#random = random;
  }

  /**
   * The delay before the next attempt, in milliseconds.
   * @param onlineMs - how long the connection that just ended was open; 0 when it never was. After
   *   a stable minute counting starts again; a server that closes at once is no success.
   */
  delayMs(onlineMs: number): number {
    if (onlineMs >= BACK_OFF.stableMs) this.#failures = 0;
    const ceilingMs = Math.min(BACK_OFF.capMs, BACK_OFF.firstMs * 2 ** this.#failures);
    // Beyond the cap another doubling changes nothing, and the power would overflow one day.
    if (ceilingMs < BACK_OFF.capMs) this.#failures += 1;
    return Math.floor(this.#random() * ceilingMs);
  }
}
