/** Codes that a person types once: to become the first operator, to join, or to get back in. @module */
import { type RandomBytes, Secret } from '../kernel/index.ts';
import { credentialHash } from './credential-hash.ts';

/** Base32 without I, L, O and U: nobody confuses them with 1, 0 and V. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARACTERS = 16;
const GROUP_CHARACTERS = 4;

/** A new code, `XXXX-XXXX-XXXX-XXXX`: 80 bits. */
export function newOneTimeCode(random: RandomBytes): Secret<string> {
  // 256 is a multiple of 32, so every character is equally likely.
  const characters = Array.from(random(CHARACTERS), (byte) => ALPHABET.charAt(byte % 32));
  const groups = [];
  for (let at = 0; at < CHARACTERS; at += GROUP_CHARACTERS) {
    groups.push(characters.slice(at, at + GROUP_CHARACTERS).join(''));
  }
  return new Secret(groups.join('-'));
}

/** The hash by which a code is kept, of what a person typed: in any case and grouping. */
export function oneTimeCodeHash(typed: string): string {
  return credentialHash(
    typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1'),
  );
}
