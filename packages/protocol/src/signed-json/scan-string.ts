/** Strings: strict reading of escapes and UTF-8, printing as Python's ensure_ascii does. @module */
import { refuse, type Refusal } from '../refusal.ts';
import { BACKSLASH, END, hexValue4, LOWER_U, QUOTE, SPACE, TILDE } from './ascii.ts';
import type { Scan } from './scan.ts';

/** Reads one string, whose opening quote is at the position, and prints it. */
export function scanString(scan: Scan): Refusal | undefined {
  const { input, text } = scan;
  let position = scan.position + 1;
  let length = scan.length;
  text[length++] = QUOTE;
  for (;;) {
    const byte = input[position] ?? END;
    if (byte >= SPACE && byte <= TILDE && byte !== QUOTE && byte !== BACKSLASH) {
      text[length++] = byte;
      position += 1;
      continue;
    }
    scan.position = position;
    scan.length = length;
    if (byte === QUOTE) {
      scan.put(QUOTE);
      scan.position += 1;
      return undefined;
    }
    const refusal = byte === BACKSLASH ? scanEscape(scan) : scanRaw(scan, byte);
    if (refusal !== undefined) return refusal;
    position = scan.position;
    length = scan.length;
  }
}

/** Reads one escape, whose backslash is at the position. RFC 8259 §7 */
function scanEscape(scan: Scan): Refusal | undefined {
  const letter = scan.input[scan.position + 1] ?? END;
  if (letter === LOWER_U) {
    const unit = hexValue4(scan.input, scan.position + 2);
    if (unit < 0) return scan.expected('an escape with four hexadecimal digits');
    // The halves of a surrogate pair are printed one by one, as they are read.
    putUnit(scan, unit);
    scan.position += 6;
    return undefined;
  }
  const unit = UNIT_OF_ESCAPE[letter] ?? 0;
  if (unit === 0) return scan.expected('an escape that JSON knows');
  putUnit(scan, unit);
  scan.position += 2;
  return undefined;
}

/** Reads one character that stands for itself, but that Python escapes. */
function scanRaw(scan: Scan, byte: number): Refusal | undefined {
  if (byte === END) return scan.expected('the rest of a string');
  if (byte < SPACE) return scan.expected('the escape of a control character');
  if (byte < 0x80) {
    putUnit(scan, byte);
    scan.position += 1;
    return undefined;
  }
  return scanUtf8(scan, byte);
}

/**
 * Reads one character of two to four bytes. Overlong forms, surrogates, code points beyond U+10FFFF
 * and stray or missing continuation bytes are refused: two readers could disagree on them.
 */
function scanUtf8(scan: Scan, lead: number): Refusal | undefined {
  const width = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  let codePoint = lead & (0x7f >> width);
  for (let i = 1; i < width; i++) {
    const byte = scan.input[scan.position + i] ?? END;
    // END has all bits set, so it is no continuation byte either.
    if ((byte & 0xc0) !== 0x80) return refuseUtf8(scan);
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  const isSurrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  const isShortest = codePoint >= (width === 2 ? 0x80 : width === 3 ? 0x800 : 0x10000);
  // RFC 3629 §3: leads below 0xC2 and above 0xF4 never occur.
  if (lead < 0xc2 || lead > 0xf4 || isSurrogate || !isShortest || codePoint > 0x10ffff) {
    return refuseUtf8(scan);
  }
  if (codePoint > 0xffff) {
    putUnit(scan, 0xd800 + ((codePoint - 0x10000) >> 10));
    putUnit(scan, 0xdc00 + (codePoint & 0x3ff));
  } else {
    putUnit(scan, codePoint);
  }
  scan.position += width;
  return undefined;
}

function refuseUtf8(scan: Scan): Refusal {
  return refuse('E_VERIFY_JSON', `Byte ${scan.position} starts no character of UTF-8.`);
}

/** Prints one UTF-16 unit as Python does: `"`, `\` and whatever is not from ` ` to `~` escaped. */
function putUnit(scan: Scan, unit: number): void {
  const letter = ESCAPE_OF_UNIT[unit] ?? 0;
  if (letter !== 0) {
    scan.put(BACKSLASH);
    scan.put(letter);
  } else if (unit >= SPACE && unit <= TILDE) {
    scan.put(unit);
  } else {
    scan.put(BACKSLASH);
    scan.put(LOWER_U);
    for (let shift = 12; shift >= 0; shift -= 4) {
      scan.put(HEX_DIGITS.charCodeAt((unit >> shift) & 0xf));
    }
  }
}

const HEX_DIGITS = '0123456789abcdef';

/** The short escapes: letter and character, as char codes. Python prints all but that of "/". */
const SHORT_ESCAPES: readonly (readonly [string, string])[] = [
  ['"', '"'],
  ['\\', '\\'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
];
const UNIT_OF_ESCAPE = new Uint8Array(256);
const ESCAPE_OF_UNIT = new Uint8Array(256);
for (const [letter, character] of SHORT_ESCAPES) {
  UNIT_OF_ESCAPE[letter.charCodeAt(0)] = character.charCodeAt(0);
  ESCAPE_OF_UNIT[character.charCodeAt(0)] = letter.charCodeAt(0);
}
UNIT_OF_ESCAPE['/'.charCodeAt(0)] = '/'.charCodeAt(0);
