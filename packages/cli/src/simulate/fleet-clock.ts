/** The clock of one simulated device: the real one, but for what it measured earlier. @module */
import type { Clock } from '@holdfast/device';

/** While a device hands over what it kept, its readings carry the time at which it measured. */
export class FleetClock implements Clock {
  readonly #nowMs: () => number;
  #pretendedMs: number | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#pretendedMs ?? this.#nowMs();
  }

  monotonicMs(): number {
    return performance.now();
  }

  after(delayMs: number, task: () => void): () => void {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  }

  /** Stands still at a time; undefined lets it go on. */
  pretend(timeMs: number | undefined): void {
    this.#pretendedMs = timeMs;
  }
}
