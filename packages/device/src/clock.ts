/** Time and chance as dependencies, so that tests decide about both. @module */
import { randomInt } from 'node:crypto';

/** Stops a timer; calling it again does nothing. */
export type CancelTimer = () => void;

/** What the SDK needs to know about time. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z, an integer. */
  nowMs(): number;
  /** Milliseconds that never run backwards, for intervals. */
  monotonicMs(): number;
  /** Runs `task` once after `delayMs`; the timer keeps the process alive. */
  after(delayMs: number, task: () => void): CancelTimer;
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Gives a number from 0 up to, but not including, 1. */
export type RandomFraction = () => number;

/** Chance from the operating system: devices that boot together must not reconnect together. */
export const systemRandom: RandomFraction = () => randomInt(2 ** 32) / 2 ** 32;
