/** Appends leaves to a Merkle tree and tells which tiles a store must write. @module */
import { assertSize } from './arithmetic.ts';
import { CompactRange } from './compact-range.ts';
import type { SubtreeListener } from './compact-range.ts';
import { hashReader, peaks } from './hash-reader.ts';
import { TILE_HEIGHT, TILE_LEVEL_COUNT, TILE_WIDTH_MAX, tileHashCount } from './tile.ts';
import type { ReadTile, Tile } from './tile.ts';
import { HASH_BYTES } from './tree.ts';
import type { Sha256 } from './tree.ts';

/** The last tile of a level, still growing. */
interface OpenTile {
  readonly level: number;
  index: number;
  width: number;
  hashes: Uint8Array;
  isChanged: boolean;
}

/**
 * A Merkle tree that grows. Keeps the right edge and one open tile a level; everything else is in
 * the store. If storing what {@link TileWriter.takeChanged} gave fails, make a new writer with
 * {@link TileWriter.fromTiles}: this one has gone ahead of the store.
 *
 * @example
 * const writer = TileWriter.fromTiles(sha256, storedSize, readTile);
 * for (const entry of entries) writer.append(leafHash(sha256, entry));
 * for (const tile of writer.takeChanged()) upsert(tile);
 */
export class TileWriter {
  readonly #range: CompactRange;
  readonly #open: readonly OpenTile[];
  #full: Tile[] = [];
  /** One function for the writer's life, so that an append allocates no closure. */
  readonly #onSubtree: SubtreeListener = (level, index, hash) => {
    if (level % TILE_HEIGHT === 0) this.#put(level / TILE_HEIGHT, index, hash);
  };

  private constructor(range: CompactRange, open: readonly OpenTile[]) {
    this.#range = range;
    this.#open = open;
  }

  /** A writer for an empty tree. */
  static empty(sha256: Sha256): TileWriter {
    return TileWriter.fromTiles(sha256, 0, () => undefined);
  }

  /**
   * Restores a writer for a tree of which the tiles are stored. Reads at most one tile a level for
   * its own use, and one for each set bit of `size`.
   * @param size - Leaves of the tree, 0 to 2^53 - 1.
   * @throws RangeError on another size; Error if a tile is missing or too narrow for `size`.
   */
  static fromTiles(sha256: Sha256, size: number, readTile: ReadTile): TileWriter {
    assertSize(size);
    const hashes = peaks(hashReader(sha256, readTile), { start: 0, end: size });
    const range = CompactRange.fromHashes(sha256, size, hashes);
    const open = Array.from({ length: TILE_LEVEL_COUNT }, (_, level) =>
      openTile(level, tileHashCount(level, size), readTile),
    );
    return new TileWriter(range, open);
  }

  /** Leaves in the tree, 0 to 2^53 - 1. */
  get size(): number {
    return this.#range.size;
  }

  /**
   * Appends one leaf.
   * @param leafHash - 32 bytes; copied.
   * @throws RangeError on another length, or when the tree holds 2^53 - 1 leaves.
   */
  append(leafHash: Uint8Array): void {
    this.#range.append(leafHash, this.#onSubtree);
  }

  /** Root of the tree with all leaves appended so far, 32 bytes. */
  root(): Uint8Array {
    return this.#range.root();
  }

  /**
   * Takes the tiles that changed since the last call, each once, in its present width: first those
   * now full and final, then the partial ones, which a later call may give again, wider.
   */
  takeChanged(): Tile[] {
    const tiles = this.#full;
    this.#full = [];
    for (const open of this.#open) {
      if (!open.isChanged) continue;
      open.isChanged = false;
      const { level, index, width } = open;
      tiles.push({ level, index, width, hashes: open.hashes.slice(0, width * HASH_BYTES) });
    }
    return tiles;
  }

  #put(level: number, hashIndex: number, hash: Uint8Array): void {
    const open = this.#open[level];
    if (open === undefined || hashIndex !== open.index * TILE_WIDTH_MAX + open.width) {
      throw new RangeError(`hash ${hashIndex} of tile level ${level} is out of turn`);
    }
    open.hashes.set(hash, open.width * HASH_BYTES);
    open.width += 1;
    open.isChanged = true;
    if (open.width === TILE_WIDTH_MAX) this.#close(open);
  }

  #close(open: OpenTile): void {
    const { level, index, width, hashes } = open;
    this.#full.push({ level, index, width, hashes });
    open.index += 1;
    open.width = 0;
    open.hashes = new Uint8Array(TILE_WIDTH_MAX * HASH_BYTES);
    open.isChanged = false;
  }
}

/** The open tile of a level that has `hashCount` hashes, with what is stored of it. */
function openTile(level: number, hashCount: number, readTile: ReadTile): OpenTile {
  const index = Math.floor(hashCount / TILE_WIDTH_MAX);
  const width = hashCount % TILE_WIDTH_MAX;
  const hashes = new Uint8Array(TILE_WIDTH_MAX * HASH_BYTES);
  if (width > 0) {
    const stored = readTile(level, index);
    if (stored === undefined || stored.length < width * HASH_BYTES) {
      throw new Error(`tile ${index} of level ${level} is missing or narrower than ${width}`);
    }
    hashes.set(stored.subarray(0, width * HASH_BYTES));
  }
  return { level, index, width, hashes, isChanged: false };
}
