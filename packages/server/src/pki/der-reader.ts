/** Reads DER of peers, strictly: definite shortest lengths, one-byte tags. ITU-T X.690 @module */

/** One element inside a larger buffer. */
export interface DerElement {
  readonly tag: number;
  /** The whole element, with tag and length. A view. */
  readonly bytes: Uint8Array;
  /** Its content. A view. */
  readonly content: Uint8Array;
}

/**
 * Reads a content that is nothing but elements.
 * @param countMax - most elements that are accepted.
 * @returns undefined when a byte is left over, an element is malformed, or there are too many.
 */
export function readElements(content: Uint8Array, countMax: number): DerElement[] | undefined {
  const elements: DerElement[] = [];
  let rest = content;
  while (rest.length > 0) {
    const element = readElement(rest);
    if (element === undefined || elements.length === countMax) return undefined;
    elements.push(element);
    rest = rest.subarray(element.bytes.length);
  }
  return elements;
}

/** The only element of a content, if it has this tag. */
export function readOnly(content: Uint8Array, tag: number): DerElement | undefined {
  const element = readElements(content, 1)?.[0];
  return element?.tag === tag ? element : undefined;
}

/** Takes the first element off a list when it has this tag. */
export function takeTagged(elements: DerElement[], tag: number): DerElement | undefined {
  return elements[0]?.tag === tag ? elements.shift() : undefined;
}

function readElement(bytes: Uint8Array): DerElement | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined || (tag & LONG_TAG) === LONG_TAG) return undefined;
  const lengthCount = first < 0x80 ? 0 : first - 0x80;
  // 0x80 alone is the indefinite form of BER; lengths beyond 2 bytes have no use here.
  if (first === 0x80 || lengthCount > LENGTH_BYTES_MAX) return undefined;
  const start = 2 + lengthCount;
  if (start > bytes.length) return undefined;
  let length = first;
  if (lengthCount > 0) {
    length = bytes.subarray(2, start).reduce((value, byte) => value * 256 + byte, 0);
    // A shorter form would have done. X.690 §10.1
    if (length < (lengthCount === 1 ? 0x80 : 0x100)) return undefined;
  }
  const end = start + length;
  if (end > bytes.length) return undefined;
  return { tag, bytes: bytes.subarray(0, end), content: bytes.subarray(start, end) };
}

const LONG_TAG = 0x1f;
const LENGTH_BYTES_MAX = 2;
