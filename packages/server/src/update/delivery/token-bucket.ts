/** A rate that is kept by waiting. @module */

/** Bytes a second, and how many of them may leave at once. */
export interface BucketLimits {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * A token bucket that gives credit: what is taken is taken, and whoever took it waits until the
 * debt is paid. Those who share one wait for each other in the order in which they took.
 */
export class TokenBucket {
  readonly #limits: BucketLimits;
  #tokens: number;
  #filledAtMs: number;

  /** @param nowMs - monotonic time, as in {@link take}. */
  constructor(limits: BucketLimits, nowMs: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#filledAtMs = nowMs;
  }

  /** Gives back what was taken and not used. */
  give(count: number): void {
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + count);
  }

  /** Milliseconds until it is full, and as good as a new one. */
  fullInMs(nowMs: number): number {
    const { perSecond, burst } = this.#limits;
    const missing = burst - this.#tokens;
    return Math.max(0, Math.ceil(this.#filledAtMs + (missing / perSecond) * 1_000 - nowMs));
  }

  /** Takes tokens. @returns milliseconds to wait before they are used, 0 for none. */
  take(count: number, nowMs: number): number {
    const { perSecond, burst } = this.#limits;
    const earned = ((nowMs - this.#filledAtMs) / 1_000) * perSecond;
    this.#filledAtMs = nowMs;
    this.#tokens = Math.min(burst, this.#tokens + earned) - count;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens / perSecond) * 1_000);
  }
}
