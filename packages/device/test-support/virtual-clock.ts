/** A clock that stands still until a test moves it. @module */
import type { CancelTimer, Clock } from '../src/clock.ts';

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

/** Time as a test wants it. It begins at the machine's time, so that certificates are valid. */
export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #startMs = Date.now();
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, task: () => void): CancelTimer {
    const timer = { dueMs: this.#elapsedMs + delayMs, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Sets the time of day, as somebody sets a clock: no timer falls due. */
  jump(ms: number): void {
    this.#startMs += ms;
  }

  /** Moves on and runs what falls due on the way, in order. */
  advance(ms: number): void {
    const untilMs = this.#elapsedMs + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined || next.dueMs > untilMs) break;
      this.#timers.delete(next);
      this.#elapsedMs = next.dueMs;
      next.task();
    }
    this.#elapsedMs = untilMs;
  }
}
