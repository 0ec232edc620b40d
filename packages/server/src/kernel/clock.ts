/** Time as a dependency: nothing else in the server reads a clock or sets a timer. @module */

/** Stops a timer; calling it again does nothing. */
export type CancelTimer = () => void;

/** The clock that every stage is given. Tests give a virtual one. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z, an integer. */
  nowMs(): number;
  /** Milliseconds that never run backwards, for intervals. */
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`. The timer does not keep the process alive. */
  after(delayMs: number, task: () => void): CancelTimer;
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs` on the given clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
