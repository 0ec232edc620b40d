/** How long to wait before connecting again: exponential, with full jitter. @module */
import type { RandomFraction } from './clock.ts';
import { BACK_OFF } from './limits.ts';

/** First and largest ceiling of the delay, and how long counts as stable, in milliseconds. */
export interface BackOffBounds {
  readonly firstMs: number;
  readonly capMs: number;
  readonly stableMs: number;
}

/**
 * Counts failed connections. Each one doubles the ceiling below which the delay is drawn, so that
 * the devices of a fleet spread out when their server comes back.
 */
export class BackOff {
  readonly #random: RandomFraction;
  readonly #bounds: BackOffBounds;
  #failures = 0;

  constructor(random: RandomFraction, bounds: BackOffBounds = BACK_OFF) {
    this.#random = random;
    this.#bounds = bounds;
  }

  /**
   * The delay before the next attempt, in milliseconds.
   * @param onlineMs - how long the connection that just ended was open; 0 when it never was. After
   *   a stable minute counting starts again; a server that closes at once is no success.
   */
  delayMs(onlineMs: number): number {
    const { firstMs, capMs, stableMs } = this.#bounds;
    if (onlineMs >= stableMs) this.#failures = 0;
    const ceilingMs = Math.min(capMs, firstMs * 2 ** this.#failures);
    // Beyond the cap another doubling changes nothing, and the power would overflow one day.
    if (ceilingMs < capMs) this.#failures += 1;
    return Math.floor(this.#random() * ceilingMs);
  }
}
