/**
 * Shamir's secret sharing over GF(2^8), byte by byte: any `threshold` shares give the secret, fewer
 * say nothing about it.
 * @see A. Shamir, How to Share a Secret, CACM 22(11), 1979
 * @module
 */
import type { RandomBytes } from '../kernel/index.ts';

/** One share: the values of the polynomials at `x`. */
export interface ShamirShare {
  /** 1 to 255; no two shares of a set have the same. */
  readonly x: number;
  /** As long as the secret. */
  readonly y: Uint8Array;
}

/**
 * Splits a secret.
 * @param count - Shares to make, `threshold` to 255.
 * @param threshold - How many are needed, 2 to 255.
 */
export function splitSecret(
  secret: Uint8Array,
  { count, threshold, random }: { count: number; threshold: number; random: RandomBytes },
): ShamirShare[] {
  if (threshold < 2 || threshold > count || count > 255) throw new RangeError('impossible shares');
  // The secret is the constant term of each byte's polynomial, the others are random.
  const terms = [secret, ...Array.from({ length: threshold - 1 }, () => random(secret.length))];
  return Array.from({ length: count }, (_, at) => {
    const x = at + 1;
    const y = new Uint8Array(secret.length);
    for (const term of terms.toReversed()) {
      for (let byte = 0; byte < y.length; byte += 1) {
        y[byte] = multiply(y[byte] ?? 0, x) ^ (term[byte] ?? 0);
      }
    }
    return { x, y };
  });
}

/** Joins shares of one set, as many as its threshold. Others give bytes that mean nothing. */
export function joinShares(shares: readonly ShamirShare[]): Uint8Array {
  const length = shares[0]?.y.length ?? 0;
  const isSet = new Set(shares.map(({ x }) => x)).size === shares.length;
  if (!isSet || shares.some(({ x, y }) => x < 1 || x > 255 || y.length !== length)) {
    throw new RangeError('not shares of one set');
  }
  const secret = new Uint8Array(length);
  for (const { x, y } of shares) {
    // Lagrange's polynomial of this share at 0. In this field, minus is plus.
    let weight = 1;
    for (const other of shares) {
      if (other.x !== x) weight = multiply(weight, multiply(other.x, invert(other.x ^ x)));
    }
    for (let byte = 0; byte < length; byte += 1) {
      secret[byte] = (secret[byte] ?? 0) ^ multiply(y[byte] ?? 0, weight);
    }
  }
  return secret;
}

/** Multiplies modulo x^8 + x^4 + x^3 + x + 1 in the same steps for all operands (no table). */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = a;
  for (let bit = 0; bit < 8; bit += 1) {
    product ^= -((b >> bit) & 1) & shifted;
    shifted = ((shifted << 1) ^ (-(shifted >> 7) & REDUCTION)) & 0xff;
  }
  return product & 0xff;
}

/** a^254, which is 1/a. */
function invert(a: number): number {
  let result = 1;
  let power = a;
  for (let bit = 1; bit < 8; bit += 1) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}

const REDUCTION = 0x1b;
