/** Does what falls due again and again, looks at the clock often, and backs off after a failure. @module */
import { BackOff, type BackOffBounds } from './back-off.ts';
import type { CancelTimer, Clock, RandomFraction } from './clock.ts';
import { UPKEEP_CHECK_MS_MAX } from './limits.ts';

/** What is to be done, and when. */
export interface UpkeepDeps {
  readonly clock: Clock;
  readonly random: RandomFraction;
  /** Pauses after failures. */
  readonly backOff: BackOffBounds;
  /** When it is due, in milliseconds since 1970; asked again each time. */
  readonly dueMs: () => number;
  readonly run: () => Promise<void>;
  /** Least time from a success to the next run, in milliseconds, whatever the clock says. */
  readonly restMs: () => number;
  /** Is told of each failure. */
  readonly onFailure: (error: unknown, retryInMs: number) => void;
}

/** One recurring task. */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  #backOff: BackOff;
  #cancel: CancelTimer = () => {};
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #isStopped = false;

  /** Starts at once. */
  constructor(deps: UpkeepDeps) {
    this.#deps = deps;
    this.#backOff = this.#newBackOff();
    this.#wait();
  }

  /** Runs now, or joins what is running. Rejects with what it failed of. */
  runNow(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Timers of Node cannot wait for months, and the clock of a device may be set meanwhile. */
  #wait(): void {
    if (this.#isStopped) return;
    const waitMs = Math.min(UPKEEP_CHECK_MS_MAX, Math.max(0, this.#remainingMs()));
    this.#cancel();
    this.#cancel = this.#deps.clock.after(waitMs, () => this.#check());
  }

  #check(): void {
    if (this.#remainingMs() > 0) this.#wait();
    // What it failed of was told already.
    else this.runNow().catch(() => {});
  }

  #remainingMs(): number {
    const { clock, dueMs } = this.#deps;
    return Math.max(dueMs() - clock.nowMs(), this.#retryAtMs - clock.monotonicMs());
  }

  async #run(): Promise<void> {
    try {
      await this.#deps.run();
      this.#backOff = this.#newBackOff();
      this.#retryAtMs = this.#deps.clock.monotonicMs() + this.#deps.restMs();
    } catch (error) {
      const retryInMs = this.#backOff.delayMs(0);
      this.#retryAtMs = this.#deps.clock.monotonicMs() + retryInMs;
      if (!this.#isStopped) this.#deps.onFailure(error, retryInMs);
      throw error;
    } finally {
      this.#running = undefined;
      this.#wait();
    }
  }

  #newBackOff(): BackOff {
    return new BackOff(this.#deps.random, this.#deps.backOff);
  }
}
