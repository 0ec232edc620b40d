/** Proofs that an entry is in a log, and that a log only grew. RFC 9162 §2.1.3, §2.1.4 @module */
import { half, isOdd, isSize, splitBelow } from './arithmetic.ts';
import { rangeRoot } from './hash-reader.ts';
import type { ReadHash } from './hash-reader.ts';
import { bytesEqual, EMPTY_ROOT, isHash, nodeHash } from './tree.ts';
import type { Sha256 } from './tree.ts';

/** What {@link verifyInclusion} checks. */
export interface InclusionClaim {
  /** Index of the leaf, from 0. */
  readonly index: number;
  /** Leaves of the tree. It must stand in the same checkpoint as `root`. */
  readonly size: number;
  /** Hash of the leaf, 32 bytes. */
  readonly leafHash: Uint8Array;
  /** The proof: hashes from the leaf up. */
  readonly proof: readonly Uint8Array[];
  /** Root of the tree, 32 bytes. */
  readonly root: Uint8Array;
}

/** What {@link verifyConsistency} checks. */
export interface ConsistencyClaim {
  /** Leaves of the earlier tree. */
  readonly size1: number;
  /** Root of the earlier tree, 32 bytes. */
  readonly root1: Uint8Array;
  /** Leaves of the later tree. */
  readonly size2: number;
  /** Root of the later tree, 32 bytes. */
  readonly root2: Uint8Array;
  /** The proof. */
  readonly proof: readonly Uint8Array[];
}

/**
 * Makes the inclusion proof of a leaf, PATH(index, D[size]).
 * @returns at most 53 hashes, from the leaf up.
 * @throws RangeError unless 0 <= index < size <= 2^53 - 1; whatever `readHash` throws.
 * @see RFC 9162 §2.1.3.1
 */
export function inclusionProof(
  sha256: Sha256,
  readHash: ReadHash,
  { index, size }: { readonly index: number; readonly size: number },
): Uint8Array[] {
  if (!isSize(index) || !isSize(size) || index >= size) {
    throw new RangeError(`no tree of size ${size} has a leaf ${index}`);
  }
  const proof: Uint8Array[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitBelow(end - start);
    if (index < middle) {
      proof.push(rangeRoot(sha256, readHash, { start: middle, end }));
      end = middle;
    } else {
      proof.push(rangeRoot(sha256, readHash, { start, end: middle }));
      start = middle;
    }
  }
  return proof.reverse();
}

/**
 * Makes the proof that the tree of `size1` leaves is the beginning of that of `size2`,
 * PROOF(size1, D[size2]). It is empty for equal sizes, and for `size1` 0, which the RFC leaves out.
 * @returns at most 54 hashes.
 * @throws RangeError unless 0 <= size1 <= size2 <= 2^53 - 1; whatever `readHash` throws.
 * @see RFC 9162 §2.1.4.1
 */
export function consistencyProof(
  sha256: Sha256,
  readHash: ReadHash,
  { size1, size2 }: { readonly size1: number; readonly size2: number },
): Uint8Array[] {
  if (!isSize(size1) || !isSize(size2) || size1 > size2) {
    throw new RangeError(`a tree of size ${size1} cannot grow to size ${size2}`);
  }
  if (size1 === 0) return [];
  const proof: Uint8Array[] = [];
  let start = 0;
  let end = size2;
  while (size1 < end) {
    const middle = start + splitBelow(end - start);
    if (size1 <= middle) {
      proof.push(rangeRoot(sha256, readHash, { start: middle, end }));
      end = middle;
    } else {
      proof.push(rangeRoot(sha256, readHash, { start, end: middle }));
      start = middle;
    }
  }
  // From leaf 0 on it is the earlier root itself, which the verifier has.
  if (start > 0) proof.push(rangeRoot(sha256, readHash, { start, end }));
  return proof.reverse();
}

/**
 * Checks an inclusion proof.
 * Trees of different sizes can have the same path for a leaf, so the proof alone does not prove
 * `size`: take size and root from one verified checkpoint.
 * @returns whether the leaf is in the tree at that index. Never throws, whatever a peer sent.
 * @see RFC 9162 §2.1.3.2
 */
