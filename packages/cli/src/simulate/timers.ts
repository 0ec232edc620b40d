/** Timers that can all be stopped at once. @module */

/** The timers of one device. */
export class Timers {
  readonly #running = new Set<NodeJS.Timeout>();
  #isStopped = false;

  /** Calls `task` once, unless all of them are stopped before. */
  after(delayMs: number, task: () => void): void {
    if (this.#isStopped) return;
    const timer = setTimeout(() => {
      this.#running.delete(timer);
      task();
    }, delayMs);
    this.#running.add(timer);
  }

  /** Stops those that are running; others can be set afterwards. */
  clear(): void {
    for (const timer of this.#running) clearTimeout(timer);
    this.#running.clear();
  }

  /** For good: what is asked for afterwards never happens. */
  stop(): void {
    this.#isStopped = true;
    this.clear();
  }
}
