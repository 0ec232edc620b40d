/** Randomness as a dependency. @module */
import { randomFillSync } from 'node:crypto';

/** Gives `count` unpredictable bytes. */
export type RandomBytes = (count: number) => Uint8Array<ArrayBuffer>;

/** The operating system's generator, through OpenSSL. */
export const systemRandom: RandomBytes = (count) => randomFillSync(new Uint8Array(count));

/**
 * Draws once what is then taken in parts, each byte of it once: a draw costs as much as hashing a
 * kilobyte. What goes beyond `count` bytes is drawn by itself.
 */
export function drawAtOnce(random: RandomBytes, count: number): RandomBytes {
  const drawn = random(count);
  let taken = 0;
  return (bytes) => {
    const end = taken + bytes;
    if (end > drawn.length) return random(bytes);
    const part = drawn.subarray(taken, end);
    taken = end;
    return part;
  };
}
