/** The two forms of an ECDSA signature on P-256. @module */

/**
 * Turns the form of tokens, `r` and `s` of 32 bytes each, into that of X.509.
 * @see RFC 3279 §2.2.3
 */
export function derSignature(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  const body = Buffer.concat([integer(raw.subarray(0, half)), integer(raw.subarray(half))]);
  return Buffer.concat([Uint8Array.of(SEQUENCE, body.length), body]);
}

function integer(bytes: Uint8Array): Buffer {
  const firstByte = bytes.findIndex((byte) => byte !== 0);
  const minimal = firstByte === -1 ? Uint8Array.of(0) : bytes.subarray(firstByte);
  // A leading one would make the number negative.
  const zero = (minimal[0] ?? 0) >= 0x80 ? [0] : [];
  return Buffer.from([INTEGER, zero.length + minimal.length, ...zero, ...minimal]);
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;
