/** The machine's clock, which a sequence may put forward instead of waiting. @module */
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

/** Runs as the machine's clock does, and jumps when told to. */
export class SteppedClock implements Clock {
  readonly #timers = new Set<Timer>();
  #aheadMs = 0;

  nowMs(): number {
    return Math.floor(systemClock.nowMs() + this.#aheadMs);
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#aheadMs;
  }

  after(delayMs: number, task: () => void): CancelTimer {
    const timer: Timer = { atMs: this.monotonicMs() + delayMs, task, cancel: () => {} };
    this.#timers.add(timer);
    this.#arm(timer);
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
      if (!this.#timers.has(timer)) continue;
      timer.cancel();
      if (timer.atMs <= this.monotonicMs()) this.#run(timer);
      else this.#arm(timer);
    }
  }

  #arm(timer: Timer): void {
    const leftMs = Math.max(0, timer.atMs - this.monotonicMs());
    timer.cancel = systemClock.after(leftMs, () => this.#run(timer));
  }

  #run(timer: Timer): void {
    this.#timers.delete(timer);
    timer.task();
  }
}
