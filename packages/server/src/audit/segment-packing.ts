/** What of a segment is sealed: its plaintext as it is, or compressed where that is smaller. @module */
import { createCipheriv } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { SALT_BYTES } from '@holdfast/protocol';
import { openFault } from '../crypto/thread.ts';
import type { RandomBytes } from '../kernel/index.ts';
import { COMPRESSED_BYTES_MAX, COMPRESSED_BYTES_MIN, TOGETHER_BYTES_MAX } from './limits.ts';
import { contentBytesOf } from './zstd-frame.ts';

/** The first byte of what is sealed. */
const FORM_PLAIN = 0;
const FORM_ZSTD = 1;
/** Bytes before the plaintext in either form. */
export const FORM_BYTES = 1;
/** AES-256 key of which the salts of a compressed segment are made. */
export const SEED_BYTES = 32;
const LENGTH_BYTES = 4;
const LENGTH_AT = FORM_BYTES + SEED_BYTES;
const PACKED_HEADER_BYTES = FORM_BYTES + SEED_BYTES + LENGTH_BYTES;
/** Bytes of memory into which is decompressed at a time: the least that zlib takes, and the most. */
const PIECE_BYTES_MIN = 64;
const PIECE_BYTES_MAX = 1_024 * 1_024;
/** What the salts of most segments are made from. */
const ZEROS = Buffer.alloc(256 * SALT_BYTES);
const FIRST_COUNTER = Buffer.alloc(16);
/** The level at which a segment of 64 messages costs half a microsecond a message. */
const ZSTD_LEVEL = 1;

/** A laid-out segment that has no salts so far. */
export interface UnsaltedSegment {
  /** One byte for the form, then the plaintext, with zeros in place of the salts. */
  readonly memory: Buffer;
  /** The leaf preimages in `memory`, in the order of the segment. */
  readonly leaves: readonly Buffer[];
}

/**
 * Puts the salts into a segment, and gives what of it is to be sealed. Random salts cannot be
 * compressed: those of a compressed segment are made of a seed, which stands in their place.
 */
export function packSegment({ memory, leaves }: UnsaltedSegment, random: RandomBytes): Uint8Array {
  const compressed = compress(memory.subarray(FORM_BYTES));
  if (compressed === undefined) {
    memory[0] = FORM_PLAIN;
    for (const leaf of leaves) leaf.set(random(SALT_BYTES), 1);
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
export function unpackSegment(packed: Buffer, together?: ReadonlyMap<Buffer, Buffer>): Unpacked {
  const frame = frameIn(packed);
  if (frame === undefined) return { plaintext: packed.subarray(FORM_BYTES), salts: undefined };
  const plaintext = together?.get(packed) ?? decompress(frame);
  const seed = packed.subarray(FORM_BYTES, FORM_BYTES + SEED_BYTES);
  return { plaintext, salts: (leaves) => saltsOf(seed, leaves) };
}

/**
 * Decompresses the small ones among many packed segments in one go, as each decompression costs
 * 20 µs before its first byte.
 * @returns what {@link unpackSegment} would decompress; it does so itself where there is nothing.
 */
export function decompressTogether(packed: readonly Buffer[]): ReadonlyMap<Buffer, Buffer> {
  const plaintexts = new Map<Buffer, Buffer>();
  const small = packed.filter((one) => isTogether(one));
  if (small.length < 2) return plaintexts;
  const lengths = small.map((one) => one.readUInt32BE(LENGTH_AT));
  const length = lengths.reduce((sum, one) => sum + one);
  const frames = Buffer.concat(small.map((one) => one.subarray(PACKED_HEADER_BYTES)));
  let all: Buffer;
  try {
    all = zstdDecompressSync(frames, { maxOutputLength: length, chunkSize: length + 1 });
  } catch {
    // Which one it was shows when each is decompressed for itself.
    return plaintexts;
  }
  if (all.length !== length) return plaintexts;
  let at = 0;
  for (const [number, one] of small.entries()) {
    const end = at + (lengths[number] ?? 0);
    plaintexts.set(one, all.subarray(at, end));
    at = end;
  }
  return plaintexts;
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

/** What is compressed of a segment. */
interface Frame {
  readonly compressed: Buffer;
  /** Bytes that it has to become. */
  readonly length: number;
}

/** Undefined for a segment that is not compressed. */
function frameIn(packed: Buffer): Frame | undefined {
  if (packed[0] === FORM_PLAIN) return undefined;
  if (packed[0] !== FORM_ZSTD || packed.length < PACKED_HEADER_BYTES) throw openFault();
  const length = packed.readUInt32BE(LENGTH_AT);
  if (length === 0 || length > COMPRESSED_BYTES_MAX) throw openFault();
  return { compressed: packed.subarray(PACKED_HEADER_BYTES), length };
}

/** Whether a segment is small, and its frame ends and gives what it should whatever follows it. */
function isTogether(packed: Buffer): boolean {
  if (packed[0] !== FORM_ZSTD || packed.length < PACKED_HEADER_BYTES) return false;
  const length = packed.readUInt32BE(LENGTH_AT);
  if (length === 0 || length > TOGETHER_BYTES_MAX) return false;
  return contentBytesOf(packed.subarray(PACKED_HEADER_BYTES)) === length;
}

function decompress({ compressed, length }: Frame): Buffer {
  let plaintext: Buffer;
  try {
    plaintext = zstdDecompressSync(compressed, {
      maxOutputLength: length,
      // With a byte to spare, as Node makes another piece of memory when one is full.
      chunkSize: Math.min(Math.max(PIECE_BYTES_MIN, length + 1), PIECE_BYTES_MAX),
    });
  } catch (cause) {
    throw openFault(cause);
  }
  if (plaintext.length !== length) throw openFault();
  return plaintext;
}

/** Who does not have the seed cannot tell these from random bytes. NIST SP 800-38A §6.5 */
function saltsOf(seed: Uint8Array, leaves: number): Buffer {
  const bytes = leaves * SALT_BYTES;
  const zeros = bytes > ZEROS.length ? Buffer.alloc(bytes) : ZEROS.subarray(0, bytes);
  return createCipheriv('aes-256-ctr', seed, FIRST_COUNTER).update(zeros);
}
