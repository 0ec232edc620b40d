/** Copies small byte arrays into shared slabs: allocating each alone would cost most of a parse. @module */

/**
 * Copies the first `length` bytes. The copy is a view into a slab that it shares with its
 * neighbors, as Node's own small buffers do: its `buffer` is not its own.
 */
export function copyToSlab(bytes: Uint8Array, length: number): Uint8Array {
  if (length > SLAB_BYTES / 4) return bytes.slice(0, length);
  if (slabUsed + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const copy = slab.subarray(slabUsed, slabUsed + length);
  slabUsed += length;
  copy.set(bytes.subarray(0, length));
  return copy;
}

/** Small enough that a copy that is kept does not hold much else; like `Buffer.poolSize` twice. */
const SLAB_BYTES = 16_384;

let slab: Uint8Array = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;
