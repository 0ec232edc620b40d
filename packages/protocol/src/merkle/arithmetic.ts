/**
 * Arithmetic on tree sizes and indexes, 0 to 2^53 - 1.
 * JavaScript's bit operators stop at 32 bits, so everything here divides and multiplies by powers of
 * two, which is exact on doubles. @module
 */

/** Largest tree size: beyond it a number no longer holds every integer. */
export const SIZE_MAX = Number.MAX_SAFE_INTEGER;

/** Levels of complete subtrees a tree of {@link SIZE_MAX} leaves has: 0 (a leaf) to 52. */
export const LEVEL_COUNT = 53;

/** Whether `value` can be a tree size: an integer from 0 to {@link SIZE_MAX}. */
export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Asserts that `size` can be a tree size. @throws RangeError if it cannot. */
export function assertSize(size: number): void {
  if (!isSize(size)) throw new RangeError(`tree size ${size} is no integer of 0 to 2^53 - 1`);
}

/** Whether the least significant bit of `value` is set ("LSB" in RFC 9162). */
export function isOdd(value: number): boolean {
  return value % 2 === 1;
}

/** `value` shifted right by one bit. */
export function half(value: number): number {
  return Math.floor(value / 2);
}

/** Level of the largest complete subtree that fits into `width` leaves, `width` at least 1. */
export function levelWithin(width: number): number {
  let level = 0;
  while (2 ** (level + 1) <= width) level += 1;
  return level;
}

/** The `k` of RFC 9162 §2.1.1: the largest power of two below `width`, `width` at least 2. */
export function splitBelow(width: number): number {
  return 2 ** levelWithin(width - 1);
}
