/** Lets so many events of a kind through in a second, and counts the others. @module */
import type { CancelTimer, Clock } from '../../kernel/index.ts';

/** A bound for one kind of event. */
export class EventLimit {
  readonly #clock: Clock;
  readonly #perSecondMax: number;
  readonly #tell: (leftOut: number) => void;
  #count = 0;
  #cancel: CancelTimer | undefined;

  /** @param tell - hears at the end of a second how many were not let through in it. */
  constructor(
    clock: Clock,
    { perSecondMax, tell }: { perSecondMax: number; tell: (leftOut: number) => void },
  ) {
    this.#clock = clock;
    this.#perSecondMax = perSecondMax;
    this.#tell = tell;
  }

  /** Whether one more may go through now. */
  take(): boolean {
    this.#cancel ??= this.#clock.after(1_000, () => this.#endSecond());
    this.#count += 1;
    return this.#count <= this.#perSecondMax;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#count = 0;
  }

  #endSecond(): void {
    const leftOut = this.#count - this.#perSecondMax;
    this.stop();
    if (leftOut > 0) this.#tell(leftOut);
  }
}
