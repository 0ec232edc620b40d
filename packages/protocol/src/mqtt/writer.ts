/** Writes the fields of one packet into memory of exactly its size. @module */
import { PACKET_ID_MAX, REMAINING_LENGTH_MAX } from './limits.ts';

/**
 * A packet in the making. Whoever encodes has checked what it was given: a field that does not
 * fit is a defect of ours and throws.
 */
export class Writer {
  readonly bytes: Uint8Array;
  #at: number;

  /**
   * @param first - First byte of the frame: packet type and flags.
   * @param remainingBytes - Exact size of all that follows the fixed header.
   * @throws RangeError when that is more than `REMAINING_LENGTH_MAX`.
   */
  constructor(first: number, remainingBytes: number) {
    if (remainingBytes > REMAINING_LENGTH_MAX) {
      throw new RangeError(`a packet of ${remainingBytes} bytes cannot be encoded`);
    }
    const headerBytes = 1 + variableBytes(remainingBytes);
    this.bytes = allocate(headerBytes + remainingBytes);
    this.bytes[0] = first;
    this.#at = 1;
    this.variable(remainingBytes);
  }

  /** Offset of the next field. */
  get at(): number {
    return this.#at;
  }

  byte(value: number): void {
    this.bytes[this.#at] = value;
    this.#at += 1;
  }

  /** @throws RangeError when the value has more than 16 bits. */
  uint16(value: number): void {
    if (value > 0xffff) throw new RangeError(`${value} has more than 16 bits`);
    writeUint16(this.bytes, this.#at, value);
    this.#at += 2;
  }

  /** @throws RangeError unless the value is an integer of 32 bits. */
  uint32(value: number): void {
    assertUint32(value);
    this.uint16(Math.floor(value / 0x1_0000));
    this.uint16(value % 0x1_0000);
  }

  /** A variable byte integer, 0 to 268,435,455. MQTT 5 §1.5.5 */
  variable(value: number): void {
    this.#at = writeVariable(this.bytes, this.#at, value);
  }

  /** @throws RangeError unless the id is an integer from 1 to 65,535. [MQTT-2.3.1-1] */
  packetId(id: number): void {
    assertPacketId(id);
    this.uint16(id);
  }

  /**
   * Binary data, or a text in UTF-8, with its length before it.
   *
   * @throws RangeError when it is longer than 65,535 bytes. MQTT 3.1.1 §1.5.3
   */
  field(data: Uint8Array): void {
    this.uint16(data.length);
    this.raw(data);
  }

  raw(data: Uint8Array): void {
    this.bytes.set(data, this.#at);
    this.#at += data.length;
  }
}

/** @throws RangeError unless the id is an integer from 1 to 65,535. [MQTT-2.3.1-1] */
export function assertPacketId(id: number): void {
  if (!Number.isInteger(id) || id < 1 || id > PACKET_ID_MAX) {
    throw new RangeError(`${id} is no packet id`);
  }
}

/** Writes a 16-bit number, most significant byte first. MQTT 3.1.1 §1.5.2 */
export function writeUint16(buf: Uint8Array, at: number, value: number): void {
  buf[at] = value >> 8;
  buf[at + 1] = value & 0xff;
}

/** Gives memory for a packet. Small packets share a slab, each byte of which is used once. */
export function allocate(bytes: number): Uint8Array {
  if (bytes > SLAB_SHARE_BYTES_MAX) return new Uint8Array(bytes);
  if (slabAt + bytes > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabAt = 0;
  }
  slabAt += bytes;
  return slab.subarray(slabAt - bytes, slabAt);
}

/** Writes a variable byte integer and gives the offset after it. MQTT 5 §1.5.5 */
export function writeVariable(buf: Uint8Array, at: number, value: number): number {
  let next = at;
  let rest = value;
  for (; rest >= 0x80; rest >>= 7) {
    buf[next] = (rest & 0x7f) | 0x80;
    next += 1;
  }
  buf[next] = rest;
  return next + 1;
}

/** Bytes of a variable byte integer. MQTT 5 §1.5.5 */
export function variableBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

/** @throws RangeError unless the value is an integer of 32 bits. */
export function assertUint32(value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RangeError(`${value} is no integer of 32 bits`);
  }
}

// A typed array with memory of its own costs ten times a view, more than all else in encoding.
const SLAB_BYTES = 16_384;
const SLAB_SHARE_BYTES_MAX = 2_048;
let slab = new Uint8Array(SLAB_BYTES);
let slabAt = 0;
