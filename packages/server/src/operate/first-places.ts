/** The first few of many, without sorting them all. @module */

/** Where a device stands: by a key, and by its rank among those with the same. */
export interface Place {
  readonly key: number;
  readonly rank: number;
}

/**
 * Keeps the first places of an order: a binary heap whose root is the last of them, so that most
 * others are told off by one comparison.
 */
export class FirstPlaces {
  readonly #max: number;
  readonly #sign: 1 | -1;
  readonly #keys: number[] = [];
  readonly #ranks: number[] = [];

  constructor(max: number, order: 'asc' | 'desc') {
    this.#max = max;
    this.#sign = order === 'asc' ? 1 : -1;
  }

  get isFull(): boolean {
    return this.#keys.length >= this.#max;
  }

  add(key: number, rank: number): void {
    if (!this.isFull) {
      this.#keys.push(key);
      this.#ranks.push(rank);
      this.#rise(this.#keys.length - 1);
    } else if (this.#compare(key, rank, 0) < 0) {
      this.#keys[0] = key;
      this.#ranks[0] = rank;
      this.#sink(0);
    }
  }

  /** All that are kept, in their order. */
  take(): Place[] {
    const places = this.#keys.map((key, at) => ({ key, rank: this.#ranks[at] ?? 0 }));
    return places.sort((a, b) => this.#sign * (a.key - b.key || a.rank - b.rank));
  }

  /** Less than 0: the place comes before the one that is kept at `at`. */
  #compare(key: number, rank: number, at: number): number {
    return this.#sign * (key - (this.#keys[at] ?? 0) || rank - (this.#ranks[at] ?? 0));
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >>> 1;
      if (this.#isInPlace(parent, at)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      let last = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#keys.length && !this.#isInPlace(last, child)) last = child;
      }
      if (last === at) return;
      this.#swap(at, last);
      at = last;
    }
  }

  /** Whether a parent comes behind its child, as it has to. */
  #isInPlace(parent: number, child: number): boolean {
    return this.#compare(this.#keys[child] ?? 0, this.#ranks[child] ?? 0, parent) <= 0;
  }

  #swap(a: number, b: number): void {
    [this.#keys[a], this.#keys[b]] = [this.#keys[b] ?? 0, this.#keys[a] ?? 0];
    [this.#ranks[a], this.#ranks[b]] = [this.#ranks[b] ?? 0, this.#ranks[a] ?? 0];
  }
}
