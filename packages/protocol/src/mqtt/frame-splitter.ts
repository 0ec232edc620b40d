/** Cuts the byte stream of a connection into frames, one for each control packet. @module */
import { CARRY_BYTES_MIN, VARIABLE_BYTES_MAX } from './limits.ts';
import { type PacketRefusal, beyondLimit, malformed, protocolError } from './packet-refusal.ts';
import { NOT_MINIMAL } from './reader.ts';
import { REASON } from './reason-codes.ts';

/**
 * Splits chunks into frames: {@link FrameSplitter.push} takes a chunk, {@link FrameSplitter.next}
 * finds one frame at a time. For back-pressure the caller just stops calling `next`, pauses its
 * transport, and later goes on calling it: the rest of the chunk waits in place, uncopied.
 *
 * A frame inside one chunk is handed over where it lies. Only a frame that spans chunks is
 * joined, in memory of its own that grows with what has arrived, not with what was announced.
 * No memory is written again after it was handed over, so views into a frame stay valid as long
 * as the caller leaves its chunks alone.
 *
 * @example
 * splitter.push(chunk);
 * let found = splitter.next();
 * for (; found === true && !isPaused(); found = splitter.next()) {
 *   handle(decodeFromClient(splitter.first, splitter.buf, splitter.start, splitter.end));
 * }
 * if (found instanceof Refusal) close(found);
 */
export class FrameSplitter {
  /** Largest accepted packet, in bytes, with its fixed header. May be changed between packets. */
  packetBytesMax: number;
  /** Refuses a remaining length with more bytes than it needs. MQTT 5 §1.5.5; 3.1.1 allows it. */
  requiresMinimalLength = false;

  /** First byte of the frame that {@link next} found: packet type and flags. */
  first = 0;
  /** Where the frame lies; valid, like the other three, until the next call of {@link next}. */
  buf: Uint8Array = EMPTY;
  /** Offset in {@link buf} of the first byte after the remaining length. */
  start = 0;
  /** Offset in {@link buf} of the first byte after the frame. */
  end = 0;

  #chunk: Uint8Array = EMPTY;
  #chunkAt = 0;
  readonly #waiting: Uint8Array[] = [];
  /** Beginning of a frame that spans chunks. */
  #carry: Uint8Array = EMPTY;
  #carryBytes = 0;
  /** Bytes of the frame in the carry, or 0 while its remaining length is incomplete. */
  #carryBytesWanted = 0;
  #refusal: PacketRefusal | undefined;

  /** @param options - `packetBytesMax`: largest accepted packet, in bytes, with its header. */
  constructor(options: { readonly packetBytesMax: number }) {
    this.packetBytesMax = options.packetBytesMax;
  }

  /**
   * Takes the next chunk of the stream, without looking at it and without a copy. Chunks that are
   * pushed while older ones are not used up wait in line: a caller that pauses must pause its
   * transport too, or the line grows.
   */
  push(chunk: Uint8Array): void {
    // slice() copies a Uint8Array but not a Buffer; whoever keeps a payload must not need to know
    // which of the two its chunk was.
    this.#waiting.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
  }

