/** Hashes of subtrees and roots of earlier sizes, computed from stored tiles. @module */
import { assertSize, levelWithin } from './arithmetic.ts';
import { TILE_HEIGHT, TILE_WIDTH_MAX } from './tile.ts';
import type { ReadTile } from './tile.ts';
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './tree.ts';
import type { Sha256 } from './tree.ts';

/**
 * Gives the hash of a complete subtree, 32 bytes.
 * @param level - Its height, 0 (a leaf) to 52.
 * @param index - Its position among the subtrees of its level, from 0.
 * @throws Error if the store does not have it.
 */
export type ReadHash = (level: number, index: number) => Uint8Array;

/** Leaves `start` to `end - 1` of a tree; `start` is a multiple of a power of two >= the width. */
interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads subtree hashes from tiles. A hash between two tile levels costs up to 127 hashes of
 * computing, a whole inclusion proof about 250 a tile level.
 * @returns a reader, which throws an Error when a tile is missing or too narrow.
 * @see C2SP tlog-tiles, "Merkle Tree"
 */
export function hashReader(sha256: Sha256, readTile: ReadTile): ReadHash {
  return (level, index) => {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const count = 2 ** (level % TILE_HEIGHT);
    const first = index * count;
    const tileIndex = Math.floor(first / TILE_WIDTH_MAX);
    const start = (first % TILE_WIDTH_MAX) * HASH_BYTES;
    const end = start + count * HASH_BYTES;
    const tile = readTile(tileLevel, tileIndex);
    if (tile === undefined || tile.length < end) {
      const found = tile === undefined ? 'missing' : `only ${tile.length} bytes long`;
      throw new Error(`tile ${tileIndex} of level ${tileLevel} is ${found}, needed are ${end}`);
    }
    // A copy made this way, because the slice of Node's Buffer is a view of the store's own bytes.
    return foldComplete(sha256, new Uint8Array(tile.subarray(start, end)));
  };
}

/**
 * Root of the first `size` leaves, for any size up to that of the tree read from.
 * @throws RangeError if `size` is no integer of 0 to 2^53 - 1; Error if a tile is missing.
 */
export function rootAt(sha256: Sha256, readHash: ReadHash, size: number): Uint8Array {
  assertSize(size);
  if (size === 0) return EMPTY_ROOT.slice();
  return rangeRoot(sha256, readHash, { start: 0, end: size });
}

/** MTH(D[start:end]) of RFC 9162 §2.1.1, for at least one leaf. */
export function rangeRoot(sha256: Sha256, readHash: ReadHash, range: LeafRange): Uint8Array {
  return peaks(readHash, range).reduceRight((right, left) => nodeHash(sha256, left, right));
}

/** Hashes of the complete subtrees a range consists of, from left to right, largest first. */
export function peaks(readHash: ReadHash, range: LeafRange): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  let start = range.start;
  while (start < range.end) {
    const level = levelWithin(range.end - start);
    hashes.push(readHash(level, start / 2 ** level));
    start += 2 ** level;
  }
  return hashes;
}

/** Root above a power of two of concatenated hashes; overwrites them. */
function foldComplete(sha256: Sha256, hashes: Uint8Array): Uint8Array {
  let width = hashes.length;
  for (; width > HASH_BYTES; width /= 2) {
    for (let at = 0; at < width; at += 2 * HASH_BYTES) {
      const left = hashes.subarray(at, at + HASH_BYTES);
      const right = hashes.subarray(at + HASH_BYTES, at + 2 * HASH_BYTES);
      hashes.set(nodeHash(sha256, left, right), at / 2);
    }
  }
  return hashes.slice(0, width);
}
