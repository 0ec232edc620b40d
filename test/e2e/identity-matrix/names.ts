/** Ids that are not the peer's own, or are no ids. @module */

/** What is wrong with an id, and the id. */
export type WrongName = readonly [what: string, name: string];

/** Ids that a peer may call itself by, and none is that of pump-1. */
export const WRONG_IDS: readonly WrongName[] = [
  ['of another device', 'pump-2'],
  ['of no device', 'nobody'],
  ['wildcard *', '*'],
  ['wildcard +', '+'],
  ['wildcard #', '#'],
  ['wildcard behind the own id', 'pump-1/#'],
  ['in capitals', 'PUMP-1'],
  ['65 characters', 'x'.repeat(65)],
  ['a path upwards', '../pump-2'],
  ['a space behind it', 'pump-1 '],
  ['fullwidth letters', 'ｐｕｍｐ-1'],
];

/** Characters that no id has, and that a text may not have at all. */
export const WRONG_CHARACTERS: readonly WrongName[] = [
  ['NUL behind it', 'pump-1\0'],
  ['NUL alone', '\0'],
  ['line feed', 'pump-1\n'],
  ['carriage return and line feed', 'pump-1\r\nx: y'],
  ['escape', '\u001B[2Jpump-1'],
  ['delete', 'pump-1\u007F'],
];

/** As they stand in a path. */
export function inPath(name: string): string {
  return encodeURIComponent(name);
}
