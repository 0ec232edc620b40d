/** Ids in their order, which is kept as they come: sorting ten thousand for each page is not. @module */

/** A growing set of ids, ordered by UTF-16 units. */
export class SortedIds {
  readonly #ids: string[];

  /** @param ids - each one once, in any order. */
  constructor(ids: Iterable<string>) {
    this.#ids = [...ids].sort((a, b) => (a < b ? -1 : 1));
  }

  /** Adds an id that is not there yet. */
  add(id: string): void {
    this.#ids.splice(this.#placeAfter(id), 0, id);
  }

  /** Those that come after an id, which need not be there itself; after `''` come all. */
  *after(id: string): Generator<string> {
    for (let at = this.#placeAfter(id); at < this.#ids.length; at += 1) {
      const found = this.#ids[at];
      if (found !== undefined) yield found;
    }
  }

  /** How many are not greater than this one. */
  #placeAfter(id: string): number {
    let [low, high] = [0, this.#ids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] ?? '') <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
