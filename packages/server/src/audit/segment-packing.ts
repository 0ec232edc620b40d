/** What of a segment is sealed: its plaintext as it is, or compressed where that is smaller. @module */
import { createCipheriv } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { SALT_BYTES } from '@holdfast/protocol';
import { openFault } from '../crypto/index.ts';
import type { RandomBytes } from '../kernel/index.ts';
import { COMPRESSED_BYTES_MAX, COMPRESSED_BYTES_MIN } from './limits.ts';

/** The first byte of what is sealed. */
const FORM_PLAIN = 0;
const FORM_ZSTD = 1;
/** Bytes before the plaintext in either form. */
export const FORM_BYTES = 1;
/** AES-256 key of which the salts of a compressed segment are made. */
const SEED_BYTES = 32;
const LENGTH_BYTES = 4;
const PACKED_HEADER_BYTES = FORM_BYTES + SEED_BYTES + LENGTH_BYTES;
/** The level at which a segment of 64 messages costs half a microsecond a message. */
const ZSTD_LEVEL = 1;

/** A laid-out segment that has no salts so far. */
export interface UnsaltedSegment {
  /** One byte for the form, then the plaintext, with zeros in place of the salts. */
  readonly memory: Buffer;
  /** The leaf preimages in `memory`, in the order of the segment. */
  readonly leaves: readonly Buffer[];
  /** A salt for each leaf, for a segment that is not compressed. */
  readonly salts: readonly Uint8Array[];
}

/**
 * Puts the salts into a segment, and gives what of it is to be sealed. Random salts cannot be
 * compressed: those of a compressed segment are made of a seed, which stands in their place.
 */
export function packSegment(
  { memory, leaves, salts }: UnsaltedSegment,
  random: RandomBytes,
): Uint8Array {
  const compressed = compress(memory.subarray(FORM_BYTES));
  if (compressed === undefined) {
    memory[0] = FORM_PLAIN;
    for (const [at, leaf] of leaves.entries()) leaf.set(salts[at] ?? random(SALT_BYTES), 1);
    return memory;
  }
  const packed = Buffer.allocUnsafe(PACKED_HEADER_BYTES + compressed.length);
  const seed = random(SEED_BYTES);
  packed[0] = FORM_ZSTD;
  packed.set(seed, FORM_BYTES);
  packed.writeUInt32BE(memory.length - FORM_BYTES, FORM_BYTES + SEED_BYTES);
  packed.set(compressed, PACKED_HEADER_BYTES);
  const made = saltsOf(seed, leaves.length);
  for (const [at, leaf] of leaves.entries()) leaf.set(saltAt(made, at), 1);
  return packed;
}

/** What was sealed of a segment, without its packing. */
export interface Unpacked {
  readonly plaintext: Buffer;
  /** The salts that are to be put into it, one behind the other; undefined when they are there. */
  readonly salts: ((leaves: number) => Buffer) | undefined;
}

/**
 * Undoes {@link packSegment}.
 * @throws Fault `E_CRYPTO_OPEN` for what it did not make. Never makes more memory than the limit.
 */
export function unpackSegment(packed: Buffer): Unpacked {
  if (packed[0] === FORM_PLAIN) {
    return { plaintext: packed.subarray(FORM_BYTES), salts: undefined };
  }
  if (packed[0] !== FORM_ZSTD || packed.length < PACKED_HEADER_BYTES) throw openFault();
  const length = packed.readUInt32BE(FORM_BYTES + SEED_BYTES);
  if (length === 0 || length > COMPRESSED_BYTES_MAX) throw openFault();
  const plaintext = decompress(packed.subarray(PACKED_HEADER_BYTES), length);
  const seed = packed.subarray(FORM_BYTES, FORM_BYTES + SEED_BYTES);
  return { plaintext, salts: (leaves) => saltsOf(seed, leaves) };
}

/** The salt of the leaf at a place, out of {@link Unpacked.salts}. */
export function saltAt(salts: Buffer, at: number): Buffer {
  return salts.subarray(at * SALT_BYTES, (at + 1) * SALT_BYTES);
}

/** Undefined where it would not be smaller, or costs more than it saves. */
function compress(plaintext: Buffer): Buffer | undefined {
  const { length } = plaintext;
  if (length < COMPRESSED_BYTES_MIN || length > COMPRESSED_BYTES_MAX) return undefined;
  const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };
  const compressed = zstdCompressSync(plaintext, { params });
  return PACKED_HEADER_BYTES + compressed.length < FORM_BYTES + length ? compressed : undefined;
}

function decompress(compressed: Buffer, length: number): Buffer {
  let plaintext: Buffer;
  try {
    plaintext = zstdDecompressSync(compressed, { maxOutputLength: length });
  } catch (cause) {
    throw openFault(cause);
  }
  if (plaintext.length !== length) throw openFault();
  return plaintext;
}

/** Who does not have the seed cannot tell these from random bytes. NIST SP 800-38A §6.5 */
function saltsOf(seed: Uint8Array, leaves: number): Buffer {
  const counter = Buffer.alloc(16);
  return createCipheriv('aes-256-ctr', seed, counter).update(Buffer.alloc(leaves * SALT_BYTES));
}
