/** What a verification finds. @module */

/** Something that is not as it was written. */
export interface LogFinding {
  /** First and last entry concerned, where entries are. */
  readonly entries?: { readonly first: number; readonly last: number };
  /** What is wrong, in plain words. */
  readonly what: string;
}

/** Findings after which a verification stops: more would not tell more. */
export const FINDINGS_MAX = 100;

/** Gathers findings; those that say the same of adjacent entries become one. */
export class Findings {
  readonly #list: { entries?: { first: number; last: number }; what: string }[] = [];

  get list(): readonly LogFinding[] {
    return this.#list;
  }

  get count(): number {
    return this.#list.length;
  }

  get isFull(): boolean {
    return this.#list.length >= FINDINGS_MAX;
  }

  add(what: string, first?: number, last: number | undefined = first): void {
    const previous = this.#list.at(-1);
    if (first !== undefined && last !== undefined && previous?.what === what) {
      const { entries } = previous;
      if (entries !== undefined && first >= entries.first && first <= entries.last + 1) {
        entries.last = Math.max(entries.last, last);
        return;
      }
    }
    if (this.isFull) return;
    if (first === undefined || last === undefined) this.#list.push({ what });
    else this.#list.push({ entries: { first, last }, what });
  }

  /** Reads from the database, or finds that it is damaged there and goes on with `otherwise`. */
  attempt<T>(what: string, otherwise: T, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.add(`${what} cannot be read: ${messageOf(error)}`);
      return otherwise;
    }
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
