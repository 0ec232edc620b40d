/** Counts by key within windows of time: failures of an address, for one. @module */
import type { Clock } from './clock.ts';

/** The bounds of a counter. */
export interface WindowLimits {
  /** Length of a window, in milliseconds. It begins with the first count of a key. */
  readonly windowMs: number;
  /** Keys remembered; when there are more, the oldest window is forgotten. */
  readonly keysMax: number;
}

/** Counts by key. Counting on does not prolong a window. */
export class WindowCounter {
  readonly #clock: Clock;
  readonly #limits: WindowLimits;
  /** The first key is the oldest window, because a new window is put at the end. */
  readonly #windows = new Map<string, { count: number; readonly endsAtMs: number }>();

  constructor(clock: Clock, limits: WindowLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Adds one, or more; gives the count of the current window. */
  add(key: string, amount = 1): number {
    const nowMs = this.#clock.monotonicMs();
    const window = this.#windows.get(key);
    if (window !== undefined && nowMs < window.endsAtMs) {
      window.count += amount;
      return window.count;
    }
    const { keysMax, windowMs } = this.#limits;
    this.#windows.delete(key);
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined && this.#windows.size >= keysMax) this.#windows.delete(oldest);
    this.#windows.set(key, { count: amount, endsAtMs: nowMs + windowMs });
    return amount;
  }

  /** Takes one back that was counted ahead; nothing when its window is over. */
  takeBack(key: string): void {
    const window = this.#windows.get(key);
    if (window !== undefined) window.count = Math.max(0, window.count - 1);
  }

  /** The count of the current window; 0 when none runs. */
  count(key: string): number {
    const window = this.#windows.get(key);
    if (window === undefined || this.#clock.monotonicMs() >= window.endsAtMs) return 0;
    return window.count;
  }
}
