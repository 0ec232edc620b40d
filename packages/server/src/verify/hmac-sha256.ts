/** HMAC-SHA256 for the hot path, made of two one-shot hashes. @module */
import { hash, timingSafeEqual } from 'node:crypto';

/**
 * HMAC-SHA256 under one key. `createHmac` sets up a context for each message, and each binary
 * digest is a Buffer of its own; both together cost more than half of a signature's time. The
 * digests here are OpenSSL's too; only the two pads around them are put together by hand.
 * @see RFC 2104 §2, RFC 4231
 */
export class HmacSha256 {
  /** Key XOR ipad. */
  readonly #inner: Uint8Array;
  /** Key XOR opad, and room for the inner hash behind it. */
  readonly #outer: Buffer;

  /** @param key - At most 64 bytes: a longer one would have to be hashed first. RFC 2104 §2 */
  constructor(key: Uint8Array) {
    if (key.length > BLOCK_BYTES) throw new RangeError(`a key of more than ${BLOCK_BYTES} bytes`);
    const padded = new Uint8Array(BLOCK_BYTES);
    padded.set(key);
    this.#inner = padded.map((byte) => byte ^ 0x36);
    this.#outer = Buffer.alloc(BLOCK_BYTES + TAG_BYTES);
    this.#outer.set(padded.map((byte) => byte ^ 0x5c));
  }

  /**
   * Whether `tag` is the HMAC-SHA256 of `text`, in UTF-8, followed by `bytes`; in constant time.
   * @param tag - 32 bytes
   */
  isTagOf({ text = '', bytes }: { text?: string; bytes: Uint8Array }, tag: Uint8Array): boolean {
    const room = BLOCK_BYTES + text.length * UTF8_BYTES_MAX + bytes.length;
    if (room > scratch.length) scratch = Buffer.alloc(room);
    scratch.set(this.#inner, 0);
    const bytesStart = BLOCK_BYTES + scratch.write(text, BLOCK_BYTES, 'utf8');
    scratch.set(bytes, bytesStart);
    const input = scratch.subarray(0, bytesStart + bytes.length);
    // One character a byte: half the time of a Buffer that would be copied at once.
    this.#outer.write(hash('sha256', input, 'latin1'), BLOCK_BYTES, 'latin1');
    expected.write(hash('sha256', this.#outer, 'latin1'), 0, 'latin1');
    return timingSafeEqual(expected, tag);
  }
}

const BLOCK_BYTES = 64;
const TAG_BYTES = 32;
/** UTF-8 bytes that one UTF-16 unit may take. */
const UTF8_BYTES_MAX = 3;

/** Holds one input at a time; grows to the largest that there was. */
let scratch: Buffer = Buffer.alloc(16_384);
const expected = Buffer.alloc(TAG_BYTES);
