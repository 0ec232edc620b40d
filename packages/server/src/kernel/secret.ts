/** A value that cannot be printed by accident. @module */
import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * Holds a secret. Printing, logging, serializing or inspecting it gives `[redacted]`; the only way
 * to the value is {@link Secret.expose}, which is easy to find in a review.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The secret itself, for the one call that needs it. */
  expose(): T {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** A secret key or token as bytes. */
export type SecretBytes = Secret<Uint8Array>;