export function verifyInclusion(sha256: Sha256, claim: InclusionClaim): boolean {
  const { index, size, leafHash, proof, root } = claim;
  if (!isSize(index) || !isSize(size) || !isHash(leafHash) || !isHash(root)) return false;
  // 1. If the leaf index is not below the tree size, fail.
  if (index >= size) return false;
  // 2. Set fn to the leaf index and sn to the tree size - 1.
  let fn = index;
  let sn = size - 1;
  // 3. Set r to the leaf hash.
  let r = leafHash;
  // 4. For each value p of the inclusion path:
  for (const p of proof) {
    // 4.a. If sn is 0, fail.
    if (sn === 0 || !isHash(p)) return false;
    // 4.b. If LSB(fn) is set, or fn equals sn: p is on the left.
    if (isOdd(fn) || fn === sn) {
      r = nodeHash(sha256, p, r);
      // If LSB(fn) is not set, shift both until LSB(fn) is set or fn is 0.
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      // Otherwise p is on the right.
      r = nodeHash(sha256, r, p);
    }
    // 4.c. Shift both once more.
    [fn, sn] = [half(fn), half(sn)];
  }
  // 5. sn must be 0 and r the root.
  return sn === 0 && bytesEqual(r, root);
}

/**
 * Checks a consistency proof.
 * Equal sizes need equal roots and no proof. The empty tree, for which the RFC has no proof, is the
 * beginning of every tree: then nothing is said about `root2`.
 * @returns whether the later tree begins with the earlier one. Never throws, whatever a peer sent.
 * @see RFC 9162 §2.1.4.2
 */
export function verifyConsistency(sha256: Sha256, claim: ConsistencyClaim): boolean {
  const { size1, root1, size2, root2, proof } = claim;
  if (!isSize(size1) || !isSize(size2) || !isHash(root1) || !isHash(root2)) return false;
  if (size1 > size2) return false;
  if (size1 === size2) return proof.length === 0 && bytesEqual(root1, root2);
  if (size1 === 0) return proof.length === 0 && bytesEqual(root1, EMPTY_ROOT);
  // 1. If the consistency path is empty, fail.
  if (proof.length === 0) return false;
  // 2. If the first size is a power of two, prepend the first root to the path.
  const path = isPowerOfTwo(size1) ? [root1, ...proof] : proof;
  return walkConsistency(sha256, claim, path);
}

/** Steps 3 to 7 of RFC 9162 §2.1.4.2, for 0 < size1 < size2. */
function walkConsistency(
  sha256: Sha256,
  { size1, root1, size2, root2 }: ConsistencyClaim,
  path: readonly Uint8Array[],
): boolean {
  // 3. Set fn to the first size - 1 and sn to the second size - 1.
  let fn = size1 - 1;
  let sn = size2 - 1;
  // 4. While LSB(fn) is set, shift both.
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)];
  // 5. Set fr and sr to the first value of the path.
  const [first, ...rest] = path;
  if (!isHash(first)) return false;
  let fr = first;
  let sr = first;
  // 6. For each subsequent value c of the path:
  for (const c of rest) {
    // 6.a. If sn is 0, fail.
    if (sn === 0 || !isHash(c)) return false;
    // 6.b. If LSB(fn) is set, or fn equals sn: c is on the left of both.
    if (isOdd(fn) || fn === sn) {
      fr = nodeHash(sha256, c, fr);
      sr = nodeHash(sha256, c, sr);
      // If LSB(fn) is not set, shift both until LSB(fn) is set or fn is 0.
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      // Otherwise c is on the right, in the later tree only.
      sr = nodeHash(sha256, sr, c);
    }
    // 6.c. Shift both once more.
    [fn, sn] = [half(fn), half(sn)];
  }
  // 7. fr must be the first root, sr the second, and sn 0.
  return sn === 0 && bytesEqual(fr, root1) && bytesEqual(sr, root2);
}

function isPowerOfTwo(size: number): boolean {
  let rest = size;
  while (!isOdd(rest)) rest = half(rest);
  return rest === 1;
}
