/** The one-time code with which the first operator signs in. @module */
import type { RandomBytes, Secret } from '../kernel/index.ts';
import { hashesAreEqual } from './credential-hash.ts';
import { newOneTimeCode, oneTimeCodeHash } from './one-time-code.ts';

/**
 * Wrong attempts after which a code is void. The code has 80 bits, so that even this many guesses
 * find nothing, while a prankster needs a while to force a restart.
 */
export const FIRST_CODE_ATTEMPTS_MAX = 100;

/** The code of this start of the server; only its hash is kept, and only in memory. */
export class FirstCode {
  #hash: string | undefined;
  #attempts = 0;

  /** Makes a new code; an earlier one is void. */
  renew(random: RandomBytes): Secret<string> {
    const code = newOneTimeCode(random);
    this.#hash = oneTimeCodeHash(code.expose());
    this.#attempts = 0;
    return code;
  }

  /** Tells whether this is the code, in any case and grouping, and counts the attempt if not. */
  matches(code: string): boolean {
    if (this.#hash === undefined) return false;
    if (hashesAreEqual(oneTimeCodeHash(code), this.#hash)) return true;
    this.#attempts += 1;
    if (this.#attempts >= FIRST_CODE_ATTEMPTS_MAX) this.end();
    return false;
  }

  /** Makes the code void. */
  end(): void {
    this.#hash = undefined;
  }
}
