/** A clock that stands still unless a sequence puts it forward. @module */
import {
  type CancelTimer,
  type Clock,
  systemClock,
} from '../../packages/server/src/kernel/index.ts';

interface Timer {
  readonly atMs: number;
  readonly task: () => void;
  cancel: CancelTimer;
}

/**
 * Tells the same time until it is told to jump: where the machine is busy for seconds, no peer may
 * fall silent and no second of an expiry may pass by that. What is to be done later is done when
 * the machine's clock says so, or before, when a jump reaches it.
 */
export class SteppedClock implements Clock {
  readonly #timers = new Set<Timer>();
  readonly #startMs = systemClock.nowMs();
  #aheadMs = 0;

  nowMs(): number {
    return Math.floor(this.#startMs + this.#aheadMs);
  }

  monotonicMs(): number {
    return this.#aheadMs;
  }

  after(delayMs: number, task: () => void): CancelTimer {
    const timer: Timer = { atMs: this.#aheadMs + delayMs, task, cancel: () => {} };
    this.#timers.add(timer);
    timer.cancel = systemClock.after(delayMs, () => this.#run(timer));
    return () => {
      timer.cancel();
      this.#timers.delete(timer);
    };
  }

  /** Jumps ahead; timers that are due by then run now, in their order. */
  advance(ms: number): void {
    this.#aheadMs += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.atMs - b.atMs)) {
      // The task of an earlier timer may have taken this one back.
      if (!this.#timers.has(timer) || timer.atMs > this.#aheadMs) continue;
      timer.cancel();
      this.#run(timer);
    }
  }

  #run(timer: Timer): void {
    this.#timers.delete(timer);
    timer.task();
  }
}
