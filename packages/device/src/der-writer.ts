/** Writes DER: just what a certificate request needs. @see ITU-T X.690 §8, §10 @module */

/** Tags of the ASN.1 types in use. */
export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific [0], constructed. */
  context0: 0xa0,
} as const;

/** One element: tag, length in its shortest form, content. */
export function derElement(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(body.length)]), body]);
}

export function derSequence(...content: readonly Uint8Array[]): Uint8Array {
  return derElement(TAG.sequence, ...content);
}

/** @param value - 0 to 127 */
export function derSmallInteger(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 127) throw new RangeError('not 0 to 127');
  return derElement(TAG.integer, Uint8Array.of(value));
}

/** @param bytes - a number that is not negative, big-endian, leading zeros allowed. X.690 §8.3 */
export function derUnsigned(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : bytes.subarray(first);
  const isSigned = (digits[0] ?? 0) >= 0x80;
  return derElement(TAG.integer, ...(isSigned ? [Uint8Array.of(0)] : []), digits);
}

/** @param dotted - an object identifier such as `1.2.840.10045.4.3.2` */
export function derOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...arcs] = dotted.split('.').map(Number);
  return derElement(TAG.oid, Uint8Array.from([first * 40 + second, ...arcs].flatMap(base128)));
}

export function derUtf8(text: string): Uint8Array {
  return derElement(TAG.utf8String, Buffer.from(text, 'utf8'));
}

/** A bit string of whole bytes. */
export function derBitString(bytes: Uint8Array): Uint8Array {
  return derElement(TAG.bitString, Uint8Array.of(0), bytes);
}

/** X.690 §8.1.3; DER wants the fewest bytes (§10.1). */
function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** Seven bits a byte, all but the last with the upper bit set. X.690 §8.19.2 */
function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}
