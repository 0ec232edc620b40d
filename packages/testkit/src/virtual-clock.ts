/** A clock that stands still until a test moves it. @module */

interface Timer {
  readonly dueMs: number;
  readonly task: () => void;
}

/**
 * Time as a test wants it, for everything that takes a clock as a parameter. It begins at the
 * machine's time, shifted by `shiftMs`, so that certificates are as valid as a test needs them.
 */
export class VirtualClock {
  readonly #startMs: number;
  #elapsedMs = 0;
  readonly #timers = new Set<Timer>();

  constructor({ shiftMs = 0 }: { readonly shiftMs?: number } = {}) {
    this.#startMs = Date.now() + shiftMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = { dueMs: this.#elapsedMs + delayMs, task };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves on and runs what falls due on the way, in order. */
  advance(ms: number): void {
    const untilMs = this.#elapsedMs + ms;
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.dueMs > untilMs) break;
      this.#timers.delete(next);
      this.#elapsedMs = next.dueMs;
      next.task();
    }
    this.#elapsedMs = untilMs;
  }

  /** Moves on as a machine that slept: what fell due meanwhile runs once, at the end. */
  sleep(ms: number): void {
    this.#elapsedMs += ms;
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= this.#elapsedMs);
    for (const timer of due.sort((a, b) => a.dueMs - b.dueMs)) {
      if (this.#timers.delete(timer)) timer.task();
    }
  }

  /** The timer that falls due first; of two at the same time, the one that was set first. */
  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.dueMs < next.dueMs) next = timer;
    }
    return next;
  }
}
