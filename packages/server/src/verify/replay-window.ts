/** Accepts each counter of a device once. @module */

/** How far a counter may lie behind the highest one and still be accepted, once. */
export const REPLAY_WINDOW_SIZE = 1_024;

const WORD_BITS = 32;

/** The counters of a device as far as they are known when the server starts. */
export interface KnownCounters {
  /** The highest accepted one, -1 for none. */
  readonly highest: number;
  /**
   * Up to here it is not known which ones were accepted: all of them count as seen, as a late
   * message is refused rather than accepted twice. -1 when everything is known.
   */
  readonly unknownUpTo: number;
  /** Those that were accepted above. */
  readonly seen: readonly number[];
}

/** A device that has sent nothing. */
export const NO_COUNTERS: KnownCounters = { highest: -1, unknownUpTo: -1, seen: [] };

/**
 * A sliding window over counters, in the manner of RFC 4303 §3.4.3: what is above the highest
 * counter is new, what lies within the window is new unless it was seen, what is below is old.
 */
export class ReplayWindow {
  /** One bit for each counter of the window, at its value modulo the window's size. */
  readonly #seen = new Uint32Array(REPLAY_WINDOW_SIZE / WORD_BITS);
  #highest: number;

  /** @param known - What is known from before a restart. */
  constructor({ highest, unknownUpTo, seen }: KnownCounters = NO_COUNTERS) {
    this.#highest = highest;
    if (highest < 0) return;
    for (let at = Math.max(0, highest - REPLAY_WINDOW_SIZE + 1); at <= unknownUpTo; at += 1) {
      this.#mark(at);
    }
    for (const counter of seen) {
      if (counter <= highest && highest - counter < REPLAY_WINDOW_SIZE) this.#mark(counter);
    }
  }

  /** The highest accepted counter, -1 for none. */
  get highest(): number {
    return this.#highest;
  }

  /** Accepts `counter` (0 to 2^53 - 1) and marks it, or returns false: it is a replay or too old. */
  accept(counter: number): boolean {
    if (counter > this.#highest) {
      this.#advance(counter);
    } else if (this.#highest - counter >= REPLAY_WINDOW_SIZE || this.#isSeen(counter)) {
      return false;
    }
    this.#mark(counter);
    return true;
  }

  #advance(highest: number): void {
    if (highest - this.#highest >= REPLAY_WINDOW_SIZE) this.#seen.fill(0);
    else for (let at = this.#highest + 1; at < highest; at += 1) this.#clear(at);
    this.#highest = highest;
  }

  #isSeen(counter: number): boolean {
    const bit = counter % REPLAY_WINDOW_SIZE;
    return (((this.#seen[Math.floor(bit / WORD_BITS)] ?? 0) >>> (bit % WORD_BITS)) & 1) === 1;
  }

  #mark(counter: number): void {
    const bit = counter % REPLAY_WINDOW_SIZE;
    const word = Math.floor(bit / WORD_BITS);
    this.#seen[word] = (this.#seen[word] ?? 0) | (1 << (bit % WORD_BITS));
  }

  #clear(counter: number): void {
    const bit = counter % REPLAY_WINDOW_SIZE;
    const word = Math.floor(bit / WORD_BITS);
    this.#seen[word] = (this.#seen[word] ?? 0) & ~(1 << (bit % WORD_BITS));
  }
}
