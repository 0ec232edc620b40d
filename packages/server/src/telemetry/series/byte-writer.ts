/** Bytes that grow, and the numbers in them. @module */
import { Buffer } from 'node:buffer';

const SEVEN_BITS = 128;
/** Up to here, bit operations are exact and fast. */
const SMALL_MAX = 0x7f_ff_ff_ff;

/** Writes numbers behind each other. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(4_096);
  #length = 0;

  /** A view of what was written; valid until the next write. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Starts again from nothing, in the same memory. */
  clear(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** An integer from 0 to 2^53 - 1: seven bits a byte, the lowest first (LEB128). */
  varint(value: number): void {
    this.#reserve(8);
    let [rest, at] = [value, this.#length];
    for (; rest > SMALL_MAX; rest = Math.floor(rest / SEVEN_BITS)) {
      this.#bytes[at++] = (rest % SEVEN_BITS) | SEVEN_BITS;
    }
    for (; rest >= SEVEN_BITS; rest >>>= 7) this.#bytes[at++] = (rest & 0x7f) | SEVEN_BITS;
    this.#bytes[at++] = rest;
    this.#length = at;
  }

  /** An integer from -2^52 to 2^52: small ones of both signs take few bytes. */
  signed(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Room for `length` bytes, to be written by the caller at once. */
  room(length: number): Buffer {
    this.#reserve(length);
    const start = this.#length;
    this.#length += length;
    return this.#bytes.subarray(start, this.#length).fill(0);
  }

  /** Puts a 32-bit number where {@link ByteWriter.room} made room for it. */
  setUint32(offset: number, value: number): void {
    this.#bytes.writeUInt32BE(value, offset);
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(2 * (this.#length + length));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** Reads what {@link ByteWriter} wrote. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** @throws RangeError behind the end. */
  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new RangeError('the bytes end too soon');
    this.#at += 1;
    return value;
  }

  /** @throws RangeError behind the end. */
  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= SEVEN_BITS) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < SEVEN_BITS) return value;
      if (scale > Number.MAX_SAFE_INTEGER) throw new RangeError('a number is too long');
    }
  }

  signed(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view of the next bytes. @throws RangeError behind the end. */
  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('the bytes end too soon');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
