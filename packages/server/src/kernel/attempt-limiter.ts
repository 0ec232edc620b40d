/** Slows down whoever guesses: failed attempts are counted for each key and time window. @module */
import type { Clock } from './clock.ts';

/** How many failures are allowed, and how many keys are remembered. */
export interface AttemptLimits {
  /** Failures of one key in one window. */
  readonly failuresMax: number;
  readonly windowMs: number;
  /** Keys remembered; when there are more, the oldest is forgotten. */
  readonly keysMax: number;
}

/** Counts failures by key, such as an address. Success is never counted, so nobody is locked out. */
export class AttemptLimiter {
  readonly #clock: Clock;
  readonly #limits: AttemptLimits;
  readonly #failures = new Map<string, { count: number; readonly endsAtMs: number }>();

  constructor(clock: Clock, limits: AttemptLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Whether this key has to wait until its window ends. */
  isHeldOff(key: string): boolean {
    const failures = this.#failures.get(key);
    if (failures === undefined) return false;
    if (this.#clock.monotonicMs() >= failures.endsAtMs) {
      this.#failures.delete(key);
      return false;
    }
    return failures.count >= this.#limits.failuresMax;
  }

  /** Counts a failure. */
  countFailure(key: string): void {
    const { keysMax, windowMs } = this.#limits;
    if (this.isHeldOff(key)) return;
    const failures = this.#failures.get(key);
    if (failures !== undefined) {
      failures.count += 1;
      return;
    }
    const [oldest] = this.#failures.keys();
    if (oldest !== undefined && this.#failures.size >= keysMax) this.#failures.delete(oldest);
    this.#failures.set(key, { count: 1, endsAtMs: this.#clock.monotonicMs() + windowMs });
  }
}
