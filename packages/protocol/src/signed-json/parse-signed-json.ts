/** Reads a payload of the JSON form: what its signature covers, the signature, counter, time. @module */
import { refuse, Refusal } from '../refusal.ts';
import { asciiText } from './ascii-text.ts';
import { CLOSE_BRACE, END, hexValue, isDigit, OPEN_BRACE, QUOTE, ZERO } from './ascii.ts';
import { SIGNED_JSON_LIMITS, type SignedJsonLimits } from './limits.ts';
import { scanJson } from './scan-value.ts';
import type { Scan } from './scan.ts';
import { copyToSlab } from './slab.ts';
import { timeMsOf } from './time.ts';

/** A payload that has the form of signed JSON. Nothing is verified yet. */
export interface SignedJson {
  /** What the signature covers: `json.dumps(d, sort_keys=True)` of the object without "sig". */
  readonly signedBytes: Uint8Array;
  /**
   * The same with numeric order in every object whose keys are all numbers, if that differs:
   * Python sorts keys before it turns numbers into text, so a nested `{1: …, 2: …, 10: …}` is
   * signed in this order. A verifier tries it when `signedBytes` does not match.
   */
  readonly numericOrderBytes: Uint8Array | undefined;
  /** The HMAC-SHA256 in "sig", 32 bytes. */
  readonly signature: Uint8Array;
  /** "ctr", or else "seq": 0 to 2^53 - 1. */
  readonly counter: number;
  /** "ts" in whole milliseconds since 1970; `undefined` when the payload carries none. */
  readonly timeMs: number | undefined;
}

/**
 * Reads one payload of the JSON form: an object whose "sig" is the HMAC over all the rest.
 *
 * @param payload - UTF-8; not kept
 * @returns what there is to verify, or a refusal: `E_VERIFY_SIZE`, `E_VERIFY_JSON`,
 * `E_VERIFY_DUPLICATE_KEY`, `E_VERIFY_DEPTH`, `E_VERIFY_SIG_MISSING`, `E_VERIFY_SIG_FORM`,
 * `E_VERIFY_COUNTER_MISSING`, `E_VERIFY_COUNTER_FORM`, `E_VERIFY_TIME_FORM`. Checked are size,
 * structure (all of it, in one pass), "sig", counter and time, in this order
 * @see RFC 8259, RFC 3339
 */
export function parseSignedJson(
  payload: Uint8Array,
  limits: SignedJsonLimits = SIGNED_JSON_LIMITS,
): SignedJson | Refusal {
  if (payload.length > limits.bytesMax) {
    return refuse('E_VERIFY_SIZE', `${payload.length} bytes; at most ${limits.bytesMax}.`);
  }
  const scan = scanJson(payload, { depthMax: limits.depthMax, keyOrder: 'text' });
  if (scan instanceof Refusal) return scan;
  if (scan.text[0] !== OPEN_BRACE) return refuse('E_VERIFY_JSON', 'The payload is no object.');

  const sigMember = memberOf(scan, 'sig');
  const signature = readSignature(scan, sigMember);
  if (signature instanceof Refusal) return signature;
  const counter = readCounter(scan);
  if (counter instanceof Refusal) return counter;
  const timeMs = readTimeMs(scan, limits);
  if (timeMs instanceof Refusal) return timeMs;

  const { isNumericOrderDifferent } = scan;
  const signedBytes = textWithoutMember(scan, sigMember);
  const numericOrderBytes = isNumericOrderDifferent ? numericOrder(signedBytes, limits) : undefined;
  return { signedBytes, numericOrderBytes, signature, counter, timeMs };
}

/** Index of the outermost object's member with this key, or -1. */
function memberOf(scan: Scan, key: string): number {
  for (let member = 0; member < scan.memberCount; member++) {
    if (isKeyOf(scan, member, key)) return member;
  }
  return -1;
}

