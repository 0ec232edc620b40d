/** Values: one strict pass that checks a JSON text and prints it canonically. @module */
import { refuse, type Refusal } from '../refusal.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  END,
  isDigit,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './ascii.ts';
import { orderMembers } from './member-order.ts';
import { refuseNotFinite, scanNumber } from './scan-number.ts';
import { scanString } from './scan-string.ts';
import { Scan, type KeyOrder } from './scan.ts';

/**
 * Scans a whole JSON text. The scan that comes back is valid until the next one: see {@link Scan}.
 *
 * @returns the finished scan, or a refusal `E_VERIFY_JSON`, `E_VERIFY_DUPLICATE_KEY`,
 * `E_VERIFY_DEPTH`
 * @see RFC 8259
 */
export function scanJson(
  input: Uint8Array,
  options: { readonly depthMax: number; readonly keyOrder: KeyOrder },
): Scan | Refusal {
  if (input[0] === 0xef && input[1] === 0xbb && input[2] === 0xbf) {
    return refuse('E_VERIFY_JSON', 'The text starts with a byte order mark.'); // RFC 8259 §8.1
  }
  const scan = new Scan(input, options.depthMax, options.keyOrder);
  scan.skipSpace();
  const refusal = scanValue(scan, 1);
  if (refusal !== undefined) return refusal;
  return scan.skipSpace() === END ? scan : scan.expected('the end');
}

/** Scans the value at the position. The recursion is bounded by `depthMax`. */
function scanValue(scan: Scan, depth: number): Refusal | undefined {
  const byte = scan.peek();
  if (byte === QUOTE) return scanString(scan);
  if (byte === MINUS || isDigit(byte)) return scanNumber(scan);
  if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) return scanLiteral(scan);
  if (depth > scan.depthMax) {
    return refuse('E_VERIFY_DEPTH', `Byte ${scan.position} opens level ${depth}.`);
  }
  return byte === OPEN_BRACE ? scanObject(scan, depth) : scanArray(scan, depth);
}

function scanObject(scan: Scan, depth: number): Refusal | undefined {
  const memberFirst = scan.memberCount;
  scan.put(OPEN_BRACE);
  scan.position += 1;
  if (scan.skipSpace() !== CLOSE_BRACE) {
    for (;;) {
      const refusal = scanMember(scan, depth);
      if (refusal !== undefined) return refusal;
      const next = scan.skipSpace();
      if (next === CLOSE_BRACE) break;
      if (next !== COMMA) return scan.expected('"," or "}"');
      scan.putSeparator(COMMA);
      scan.position += 1;
      scan.skipSpace();
    }
    const refusal = orderMembers(scan, memberFirst);
    if (refusal !== undefined) return refusal;
  }
  scan.put(CLOSE_BRACE);
  scan.position += 1;
  if (depth > 1) scan.memberCount = memberFirst;
  return undefined;
}

function scanMember(scan: Scan, depth: number): Refusal | undefined {
  const start = scan.length;
  if (scan.peek() !== QUOTE) return scan.expected('a key');
  const refusal = scanString(scan);
  if (refusal !== undefined) return refusal;
  const keyEnd = scan.length - 1;
  if (scan.skipSpace() !== COLON) return scan.expected('":"');
  scan.putSeparator(COLON);
  scan.position += 1;
  scan.skipSpace();
  const valueRefusal = scanValue(scan, depth + 1);
  if (valueRefusal !== undefined) return valueRefusal;
  scan.pushMember(start, keyEnd);
  return undefined;
}

function scanArray(scan: Scan, depth: number): Refusal | undefined {
  scan.put(OPEN_BRACKET);
  scan.position += 1;
  if (scan.skipSpace() !== CLOSE_BRACKET) {
    for (;;) {
      const refusal = scanValue(scan, depth + 1);
      if (refusal !== undefined) return refusal;
      const next = scan.skipSpace();
      if (next === CLOSE_BRACKET) break;
      if (next !== COMMA) return scan.expected('"," or "]"');
      scan.putSeparator(COMMA);
      scan.position += 1;
      scan.skipSpace();
    }
  }
  scan.put(CLOSE_BRACKET);
  scan.position += 1;
  return undefined;
}

function scanLiteral(scan: Scan): Refusal | undefined {
  for (const literal of ['true', 'false', 'null']) {
    if (isAt(scan, literal)) {
      for (let i = 0; i < literal.length; i++) scan.put(literal.charCodeAt(i));
      scan.position += literal.length;
      return undefined;
    }
  }
  for (const name of ['NaN', 'Infinity']) {
    if (isAt(scan, name)) return refuseNotFinite(name, scan.position);
  }
  return scan.expected('a value');
}

function isAt(scan: Scan, word: string): boolean {
  for (let i = 0; i < word.length; i++) {
    if (scan.input[scan.position + i] !== word.charCodeAt(i)) return false;
  }
  return true;
}
