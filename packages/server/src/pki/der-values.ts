/** Values in DER: integers, times, what is signed with. @module */
import { element } from './der.ts';

/** A non-negative INTEGER of its big-endian bytes. X.690 §8.3 */
export function integer(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const minimal = bytes.subarray(start);
  const needsZero = minimal.length === 0 || (minimal[0] ?? 0) >= 0x80;
  return needsZero ? element(INTEGER, ZERO, minimal) : element(INTEGER, minimal);
}

/** A non-negative INTEGER up to 2^53 - 1. */
export function smallInteger(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return integer(bytes);
}

/** Time: UTCTime until 2049, GeneralizedTime from 2050; whole seconds. RFC 5280 §4.1.2.5 */
export function time(ms: number): Uint8Array {
  const text = timeText(ms);
  return isUtcTime(ms)
    ? element(UTC_TIME, Buffer.from(text.slice(2), 'ascii'))
    : element(GENERALIZED_TIME, Buffer.from(text, 'ascii'));
}

/** GeneralizedTime in whole seconds, rounded down: fractions are not allowed. RFC 6960 §4.2.2.1 */
export function generalizedTime(ms: number): Uint8Array {
  return element(GENERALIZED_TIME, Buffer.from(timeText(ms), 'ascii'));
}

/** Whether a time stands as a UTCTime. */
export function isUtcTime(ms: number): boolean {
  return ms < YEAR_2050_MS;
}

/** `YYYYMMDDHHMMSSZ` */
export function timeText(ms: number): string {
  const iso = new Date(ms).toISOString();
  const date = iso.slice(0, 4) + iso.slice(5, 7) + iso.slice(8, 10);
  return `${date}${iso.slice(11, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}

/** A BIT STRING of whole bytes. */
export function bitString(bytes: Uint8Array): Uint8Array {
  return element(BIT_STRING, ZERO, bytes);
}

/** An OCTET STRING. */
export function octetString(bytes: Uint8Array): Uint8Array {
  return element(OCTET_STRING, bytes);
}

/** AlgorithmIdentifier of ECDSA with SHA-256. RFC 5758 §3.2 */
export const ECDSA_WITH_SHA256 = Buffer.from('300a06082a8648ce3d040302', 'hex');

export const INTEGER = 0x02;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
const BIT_STRING = 0x03;
const ZERO = Uint8Array.of(0);
const YEAR_2050_MS = Date.UTC(2050, 0, 1);
