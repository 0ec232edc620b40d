/** Reads CBOR, and only its deterministic form. @see RFC 8949 §4.2.1 @module */
import { type Cbor, CborMap, CborTag, FALSE, MAJOR, NULL, ONE_BYTE, TRUE } from './cbor.ts';
import { CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, SUIT_BYTES_MAX } from './limits.ts';

/**
 * Reads one item that takes all of the bytes. What has a second encoding, as a number with leading
 * zeros, an unsorted map or an indefinite length, is not read.
 * @returns undefined when it is none, or is larger than any manifest
 */
export function decodeCbor(bytes: Uint8Array): Cbor | undefined {
  if (bytes.length > SUIT_BYTES_MAX) return undefined;
  try {
    const reader = new Reader(bytes);
    const item = reader.item(0);
    return reader.isAtEnd ? item : undefined;
  } catch (error) {
    if (error instanceof NotCbor) return undefined;
    throw error;
  }
}

/** Stays inside of this module. */
class NotCbor extends Error {}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  item(depth: number): Cbor {
    this.#items += 1;
    if (depth > CBOR_DEPTH_MAX || this.#items > CBOR_ITEMS_MAX) throw new NotCbor();
    const first = this.#take(1)[0] ?? 0;
    const major = first >> 5;
    if (major === MAJOR.simple) return simpleOf(first);
    const value = this.#number(first & 0x1f);
    if (major === MAJOR.unsigned) return value;
    if (major === MAJOR.negative) return negative(value);
    if (major === MAJOR.bytes) return Uint8Array.from(this.#take(value));
    if (major === MAJOR.text) return textOf(this.#take(value));
    if (major === MAJOR.tag) return new CborTag(value, this.item(depth + 1));
    return major === MAJOR.list ? this.#list(value, depth) : this.#map(value, depth);
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new NotCbor();
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #number(info: number): number {
    if (info < ONE_BYTE) return info;
    if (info > ONE_BYTE + 3) throw new NotCbor();
    const size = 2 ** (info - ONE_BYTE);
    const bytes = this.#take(size);
    const value = size === 8 ? Number(bytes.readBigUInt64BE()) : bytes.readUIntBE(0, size);
    const least = size === 1 ? ONE_BYTE : 2 ** (size * 4);
    if (value < least || !Number.isSafeInteger(value)) throw new NotCbor();
    return value;
  }

  #list(length: number, depth: number): Cbor[] {
    const items: Cbor[] = [];
    // Each turn takes a byte at least, so a length that is a lie ends with the bytes.
    for (let count = 0; count < length; count += 1) items.push(this.item(depth + 1));
    return items;
  }

  #map(length: number, depth: number): CborMap {
    const entries: [Cbor, Cbor][] = [];
    let before: Buffer | undefined;
    for (let count = 0; count < length; count += 1) {
      const start = this.#at;
      const key = this.item(depth + 1);
      const encoded = this.#bytes.subarray(start, this.#at);
      if (before !== undefined && Buffer.compare(before, encoded) >= 0) throw new NotCbor();
      before = encoded;
      entries.push([key, this.item(depth + 1)]);
    }
    return new CborMap(entries);
  }
}

function simpleOf(first: number): boolean | null {
  if (first === NULL) return null;
  if (first !== TRUE && first !== FALSE) throw new NotCbor();
  return first === TRUE;
}

function negative(value: number): number {
  const number = -1 - value;
  if (!Number.isSafeInteger(number)) throw new NotCbor();
  return number;
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new NotCbor();
  }
}
