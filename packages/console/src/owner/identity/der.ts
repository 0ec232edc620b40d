/** Writes DER: just what a certificate request needs. @see ITU-T X.690 §8, §10 @module */

/** Bytes on a buffer of their own, as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const SEQUENCE = 0x30;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const CONTEXT_0 = 0xa0;

/** One element: tag, length in its shortest form, content of less than 65,536 bytes. */
export function element(tag: number, ...content: readonly Bytes[]): Bytes {
  const body = concat(content);
  const { length } = body;
  if (length > 0xff_ff) throw new RangeError(`${length} bytes are too long`);
  const long = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat([Uint8Array.from([tag, ...(length < 0x80 ? [length] : long)]), body]);
}

/** A number that is not negative, big-endian, leading zeros allowed. X.690 §8.3 */
export function unsigned(bytes: Bytes): Bytes {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : bytes.slice(first);
  const isSigned = (digits[0] ?? 0) >= 0x80;
  return element(INTEGER, isSigned ? concat([Uint8Array.of(0), digits]) : digits);
}

/** The signature of WebCrypto (r and s, 32 bytes each) as X.509 wants it. RFC 3279 §2.2.3 */
export function ecdsaSignature(raw: Bytes): Bytes {
  const half = raw.length / 2;
  return element(SEQUENCE, unsigned(raw.slice(0, half)), unsigned(raw.slice(half)));
}

export function concat(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
