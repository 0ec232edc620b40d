/** The two forms of an ECDSA signature on P-256. @module */

/**
 * Turns DER into `r` and `s` of 32 bytes each, as COSE has them.
 * @see RFC 3279 §2.2.3, RFC 9053 §2.1
 * @returns undefined when it is no signature on P-256 in DER
 */
export function rawSignature(der: Uint8Array): Uint8Array | undefined {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) return undefined;
  const first = readInteger(der, 2);
  const second = first === undefined ? undefined : readInteger(der, first.end);
  if (first === undefined || second?.end !== der.length) return undefined;
  const raw = new Uint8Array(2 * HALF);
  raw.set(first.digits, HALF - first.digits.length);
  raw.set(second.digits, 2 * HALF - second.digits.length);
  return raw;
}

/** A number of at most 32 bytes, in the fewest bytes. */
function readInteger(der: Uint8Array, at: number): { digits: Uint8Array; end: number } | undefined {
  const length = der[at + 1] ?? 0;
  const end = at + 2 + length;
  if (der[at] !== INTEGER || length === 0 || end > der.length) return undefined;
  const bytes = der.subarray(at + 2, end);
  const [lead = 0, next = 0] = bytes;
  const isPadded = lead === 0 && length > 1;
  if (lead >= 0x80 || (isPadded && next < 0x80)) return undefined;
  const digits = isPadded ? bytes.subarray(1) : bytes;
  return digits.length > HALF ? undefined : { digits, end };
}

const HALF = 32;
const SEQUENCE = 0x30;
const INTEGER = 0x02;
