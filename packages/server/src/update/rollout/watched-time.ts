/** For how long devices were listened to. @module */
import type { Clock } from '../../kernel/index.ts';
import { CLOCK_LEAP_MS } from './limits.ts';

/**
 * The time since the server has started to listen. It begins again when the clock on the wall was
 * set, or the machine has slept: what is measured by that clock has not passed then.
 */
export class WatchedTime {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  #sinceMs = 0;
  /** By how much the clock on the wall was ahead of the other one. */
  #aheadMs = 0;

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock;
    this.restart();
  }

  restart(): void {
    this.#sinceMs = this.#clock.monotonicMs();
    this.#aheadMs = this.#clock.nowMs() - this.#sinceMs;
  }

  /** Compares the clocks; to be called from time to time. */
  look(): void {
    const aheadMs = this.#clock.nowMs() - this.#clock.monotonicMs();
    if (Math.abs(aheadMs - this.#aheadMs) >= CLOCK_LEAP_MS) this.restart();
  }

  /** Milliseconds. */
  get ms(): number {
    return this.#clock.monotonicMs() - this.#sinceMs;
  }
}
