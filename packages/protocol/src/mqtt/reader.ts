/** A cursor over the bytes of one packet, for every packet but PUBLISH. @module */
import { VARIABLE_BYTES_MAX } from './limits.ts';
import {
  type PacketRefusal,
  type RefusePacket,
  malformed,
  protocolError,
} from './packet-refusal.ts';
import { readUtf8 } from './utf8.ts';

/** What the standards say of a packet that is too short or too long without a rule of its own. */
export const PROTOCOL_VIOLATION = 'MQTT 3.1.1 [MQTT-4.8.0-1], MQTT 5 [MQTT-4.13.1-1]';

/** The rule for packet ids. */
export const PACKET_ID_RULE = 'MQTT 3.1.1 [MQTT-2.3.1-1], MQTT 5 [MQTT-2.2.1-3]';

/**
 * Reads field after field. Each method names the field and the rule that asks for it, so that
 * the refusal `E_WIRE_PACKET` for a missing field tells which one.
 */
export class Reader {
  readonly #buf: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(buf: Uint8Array, start: number, end: number) {
    this.#buf = buf;
    this.#at = start;
    this.#end = end;
  }

  /** Offset of the next field. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  byte(field: string, rule: string): number | PacketRefusal {
    if (this.#at + 1 > this.#end) return missing(field, rule);
    this.#at += 1;
    return this.#buf[this.#at - 1] ?? 0;
  }

  uint16(field: string, rule: string): number | PacketRefusal {
    if (this.#at + 2 > this.#end) return missing(field, rule);
    this.#at += 2;
    return readUint16(this.#buf, this.#at - 2);
  }

  uint32(field: string, rule: string): number | PacketRefusal {
    if (this.#at + 4 > this.#end) return missing(field, rule);
    this.#at += 4;
    const upper = readUint16(this.#buf, this.#at - 4);
    return upper * 0x1_0000 + readUint16(this.#buf, this.#at - 2);
  }

  /** A variable byte integer, in as few bytes as possible. MQTT 5 [MQTT-1.5.5-1] */
  variable(field: string, rule: string): number | PacketRefusal {
    let value = 0;
    for (let i = 0; i < VARIABLE_BYTES_MAX; i += 1) {
      if (this.#at === this.#end) return missing(field, rule);
      const byte = this.#buf[this.#at] ?? 0;
      this.#at += 1;
      value |= (byte & 0x7f) << (7 * i);
      if (byte >= 0x80) continue;
      return byte === 0 && i > 0 ? malformed(`the ${field} ${NOT_MINIMAL}`) : value;
    }
    return malformed(`the ${field} has more than 4 bytes (MQTT 5 §1.5.5)`);
  }

  /** A packet id, which is never 0. */
  packetId(refuseZero: RefusePacket = protocolError): number | PacketRefusal {
    const id = this.uint16('packet id', PACKET_ID_RULE);
    return id === 0 ? refuseZero(ZERO_PACKET_ID) : id;
  }

  /** A UTF-8 encoded string. MQTT 3.1.1 §1.5.3, MQTT 5 §1.5.4 */
  text(field: string, rule: string): string | PacketRefusal {
    const start = this.#field(field, rule);
    return typeof start === 'number' ? readUtf8(this.#buf, start, this.#at) : start;
  }

  /** Binary data with its length before it: a view, not a copy. */
  binary(field: string, rule: string): Uint8Array | PacketRefusal {
    const start = this.#field(field, rule);
    return typeof start === 'number' ? this.#buf.subarray(start, this.#at) : start;
  }

  /** Passes a part of the packet, and gives a reader for it. */
  part(bytes: number, field: string, rule: string): Reader | PacketRefusal {
    const start = this.#at;
    if (start + bytes > this.#end) return missing(field, rule);
    this.#at = start + bytes;
    return new Reader(this.#buf, start, this.#at);
  }

  /** Refuses bytes after the last field. */
  finish(rule: string = PROTOCOL_VIOLATION): PacketRefusal | undefined {
    if (this.isAtEnd) return undefined;
    return malformed(`bytes follow after the last field (${rule})`);
  }

  /** Passes a length and as many bytes, and gives the offset of the first of these. */
  #field(field: string, rule: string): number | PacketRefusal {
    const bytes = this.uint16(field, rule);
    if (typeof bytes !== 'number') return bytes;
    const start = this.#at;
    if (start + bytes > this.#end) return missing(field, rule);
    this.#at = start + bytes;
    return start;
  }
}

/** The 16-bit number at `at`, most significant byte first. MQTT 3.1.1 §1.5.2 */
export function readUint16(buf: Uint8Array, at: number): number {
  return ((buf[at] ?? 0) << 8) | (buf[at + 1] ?? 0);
}

export const ZERO_PACKET_ID = `the packet id is 0 (${PACKET_ID_RULE})`;
export const NOT_MINIMAL = 'is longer than it needs to be (MQTT 5 [MQTT-1.5.5-1])';

function missing(field: string, rule: string): PacketRefusal {
  return malformed(`the packet ends before or within its ${field} (${rule})`);
}
