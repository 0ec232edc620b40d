/** What a person has scanned, pasted or typed. @module */
import { PAIRED_WITH, type PairingText, parsePairing } from '@holdfast/protocol';
import { decoded } from '../decoded.ts';

/** A code as it is typed: what it is for, and its sixteen characters. */
export interface TypedCode {
  readonly of: string;
  readonly code: string;
}

/** What a code says; the place of the server only where it was scanned or pasted. */
export type ReadCode = TypedCode & Partial<Omit<PairingText, keyof TypedCode>>;

const BEGINNING = 'holdfast-pair/1/';
const CODE_CHARACTERS = 16;

/**
 * Reads the whole text of a code, also out of a link of this page or among other words.
 * @returns undefined when there is none in it.
 */
export function readScanned(text: string): PairingText | undefined {
  const plain = decoded(text);
  const from = plain.indexOf(BEGINNING);
  if (from < 0) return undefined;
  const [word = ''] = plain.slice(from).split(/[\s"'<>]/u, 1);
  return parsePairing(word);
}

/**
 * Reads what was typed into the two fields. Case, spaces and hyphens of the code do not matter.
 * @returns what is wrong with it, as a sentence, or the code.
 */
export function readTyped(of: string, code: string): TypedCode | string {
  const name = of.trim();
  if (name === '') return 'Type the name of the device, as its label or display shows it.';
  if (!PAIRED_WITH.test(name))
    return 'A name has letters, digits, dots, hyphens and underscores only.';
  const characters = code.toUpperCase().replaceAll(/[^0-9A-Z]/gu, '');
  if (characters.length !== CODE_CHARACTERS) {
    return `The code has 16 letters and digits; these are ${characters.length}.`;
  }
  const groups = characters.match(/.{4}/gu) ?? [];
  return { of: name, code: groups.join('-') };
}

/** The code as it is being typed: in groups of four. */
export function grouped(code: string): string {
  const characters = code
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/gu, '')
    .slice(0, CODE_CHARACTERS);
  return (characters.match(/.{1,4}/gu) ?? []).join('-');
}

/** A link of this page that carries a code behind its #, which browsers send to nobody. */
export function linkOf(pairingText: string, origin: string): string {
  return `${origin}/app#/pair/${encodeURIComponent(pairingText)}`;
}
