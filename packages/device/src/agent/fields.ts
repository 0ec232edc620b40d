/** Reads the members of a JSON object strictly, and says which of them is wrong. @module */

/** A member that is missing, unknown or wrong. The message names it. */
export class FieldError extends Error {}

/** Least and most of a number, and what it is when it is not there. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

/** One object. Every member has to be asked for before {@link Fields.end}. */
export class Fields {
  readonly #path: string;
  readonly #members: Map<string, unknown>;
  readonly #asked = new Set<string>();

  /** @throws FieldError when it is no object */
  constructor(value: unknown, path = '') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new FieldError(`${path === '' ? 'the whole' : path} is no JSON object`);
    }
    this.#path = path;
    this.#members = new Map<string, unknown>(Object.entries(value));
  }

  has(name: string): boolean {
    this.#asked.add(name);
    return this.#members.has(name);
  }

  /** A text of 1 to 4,096 characters without NUL. */
  text(name: string, form: RegExp = TEXT): string {
    const value = this.value(name);
    if (typeof value === 'string' && form.test(value)) return value;
    throw this.#wrong(name, value === undefined ? 'is missing' : 'does not have its form');
  }

  optionalText(name: string, form?: RegExp): string | undefined {
    return this.has(name) ? this.text(name, form) : undefined;
  }

  oneOf<const T extends string>(name: string, values: readonly T[], fallback?: T): T {
    if (fallback !== undefined && !this.has(name)) return fallback;
    const value = this.value(name);
    const found = values.find((one) => one === value);
    if (found !== undefined) return found;
    throw this.#wrong(name, `is none of ${values.join(', ')}`);
  }

  integer(name: string, { min, max, default: fallback }: NumberRange): number {
    if (fallback !== undefined && !this.has(name)) return fallback;
    const value = this.value(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) {
      return value;
    }
    throw this.#wrong(name, `is no integer from ${min} to ${max}`);
  }

  boolean(name: string): boolean {
    const value = this.value(name);
    if (typeof value === 'boolean') return value;
    throw this.#wrong(name, 'is neither true nor false');
  }

  object(name: string): Fields {
    return new Fields(this.value(name), this.#pathOf(name));
  }

  /** A list of 0 to `max` parts; none when the member is missing. */
  list<T>(name: string, { max, read }: ListForm<T>): readonly T[] {
    if (!this.has(name)) return [];
    const value = this.value(name);
    if (!Array.isArray(value)) throw this.#wrong(name, 'is no list');
    if (value.length > max) throw this.#wrong(name, `has more than ${max} parts`);
    return value.map((part: unknown, at) => read(part, `${this.#pathOf(name)}[${at}]`));
  }

  texts(name: string, max: number): readonly string[] {
    return this.list(name, {
      max,
      read: (part, path) => {
        if (typeof part === 'string' && TEXT.test(part)) return part;
        throw new FieldError(`${path} is no text`);
      },
    });
  }

  value(name: string): unknown {
    this.#asked.add(name);
    return this.#members.get(name);
  }

  /** @throws FieldError when there is a member that nobody asked for: it may be misspelled */
  end(): void {
    const unknown = [...this.#members.keys()].find((name) => !this.#asked.has(name));
    if (unknown !== undefined) throw this.#wrong(unknown, 'is unknown here');
  }

  #wrong(name: string, what: string): FieldError {
    return new FieldError(`"${this.#pathOf(name)}" ${what}`);
  }

  #pathOf(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}

/** How long a list may be, and how a part of it is read. */
export interface ListForm<T> {
  readonly max: number;
  readonly read: (part: unknown, path: string) => T;
}

const TEXT = /^[^\0]{1,4096}$/u;
