/** Cuts rows into chunks whose borders depend on the rows around them alone. @module */
import { crc32 } from 'node:zlib';
import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, CHUNK_BYTES_TYPICAL } from './limits.ts';

const CRC_RANGE = 2 ** 32;

/** Sizes in bytes. */
export interface ChunkSizes {
  readonly min: number;
  readonly typical: number;
  readonly max: number;
}

const SIZES: ChunkSizes = {
  min: CHUNK_BYTES_MIN,
  typical: CHUNK_BYTES_TYPICAL,
  max: CHUNK_BYTES_MAX,
};

/**
 * Gathers rows. Where a chunk ends is drawn from the key of its last row, so that a row that was
 * added, changed or removed changes the chunks beside it, and not all behind it: the others are
 * already where the backup before has put them.
 */
export class Chunker {
  readonly #sizes: ChunkSizes;
  #rows: Buffer[] = [];
  #bytes = 0;

  constructor(sizes: ChunkSizes = SIZES) {
    this.#sizes = sizes;
  }

  /** Takes a row; gives the chunks that are complete now. @param key - What finds the row. */
  add(row: Buffer, key: Uint8Array): Buffer[] {
    const done: Buffer[] = [];
    // A row that is larger than any chunk is a chunk of its own.
    if (this.#bytes > 0 && this.#bytes + row.length > this.#sizes.max) done.push(this.#cut());
    this.#rows.push(row);
    this.#bytes += row.length;
    if (this.#bytes >= this.#sizes.max || this.#endsAt(row, key)) done.push(this.#cut());
    return done;
  }

  /** The last chunk; undefined when there are no rows left. */
  end(): Buffer | undefined {
    return this.#bytes === 0 ? undefined : this.#cut();
  }

  #endsAt(row: Buffer, key: Uint8Array): boolean {
    if (this.#bytes < this.#sizes.min) return false;
    return crc32(key) / CRC_RANGE < row.length / this.#sizes.typical;
  }

  #cut(): Buffer {
    const chunk = Buffer.concat(this.#rows);
    this.#rows = [];
    this.#bytes = 0;
    return chunk;
  }
}
