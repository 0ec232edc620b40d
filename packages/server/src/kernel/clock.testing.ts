/** Time for tests. @module */
import type { CancelTimer, Clock } from './clock.ts';

interface Timer {
  readonly atMs: number;
  readonly task: () => void;
}

/** A clock that the test moves; its timers run when it passes them, in the order of their time. */
export class TestClock implements Clock {
  ms: number;
  #timers: Timer[] = [];

  constructor(ms: number = Date.UTC(2026, 10, 21)) {
    this.ms = ms;
  }

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }

  after(delayMs: number, task: () => void): CancelTimer {
    const timer = { atMs: this.ms + delayMs, task };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const endMs = this.ms + ms;
    for (;;) {
      const [next] = this.#timers
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.ms = next.atMs;
      next.task();
    }
    this.ms = endMs;
  }
}