function isKeyOf(scan: Scan, member: number, key: string): boolean {
  const start = scan.memberStart(member) + 1;
  if (scan.keyEnd(member) - start !== key.length) return false;
  for (let i = 0; i < key.length; i++) {
    if (scan.text[start + i] !== key.charCodeAt(i)) return false;
  }
  return true;
}

function readSignature(scan: Scan, member: number): Uint8Array | Refusal {
  if (member < 0) return refuse('E_VERIFY_SIG_MISSING', 'There is no "sig".');
  const start = scan.valueStart(member);
  const { text } = scan;
  if (text[start] !== QUOTE) return refuse('E_VERIFY_SIG_FORM', 'The "sig" is no string.');
  const digitCount = scan.memberEnd(member) - start - 2;
  if (digitCount !== SIGNATURE_BYTES * 2) {
    return refuse('E_VERIFY_SIG_FORM', `The "sig" has ${digitCount} characters, not 64.`);
  }
  const signature = new Uint8Array(SIGNATURE_BYTES);
  for (let i = 0; i < SIGNATURE_BYTES; i++) {
    const high = lowerHexValue(text[start + 1 + i * 2] ?? END);
    const low = lowerHexValue(text[start + 2 + i * 2] ?? END);
    if (high < 0 || low < 0) {
      return refuse('E_VERIFY_SIG_FORM', 'The "sig" is not of lower-case hexadecimal digits.');
    }
    signature[i] = high * 16 + low;
  }
  return signature;
}

function lowerHexValue(byte: number): number {
  const isUpper = byte > 0x40 && byte < 0x47;
  return isUpper ? -1 : hexValue(byte);
}

function readCounter(scan: Scan): number | Refusal {
  const ctrMember = memberOf(scan, 'ctr');
  const member = ctrMember < 0 ? memberOf(scan, 'seq') : ctrMember;
  if (member < 0) return refuse('E_VERIFY_COUNTER_MISSING', 'There is no "ctr" and no "seq".');
  let counter = 0;
  for (let i = scan.valueStart(member); i < scan.memberEnd(member); i++) {
    const byte = scan.text[i] ?? END;
    counter = isDigit(byte) ? counter * 10 + (byte - ZERO) : Number.NaN;
  }
  if (counter <= Number.MAX_SAFE_INTEGER) return counter;
  return refuse('E_VERIFY_COUNTER_FORM', 'The counter is no integer from 0 to 2^53 - 1.');
}

function readTimeMs(scan: Scan, limits: SignedJsonLimits): number | undefined | Refusal {
  const member = memberOf(scan, 'ts');
  if (member < 0) return undefined;
  const start = scan.valueStart(member);
  const end = scan.memberEnd(member);
  const isShort = end - start <= limits.timeBytesMax;
  const timeMs = isShort ? timeMsOf(asciiText(scan.text, start, end)) : undefined;
  return timeMs ?? refuse('E_VERIFY_TIME_FORM', 'The "ts" is no time from 1970 on.');
}

/**
 * Copies the text, without one member and without a separator beside it: the object has another
 * member, its counter.
 */
function textWithoutMember(scan: Scan, member: number): Uint8Array {
  const { text } = scan;
  const start = scan.memberStart(member);
  const end = scan.memberEnd(member);
  const isLast = text[end] === CLOSE_BRACE;
  const cutStart = isLast ? start - SEPARATOR_BYTES : start;
  const cutEnd = isLast ? end : end + SEPARATOR_BYTES;
  text.copyWithin(cutStart, cutEnd, scan.length);
  return copyToSlab(text, scan.length - (cutEnd - cutStart));
}

function numericOrder(canonical: Uint8Array, limits: SignedJsonLimits): Uint8Array | undefined {
  const scan = scanJson(canonical, { depthMax: limits.depthMax, keyOrder: 'numeric' });
  return scan instanceof Refusal ? undefined : copyToSlab(scan.text, scan.length);
}

const SIGNATURE_BYTES = 32;
const SEPARATOR_BYTES = 2;
