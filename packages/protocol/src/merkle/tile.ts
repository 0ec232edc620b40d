/** Tiles: the form in which a Merkle tree is stored and published. C2SP tlog-tiles. @module */

/** Levels of the tree in one tile. */
export const TILE_HEIGHT = 8;

/** Hashes in a full tile. */
export const TILE_WIDTH_MAX = 2 ** TILE_HEIGHT;

/** Tile levels a tree of 2^53 - 1 leaves has: 0 to 6. */
export const TILE_LEVEL_COUNT = 7;

/**
 * Consecutive hashes of one tile level.
 * Hash `i` of tile `n` at level `l` is that of subtree `256 n + i` of those with 256^l leaves.
 */
export interface Tile {
  /** Tile level, 0 (leaf hashes) to 6. */
  readonly level: number;
  /** Position of the tile within its level, from 0. */
  readonly index: number;
  /** Hashes in it, 1 to 256. At 256 the tile is full and never changes again. */
  readonly width: number;
  /** The hashes one after another, `32 × width` bytes. */
  readonly hashes: Uint8Array;
}

/**
 * Reads the bytes of a stored tile, `undefined` if there is none.
 * They may be more hashes than a tree of the size in question has, never fewer.
 */
export type ReadTile = (level: number, index: number) => Uint8Array | undefined;

/**
 * Hashes that a tree has at a tile level: its complete subtrees of 256^level leaves. The last tile of
 * the level is partial with the rest of a division by 256, and does not exist if that rest is 0.
 * @param level - Tile level, 0 to 6.
 * @param size - Leaves of the tree, 0 to 2^53 - 1.
 * @see C2SP tlog-tiles, "Partial Tiles"
 */
export function tileHashCount(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH_MAX ** level);
}
