/** A queue whose front is taken in constant time, however long it is. @module */

/** Below this many taken places nothing is moved. */
const TAKEN_MIN = 1_024;

/** First in, first out. `Array.shift` moves all that follows: with 100,000 in line, for each one. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  /** Places at the front that were taken. */
  #taken = 0;

  get length(): number {
    return this.#items.length - this.#taken;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The first one, which stays. */
  peek(): T | undefined {
    return this.#items[this.#taken];
  }

  /** Takes the first one. */
  shift(): T | undefined {
    const item = this.#items[this.#taken];
    if (this.length === 0) return undefined;
    this.#items[this.#taken] = undefined;
    this.#taken += 1;
    if (this.#taken >= TAKEN_MIN && this.#taken * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }

  /** The first `count`, which stay. */
  first(count: number): T[] {
    return this.#items.slice(this.#taken, this.#taken + count).filter((item) => item !== undefined);
  }

  /** All, from the first to the last, which stay. */
  all(): T[] {
    return this.first(this.length);
  }

  /** Removes one, wherever it stands. */
  remove(item: T): void {
    const at = this.#items.indexOf(item, this.#taken);
    if (at !== -1) this.#items.splice(at, 1);
  }
}
