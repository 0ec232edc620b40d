/** The two orders in which Python sorts keys: by code point, and by number. @module */
import { BACKSLASH, hexValue4, LOWER_U } from './ascii.ts';
import type { Scan } from './scan.ts';

/** Compares the keys of two members by Unicode code point, as Python compares strings. */
export function compareKeys(scan: Scan, a: number, b: number): number {
  const { text } = scan;
  const aEnd = scan.keyEnd(a);
  const bEnd = scan.keyEnd(b);
  let i = scan.memberStart(a) + 1;
  let j = scan.memberStart(b) + 1;
  while (i < aEnd && j < bEnd) {
    const x = text[i] ?? 0;
    const y = text[j] ?? 0;
    if (x === y && x !== BACKSLASH) {
      i += 1;
      j += 1;
      continue;
    }
    const difference = codePointAt(text, i) - codePointAt(text, j);
    if (difference !== 0) return difference;
    // Equal characters have equal canonical texts, so both keys move on by the same width.
    const width = escapeWidth(text, i);
    i += width;
    j += width;
  }
  return aEnd - i - (bEnd - j);
}

/**
 * Compares two keys that `isNumberKey` accepts by their value, as Python compares the numbers that
 * they were before it turned them into text.
 */
export function compareNumberKeys(a: string, b: string): number {
  const x = numberOfKey(a);
  const y = numberOfKey(b);
  if (x !== y) return x - y;
  // Integers beyond 2^53 may share their double: then the longer one is farther from zero.
  const magnitude = a.length === b.length ? (a < b ? -1 : Number(a > b)) : a.length - b.length;
  return x < 0 ? -magnitude : magnitude;
}

/** Tells whether Python may have made this key out of an int, a float or a bool. */
export function isNumberKey(key: string): boolean {
  return NUMBER_KEY.test(key);
}

function numberOfKey(key: string): number {
  if (key === 'true') return 1;
  return key === 'false' ? 0 : Number(key);
}

const NUMBER_KEY =
  /^(?:-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:e[-+][0-9]+)?|Infinity)|true|false)$/u;

/** The code point that the canonical text has at an index: a plain character or an escape. */
function codePointAt(text: Uint8Array, at: number): number {
  const byte = text[at] ?? 0;
  if (byte !== BACKSLASH) return byte;
  const letter = text[at + 1] ?? 0;
  if (letter !== LOWER_U) return SHORT_ESCAPES.get(letter) ?? letter;
  const unit = hexValue4(text, at + 2);
  const low = isHighSurrogate(unit) ? escapedUnitAt(text, at + 6) : -1;
  if (low < 0xdc00 || low > 0xdfff) return unit;
  return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/** Bytes of the escape at an index: one of a surrogate pair stands for itself here. */
function escapeWidth(text: Uint8Array, at: number): number {
  return text[at + 1] === LOWER_U ? 6 : 2;
}

function escapedUnitAt(text: Uint8Array, at: number): number {
  return text[at] === BACKSLASH && text[at + 1] === LOWER_U ? hexValue4(text, at + 2) : -1;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Letter of a short escape to its character; `"` and `\` stand for themselves. */
const SHORT_ESCAPES: ReadonlyMap<number, number> = new Map(
  [
    ['b', '\b'],
    ['f', '\f'],
    ['n', '\n'],
    ['r', '\r'],
    ['t', '\t'],
  ].map(([letter = '', character = '']) => [letter.charCodeAt(0), character.charCodeAt(0)]),
);
