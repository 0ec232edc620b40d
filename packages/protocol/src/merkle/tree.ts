/** The hashes of the Merkle tree of RFC 9162 §2.1.1, with SHA-256 injected. @module */

/**
 * SHA-256 of `data`: 32 bytes that belong to the caller.
 * It must not keep `data`, whose bytes may be overwritten after it returns.
 */
export type Sha256 = (data: Uint8Array) => Uint8Array;

/** Bytes of one hash. */
export const HASH_BYTES = 32;

/** Root of the tree without leaves: SHA-256 of nothing. RFC 9162 §2.1.1 */
export const EMPTY_ROOT: Uint8Array = Uint8Array.fromHex(
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
);

/** First byte of a leaf's preimage. It differs from {@link NODE_PREFIX}, or a node passed for a leaf. */
const LEAF_PREFIX = 0x00;

/** First byte of an inner node's preimage. */
export const NODE_PREFIX = 0x01;

/** Bytes of an inner node's preimage: prefix, left hash, right hash. */
export const NODE_PREIMAGE_BYTES = 1 + 2 * HASH_BYTES;

/**
 * Hash of the leaf that holds an entry.
 * @param data - The entry's bytes, as they are logged.
 * @see RFC 9162 §2.1.1
 */
export function leafHash(sha256: Sha256, data: Uint8Array): Uint8Array {
  const preimage = new Uint8Array(1 + data.length);
  preimage[0] = LEAF_PREFIX;
  preimage.set(data, 1);
  return sha256(preimage);
}

/**
 * Hash of the inner node above two subtrees.
 * @param left - Hash of the subtree with the smaller indexes, 32 bytes.
 * @param right - Hash of the other subtree, 32 bytes.
 * @see RFC 9162 §2.1.1
 */
export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  const preimage = new Uint8Array(NODE_PREIMAGE_BYTES);
  preimage[0] = NODE_PREFIX;
  preimage.set(left, 1);
  preimage.set(right, 1 + HASH_BYTES);
  return sha256(preimage);
}

/** Whether `value` is 32 bytes. Takes anything, because a proof comes from a peer. */
export function isHash(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === HASH_BYTES;
}

/** Whether two byte strings are equal. Not for secrets: its time depends on the content. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
