/** The little of DER that is written and checked by hand. @module */

/** Encodes one element: tag, definite length of the fewest bytes, content. X.690 §10.1 */
export function element(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([header(tag, length), ...content]);
}

/** Tag and length alone, for a content that is put behind them elsewhere. */
export function header(tag: number, length: number): Uint8Array {
  return Uint8Array.of(tag, ...lengthOctets(length));
}

/** Says whether `bytes` are one DER SEQUENCE, from the first byte to the last. */
export function isOneElement(bytes: Uint8Array): boolean {
  if (bytes[0] !== SEQUENCE || bytes.length < 2) return false;
  // Of all lengths of a header only the right one gives back the same header.
  for (const headerLength of [2, 3, 4]) {
    const bodyLength = bytes.length - headerLength;
    if (bodyLength < 0) return false;
    const octets = lengthOctets(bodyLength);
    if (octets.length + 1 !== headerLength) continue;
    return octets.every((octet, index) => bytes[1 + index] === octet);
  }
  return false;
}

export const SEQUENCE = 0x30;

function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >> 8, length & 0xff];
  const low = [(length >> 16) & 0xff, (length >> 8) & 0xff, length & 0xff];
  return length < 0x1000000 ? [0x83, ...low] : [0x84, length >>> 24, ...low];
}
