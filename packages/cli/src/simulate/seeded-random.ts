/** Chance that comes out the same for the same seed, so that a simulation can be repeated. @module */

/** A small generator (mulberry32). It is for believable readings, never for keys. */
export class SeededRandom {
  #state: number;

  /** @param seed - any text; texts that differ give sequences that have nothing in common. */
  constructor(seed: string) {
    this.#state = fnv1a(seed);
  }

  /** From 0 up to, but not including, 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }

  /** Close to a normal distribution with mean 0 and deviation 1; never beyond 6. */
  normal(): number {
    let sum = -6;
    for (let at = 0; at < 12; at += 1) sum += this.fraction();
    return sum;
  }

  /** The time until something happens that happens once in `mean` on average. */
  waiting(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.fraction() * items.length)] ?? items[0];
  }
}

/** FNV-1a, 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash | 0;
}
