/** Reads DER: just what certificates need. @see ITU-T X.690 §8, §10 @module */

/** An element: its tag, its content, and all of its bytes. */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly whole: Uint8Array;
}

/** Lengths of four bytes and more stand for what no certificate is. */
const LENGTH_BYTES_MAX = 3;

/**
 * The elements that stand one behind the other.
 * @throws RangeError where the bytes are no DER.
 */
export function elementsOf(bytes: Uint8Array): readonly Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at);
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

/** The elements within the one element that `bytes` are. @throws RangeError */
export function insideOf(bytes: Uint8Array): readonly Element[] {
  const [only, ...rest] = elementsOf(bytes);
  if (only === undefined || rest.length > 0) throw new RangeError('it is not one element');
  return elementsOf(only.content);
}

/** The text of an object identifier. X.690 §8.19 */
export function oidText(content: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of content) {
    number = number * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

function elementAt(bytes: Uint8Array, at: number): Element {
  const tag = byteAt(bytes, at);
  const first = byteAt(bytes, at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > LENGTH_BYTES_MAX) throw new RangeError('no length of DER');
  let length = first < 0x80 ? first : 0;
  for (let i = 0; i < lengthBytes; i += 1) length = length * 256 + byteAt(bytes, at + 2 + i);
  const start = at + 2 + lengthBytes;
  const end = start + length;
  if (end > bytes.length) throw new RangeError('the element is longer than its bytes');
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) };
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RangeError('the bytes end too early');
  return byte;
}
