/**
 * The recursive definitions of RFC 9162 §2.1, written down literally, for tests to compare with.
 * Slow by nature; subtree hashes are remembered so that tests can ask for every size. @module
 */
import type { Sha256 } from './tree.ts';

/** The list D of entries, with MTH, PATH and PROOF over parts of it. */
export class ReferenceTree {
  readonly #sha256: Sha256;
  readonly #entries: readonly Uint8Array[];
  readonly #known = new Map<string, Uint8Array>();

  constructor(sha256: Sha256, entries: readonly Uint8Array[]) {
    this.#sha256 = sha256;
    this.#entries = entries;
  }

  /** MTH(D[start:end]). RFC 9162 §2.1.1 */
  mth(start: number, end: number): Uint8Array {
    const key = `${start}:${end}`;
    const known = this.#known.get(key) ?? this.#mth(start, end);
    this.#known.set(key, known);
    return known;
  }

  #mth(start: number, end: number): Uint8Array {
    if (start === end) return this.#sha256(new Uint8Array());
    if (end - start === 1) return this.#hash(0x00, this.#entries[start] ?? new Uint8Array());
    const k = start + split(end - start);
    return this.#hash(0x01, this.mth(start, k), this.mth(k, end));
  }

  /** PATH(m, D[start:end]). RFC 9162 §2.1.3.1 */
  path(m: number, start: number, end: number): Uint8Array[] {
    const n = end - start;
    if (n === 1) return [];
    const k = split(n);
    return m < k
      ? [...this.path(m, start, start + k), this.mth(start + k, end)]
      : [...this.path(m - k, start + k, end), this.mth(start, start + k)];
  }

  /** PROOF(m, D[size]). RFC 9162 §2.1.4.1 */
  proof(m: number, size: number): Uint8Array[] {
    return this.#subproof(m, 0, size, true);
  }

  #subproof(m: number, start: number, end: number, b: boolean): Uint8Array[] {
    const n = end - start;
    if (m === n) return b ? [] : [this.mth(start, end)];
    const k = split(n);
    return m <= k
      ? [...this.#subproof(m, start, start + k, b), this.mth(start + k, end)]
      : [...this.#subproof(m - k, start + k, end, false), this.mth(start, start + k)];
  }

  /** HASH(prefix || left || right) */
  #hash(prefix: number, left: Uint8Array, right: Uint8Array = new Uint8Array()): Uint8Array {
    const preimage = new Uint8Array(1 + left.length + right.length);
    preimage[0] = prefix;
    preimage.set(left, 1);
    preimage.set(right, 1 + left.length);
    return this.#sha256(preimage);
  }
}

/** The largest power of two below `n`. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
