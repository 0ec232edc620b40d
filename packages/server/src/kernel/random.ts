/** Randomness as a dependency. @module */
import { randomBytes } from 'node:crypto';

/** Gives `count` unpredictable bytes. */
export type RandomBytes = (count: number) => Uint8Array<ArrayBuffer>;

/** The operating system's generator, through OpenSSL. */
export const systemRandom: RandomBytes = (count) => new Uint8Array(randomBytes(count));
