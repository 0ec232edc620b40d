/** The Merkle tree of a log that is gone through from end to end, at a million leaves a second. @module */
import { hash } from 'node:crypto';
import { HASH_BYTES, TILE_HEIGHT, TILE_WIDTH_MAX } from '@holdfast/protocol/merkle';

/**
 * A hash as a string of 32 characters below U+0100. OpenSSL's one-shot hash gives one in a third of
 * the time that it takes for a buffer, which is what a verification spends most of its time on.
 */
export type BinaryHash = string;

/** With its length told, Node does not look each time whether the hash is one without a length. */
const BINARY = { outputEncoding: 'latin1', outputLength: HASH_BYTES } as const;

/** SHA-256 of some bytes. */
export function binarySha256(bytes: Uint8Array): BinaryHash {
  return hash('sha256', bytes, BINARY);
}

/** Hears of each hash that belongs into a tile of a level above the leaves. */
export type OnTileHash = (tileLevel: number, index: number, hash: BinaryHash) => void;

const NODE_PREFIX = 0x01;
/** Levels of complete subtrees that a tree of 2^53 - 1 leaves has. */
const LEVEL_COUNT = 53;
const EMPTY_HASH = binarySha256(new Uint8Array(0));

/** The right edge of a tree, as `CompactRange` has it; no hash is copied into a buffer of its own. */
export class RunningTree {
  /** For each level prefix, left half and right half of the node that is being made there. */
  readonly #preimages = Array.from({ length: LEVEL_COUNT }, () => {
    const preimage = Buffer.alloc(1 + 2 * HASH_BYTES);
    preimage[0] = NODE_PREFIX;
    return preimage;
  });
  readonly #onTileHash: OnTileHash;
  #size = 0;

  constructor(onTileHash: OnTileHash = () => {}) {
    this.#onTileHash = onTileHash;
  }

  /** Leaves so far. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes up a tree of which the hashes of the complete subtrees are known.
   * @param peaks - From left to right, one for each set bit of `size`.
   */
  restore(size: number, peaks: readonly Uint8Array[]): void {
    this.#size = size;
    const levels = levelsOf(size);
    for (const [at, peak] of peaks.entries()) {
      this.#preimage(levels.at(-1 - at) ?? 0).set(peak, 1);
    }
  }

  append(leaf: BinaryHash): void {
    let node = leaf;
    let level = 0;
    let index = this.#size;
    while (index % 2 === 1) {
      const preimage = this.#preimage(level);
      preimage.write(node, 1 + HASH_BYTES, HASH_BYTES, 'latin1');
      node = hash('sha256', preimage, BINARY);
      level += 1;
      index = (index - 1) / 2;
      if (level % TILE_HEIGHT === 0) this.#onTileHash(level / TILE_HEIGHT, index, node);
    }
    this.#preimage(level).write(node, 1, HASH_BYTES, 'latin1');
    this.#size += 1;
  }

  /** Root of all leaves so far. */
  root(): BinaryHash {
    let root: BinaryHash | undefined;
    for (const level of levelsOf(this.#size)) {
      const preimage = this.#preimage(level);
      if (root === undefined) root = preimage.toString('latin1', 1, 1 + HASH_BYTES);
      else {
        preimage.write(root, 1 + HASH_BYTES, HASH_BYTES, 'latin1');
        root = hash('sha256', preimage, BINARY);
      }
    }
    return root ?? EMPTY_HASH;
  }

  #preimage(level: number): Buffer {
    const preimage = this.#preimages[level];
    if (preimage === undefined) throw new RangeError(`no tree has a level ${level}`);
    return preimage;
  }
}

/** The tile of one level that is filled next. */
export class TileInProgress {
  readonly hashes: Buffer = Buffer.alloc(TILE_WIDTH_MAX * HASH_BYTES);
  index = 0;
  width = 0;

  /** Adds a hash. @returns whether the tile is full; {@link next} must follow then. */
  add(binary: BinaryHash): boolean {
    this.hashes.write(binary, this.width * HASH_BYTES, HASH_BYTES, 'latin1');
    this.width += 1;
    return this.width === TILE_WIDTH_MAX;
  }

  next(): void {
    this.index += 1;
    this.width = 0;
  }

  /** The hashes so far; a view. */
  get filled(): Buffer {
    return this.hashes.subarray(0, this.width * HASH_BYTES);
  }
}

/** Levels of the complete subtrees that a tree consists of, lowest first. */
function levelsOf(size: number): number[] {
  const levels: number[] = [];
  for (let rest = size, level = 0; rest > 0; rest = Math.floor(rest / 2), level += 1) {
    if (rest % 2 === 1) levels.push(level);
  }
  return levels;
}
