/** What a zstd frame says of itself, without decompressing it. RFC 8878 §3.1.1 @module */

const MAGIC = 0xfd2fb528;
const DESCRIPTOR_AT = 4;
/** Single segment: no window size stands before the size of the content. */
const SINGLE_BIT = 0b10_0000;
/** The bits for a checksum, a dictionary and what is reserved: we write none of these. */
const OTHER_BITS = 0b1_1111;
const BLOCK_HEADER_BYTES = 3;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

/**
 * Bytes of the content, when the bytes are one whole frame that tells them. A decompressor then
 * gives exactly so many or an error, whatever stands behind the frame.
 * @returns undefined for anything else, which may be good zstd all the same.
 */
export function contentBytesOf(frame: Buffer): number | undefined {
  if (frame.length <= DESCRIPTOR_AT || frame.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = frame[DESCRIPTOR_AT] ?? 0;
  if ((descriptor & OTHER_BITS) !== 0) return undefined;
  const isSingle = (descriptor & SINGLE_BIT) !== 0;
  const sizeAt = DESCRIPTOR_AT + (isSingle ? 1 : 2);
  const sizeCode = descriptor >> 6;
  const sizeBytes = sizeCode === 0 ? Number(isSingle) : 2 ** sizeCode;
  // No content is so large that it needs eight bytes.
  if (sizeBytes === 0 || sizeBytes > 4 || frame.length < sizeAt + sizeBytes) return undefined;
  if (!areBlocks(frame, sizeAt + sizeBytes)) return undefined;
  return frame.readUIntLE(sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

/** Whether the rest is blocks of which the last one ends where the bytes end. */
function areBlocks(frame: Buffer, start: number): boolean {
  for (let at = start; at + BLOCK_HEADER_BYTES <= frame.length;) {
    const header = frame.readUIntLE(at, BLOCK_HEADER_BYTES);
    const type = (header >> 1) & 0b11;
    if (type === BLOCK_RESERVED) return false;
    at += BLOCK_HEADER_BYTES + (type === BLOCK_RLE ? 1 : header >> 3);
    if ((header & 1) === 1) return at === frame.length;
  }
  return false;
}
