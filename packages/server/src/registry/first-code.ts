/** The one-time code with which the first operator signs in. @module */
import { type RandomBytes, Secret } from '../kernel/index.ts';
import { credentialHash, hashesAreEqual } from './credential-hash.ts';

/** Base32 without I, L, O and U: nobody confuses them with 1, 0 and V. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARACTERS = 16;
const GROUP_CHARACTERS = 4;

/**
 * Wrong attempts after which a code is void. The code has 80 bits, so that even this many guesses
 * find nothing, while a prankster needs a while to force a restart.
 */
export const FIRST_CODE_ATTEMPTS_MAX = 100;

/** The code of this start of the server; only its hash is kept, and only in memory. */
export class FirstCode {
  #hash: string | undefined;
  #attempts = 0;

  /** Makes a new code, `XXXX-XXXX-XXXX-XXXX` (80 bits); an earlier one is void. */
  renew(random: RandomBytes): Secret<string> {
    // 256 is a multiple of 32, so every character is equally likely.
    const characters = Array.from(random(CHARACTERS), (byte) => ALPHABET.charAt(byte % 32)).join(
      '',
    );
    this.#hash = credentialHash(characters);
    this.#attempts = 0;
    const groups = [];
    for (let at = 0; at < CHARACTERS; at += GROUP_CHARACTERS) {
      groups.push(characters.slice(at, at + GROUP_CHARACTERS));
    }
    return new Secret(groups.join('-'));
  }

  /** Tells whether this is the code, in any case and grouping, and counts the attempt if not. */
  matches(code: string): boolean {
    if (this.#hash === undefined) return false;
    if (hashesAreEqual(credentialHash(plain(code)), this.#hash)) return true;
    this.#attempts += 1;
    if (this.#attempts >= FIRST_CODE_ATTEMPTS_MAX) this.end();
    return false;
  }

  /** Makes the code void. */
  end(): void {
    this.#hash = undefined;
  }
}

/** The code as it was made, from what a person typed. */
function plain(code: string): string {
  return code.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
}
