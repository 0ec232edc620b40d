/** The right edge of an append-only Merkle tree, all that is needed to append and to know the root. @module */
import { assertSize, half, isOdd, LEVEL_COUNT, SIZE_MAX } from './arithmetic.ts';
import { EMPTY_ROOT, HASH_BYTES, isHash, NODE_PREFIX, NODE_PREIMAGE_BYTES } from './tree.ts';
import type { Sha256 } from './tree.ts';

/**
 * Hears of each subtree that an append completes, the leaf itself (level 0) first.
 * @param level - Height of the subtree, 0 to 52: it covers 2^level leaves.
 * @param index - Position among the subtrees of its level, from 0.
 * @param hash - Its hash, 32 bytes, to be copied if kept.
 */
export type SubtreeListener = (level: number, index: number, hash: Uint8Array) => void;

/**
 * Holds the hashes of the complete subtrees that a tree of `size` leaves consists of, at most 53.
 * An append costs one hash on average and allocates nothing but what `sha256` returns.
 */
export class CompactRange {
  readonly #sha256: Sha256;
  /**
   * One node preimage a level. The left half of level `n` waits there, valid while bit `n` of the
   * size is set; the right half is scratch. So joining two subtrees copies one hash and hashes.
   */
  readonly #preimages: readonly Uint8Array[];
  #size = 0;

  /** An empty tree. */
  constructor(sha256: Sha256) {
    this.#sha256 = sha256;
    this.#preimages = Array.from({ length: LEVEL_COUNT }, () => {
      const preimage = new Uint8Array(NODE_PREIMAGE_BYTES);
      preimage[0] = NODE_PREFIX;
      return preimage;
    });
  }

  /**
   * Restores a range from what {@link CompactRange.hashes} gave.
   * @throws RangeError if there is not exactly one 32-byte hash for each set bit of `size`.
   */
  static fromHashes(sha256: Sha256, size: number, hashes: readonly Uint8Array[]): CompactRange {
    assertSize(size);
    const range = new CompactRange(sha256);
    range.#size = size;
    const levels = range.#levels();
    if (hashes.length !== levels.length || !hashes.every(isHash)) {
      throw new RangeError(`a tree of size ${size} needs ${levels.length} hashes of 32 bytes`);
    }
    // Hashes come from left to right, which is from the highest level down.
    hashes.forEach((hash, at) => range.#preimage(levels.at(-1 - at) ?? 0).set(hash, 1));
    return range;
  }

  /** Leaves in the tree, 0 to 2^53 - 1. */
  get size(): number {
    return this.#size;
  }

  /**
   * Appends one leaf.
   * @param leafHash - 32 bytes; copied.
   * @param onSubtree - Told of every subtree that this leaf completes, from the leaf up.
   * @throws RangeError on another length, or when the tree holds 2^53 - 1 leaves.
   */
  append(leafHash: Uint8Array, onSubtree?: SubtreeListener): void {
    if (leafHash.length !== HASH_BYTES) throw new RangeError('a leaf hash has 32 bytes');
    if (this.#size >= SIZE_MAX) throw new RangeError('the tree is full');
    let hash = leafHash;
    let level = 0;
    let index = this.#size;
    onSubtree?.(level, index, hash);
    // A binary counter's carry: each set low bit of the size is a left sibling that waits.
    while (isOdd(index)) {
      hash = this.#join(level, hash);
      level += 1;
      index = half(index);
      onSubtree?.(level, index, hash);
    }
    this.#preimage(level).set(hash, 1);
    this.#size += 1;
  }

  /** Root of the tree, MTH(D[size]) of RFC 9162 §2.1.1: 32 bytes of the caller's own. */
  root(): Uint8Array {
    let root: Uint8Array | undefined;
    for (const level of this.#levels()) {
      root = root === undefined ? this.#left(level) : this.#join(level, root);
    }
    return root ?? EMPTY_ROOT.slice();
  }

  /** Copies of the hashes of the complete subtrees, from left to right, that is largest first. */
  hashes(): Uint8Array[] {
    return this.#levels()
      .reverse()
      .map((level) => this.#left(level));
  }

  /** Levels of the complete subtrees (the set bits of the size), lowest first. */
  #levels(): number[] {
    const levels: number[] = [];
    for (let rest = this.#size, level = 0; rest > 0; rest = half(rest), level += 1) {
      if (isOdd(rest)) levels.push(level);
    }
    return levels;
  }

  #join(level: number, right: Uint8Array): Uint8Array {
    const preimage = this.#preimage(level);
    preimage.set(right, 1 + HASH_BYTES);
    return this.#sha256(preimage);
  }

  #left(level: number): Uint8Array {
    return this.#preimage(level).slice(1, 1 + HASH_BYTES);
  }

  #preimage(level: number): Uint8Array {
    const preimage = this.#preimages[level];
    if (preimage === undefined) throw new RangeError(`no tree has a level ${level}`);
    return preimage;
  }
}
