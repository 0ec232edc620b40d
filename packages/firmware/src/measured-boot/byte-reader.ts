/** Reads the fixed-size numbers and counted bytes of TPM structures and event logs. @module */

/** Thrown by the reader only, and caught where the reading began: the bytes are malformed. */
export class Malformed extends Error {}

/** Reads from the front; whatever is not there throws {@link Malformed}. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isLittle: boolean;
  #at = 0;

  /** @param options - `order`: TPM structures are big-endian, event logs little-endian. */
  constructor(bytes: Uint8Array, { order }: { readonly order: 'big' | 'little' }) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#isLittle = order === 'little';
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.#isLittle);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.#isLittle);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.#isLittle);
  }

  /** A view of so many bytes. */
  bytes(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** A `TPM2B`: a length of two bytes, and so many bytes. */
  sized(): Uint8Array {
    return this.bytes(this.u16());
  }

  /** Where the reader stands, in bytes from the front. */
  get at(): number {
    return this.#at;
  }

  #take(count: number): number {
    const start = this.#at;
    if (start + count > this.#bytes.length) throw new Malformed(`cut at byte ${start}`);
    this.#at = start + count;
    return start;
  }
}

/**
 * Runs a reader over all of `bytes`.
 * @returns what `read` gives; undefined when the bytes are malformed, too many, or some are left.
 */
export function readWhole<T>(
  bytes: Uint8Array,
  { order, bytesMax }: { readonly order: 'big' | 'little'; readonly bytesMax: number },
  read: (reader: ByteReader) => T,
): T | undefined {
  if (bytes.length > bytesMax) return undefined;
  const reader = new ByteReader(bytes, { order });
  try {
    const found = read(reader);
    return reader.isAtEnd ? found : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
