/** Names of the bytes that JSON's grammar is made of. @module */

/** What reading behind the last byte gives. */
export const END = -1;
export const TAB = 0x09;
export const LINE_FEED = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const PLUS = 0x2b;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const POINT = 0x2e;
export const ZERO = 0x30;
const NINE = 0x39;
export const COLON = 0x3a;
export const UPPER_E = 0x45;
export const UPPER_I = 0x49;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const LOWER_E = 0x65;
export const LOWER_U = 0x75;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const TILDE = 0x7e;

/** Tells whether a byte is one of 0 to 9. */
export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** Value of a hexadecimal digit of either case, or -1. */
export function hexValue(byte: number): number {
  if (isDigit(byte)) return byte - ZERO;
  // Setting this bit turns A-F into a-f, and no other byte into one of these.
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/** Value of the four hexadecimal digits from `at` on, or a negative number if they are not four. */
export function hexValue4(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = hexValue(bytes[i] ?? END);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}
