/** Reads DER, strictly: definite shortest lengths, one-byte tags. @see ITU-T X.690 @module */

/** One element inside a larger buffer. */
export interface DerElement {
  readonly tag: number;
  /** The whole element, with tag and length. A view. */
  readonly bytes: Uint8Array;
  /** Its content. A view. */
  readonly content: Uint8Array;
}

/**
 * Reads the element at the beginning of `bytes`; what follows it is not looked at.
 * @returns undefined when there is no whole, well-formed element.
 */
export function readDer(bytes: Uint8Array): DerElement | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined || (tag & LONG_TAG) === LONG_TAG) return undefined;
  const lengthCount = first < 0x80 ? 0 : first - 0x80;
  // 0x80 alone is the indefinite form of BER; it and lengths beyond 3 bytes have no use here.
  if (first === 0x80 || lengthCount > LENGTH_BYTES_MAX) return undefined;
  const start = 2 + lengthCount;
  if (start > bytes.length) return undefined;
  const length = lengthCount === 0 ? first : bigEndian(bytes.subarray(2, start));
  if (lengthCount > 0 && length < shortestWith(lengthCount)) return undefined;
  const end = start + length;
  if (end > bytes.length) return undefined;
  return { tag, bytes: bytes.subarray(0, end), content: bytes.subarray(start, end) };
}

/**
 * Reads a content that is nothing but elements.
 * @param countMax - most elements that are accepted
 * @returns undefined when a byte is left over, an element is malformed, or there are too many.
 */
export function readDerAll(content: Uint8Array, countMax: number): DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let at = 0; at < content.length;) {
    const element = readDer(content.subarray(at));
    if (element === undefined || elements.length === countMax) return undefined;
    elements.push(element);
    at += element.bytes.length;
  }
  return elements;
}

function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** Smallest length that needs so many bytes; a smaller one was not written as DER. §10.1 */
function shortestWith(lengthCount: number): number {
  return lengthCount === 1 ? 0x80 : 256 ** (lengthCount - 1);
}

const LONG_TAG = 0x1f;
const LENGTH_BYTES_MAX = 3;