  /**
   * Finds the next frame and shows it in {@link first}, {@link buf}, {@link start}, {@link end}.
   *
   * @returns true when a frame was found, false when the chunks are used up, or a refusal, which
   *   is final, as nobody knows where the next frame begins: `E_WIRE_SIZE` as soon as a packet
   *   announces more than `packetBytesMax`, `E_WIRE_PACKET` for a malformed remaining length or
   *   the reserved packet type 0.
   * @see MQTT 3.1.1 §2.2.3
   */
  next(): boolean | PacketRefusal {
    if (this.#refusal !== undefined) return this.#refusal;
    do {
      const found = this.#carryBytes === 0 ? this.#nextInChunk() : this.#nextInCarry();
      if (found === true) return true;
      if (found !== false) {
        this.#forget();
        this.#refusal = found;
        return found;
      }
    } while (this.#takeWaiting());
    return false;
  }

  #nextInChunk(): boolean | PacketRefusal {
    const chunk = this.#chunk;
    if (this.#chunkAt === chunk.length) return false;
    const header = this.#readHeader(chunk, this.#chunkAt, chunk.length);
    if (header === true && this.end <= chunk.length) {
      this.buf = chunk;
      this.#chunkAt = this.end;
      return true;
    }
    if (typeof header !== 'boolean') return header;
    this.#carryBytesWanted = header ? this.end - this.#chunkAt : 0;
    this.#carryFromChunk(header ? this.#carryBytesWanted : HEADER_BYTES_MAX);
    return false;
  }

  #nextInCarry(): boolean | PacketRefusal {
    while (this.#carryBytesWanted === 0) {
      if (this.#chunkAt === this.#chunk.length) return false;
      this.#carryFromChunk(this.#carryBytes + 1);
      const header = this.#readHeader(this.#carry, 0, this.#carryBytes);
      if (typeof header !== 'boolean') return header;
      if (header) this.#carryBytesWanted = this.end;
    }
    this.#carryFromChunk(this.#carryBytesWanted);
    if (this.#carryBytes < this.#carryBytesWanted) return false;
    const header = this.#readHeader(this.#carry, 0, this.#carryBytes);
    if (header !== true) return header;
    this.buf = this.#carry;
    this.#carry = EMPTY;
    this.#carryBytes = 0;
    this.#carryBytesWanted = 0;
    return true;
  }

  /**
   * Reads the fixed header at `at` and sets {@link first}, {@link start} and {@link end}.
   *
   * @returns false when the header goes on beyond `limit`.
   */
  #readHeader(buf: Uint8Array, at: number, limit: number): boolean | PacketRefusal {
    const first = buf[at] ?? 0;
    // Nothing can follow that would make sense of it, so there is no need to wait for its end.
    if (first < 0x10) return protocolError('packet type 0 (MQTT 3.1.1 §2.2.1, MQTT 5 §2.1.2)');
    let remaining = 0;
    for (let i = 1; i <= VARIABLE_BYTES_MAX; i += 1) {
      if (at + i >= limit) return false;
      const byte = buf[at + i] ?? 0;
      remaining |= (byte & 0x7f) << (7 * (i - 1));
      if (byte >= 0x80) continue;
      if (byte === 0 && i > 1 && this.requiresMinimalLength) {
        return malformed(`the remaining length ${NOT_MINIMAL}`);
      }
      this.first = first;
      this.start = at + i + 1;
      this.end = this.start + remaining;
      if (this.end - at <= this.packetBytesMax) return true;
      return beyondLimit(
        `a packet of ${this.end - at} bytes; at most ${this.packetBytesMax} are accepted`,
        REASON.packetTooLarge,
      );
    }
    return malformed('the remaining length has more than 4 bytes (MQTT 3.1.1 §2.2.3)');
  }

  /** Moves bytes from the chunk until the carry holds `bytesWanted` or the chunk is used up. */
  #carryFromChunk(bytesWanted: number): void {
    const missing = bytesWanted - this.#carryBytes;
    const taken = Math.min(missing, this.#chunk.length - this.#chunkAt);
    const bytes = this.#carryBytes + taken;
    if (bytes > this.#carry.length) {
      // Doubling makes a dripping peer cost linear time, and an announced size no memory.
      const room = Math.max(bytes, 2 * this.#carry.length, CARRY_BYTES_MIN);
      const grown = new Uint8Array(Math.min(room, Math.max(bytesWanted, HEADER_BYTES_MAX)));
      grown.set(this.#carry.subarray(0, this.#carryBytes));
      this.#carry = grown;
    }
    this.#carry.set(this.#chunk.subarray(this.#chunkAt, this.#chunkAt + taken), this.#carryBytes);
    this.#carryBytes = bytes;
    this.#chunkAt += taken;
  }

  /** Goes on to the next waiting chunk. An idle connection must hold neither chunk nor frame. */
  #takeWaiting(): boolean {
    this.buf = EMPTY;
    this.#chunk = this.#waiting.shift() ?? EMPTY;
    this.#chunkAt = 0;
    return this.#chunk !== EMPTY;
  }

  #forget(): void {
    this.buf = EMPTY;
    this.#chunk = EMPTY;
    this.#carry = EMPTY;
    this.#waiting.length = 0;
  }
}

const EMPTY = new Uint8Array(0);
/** Type and flags, then the remaining length. */
const HEADER_BYTES_MAX = 1 + VARIABLE_BYTES_MAX;
