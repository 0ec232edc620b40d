/** A cursor over the bytes of one packet, for every packet but PUBLISH. @module */
import { type Refusal, refuse } from '../refusal.ts';
import { readUtf8 } from './utf8.ts';

/** What the standard says of a packet that is too short or too long without a rule of its own. */
export const PROTOCOL_VIOLATION = '[MQTT-4.8.0-1]';

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

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  byte(field: string, rule: string): number | Refusal {
    if (this.#at + 1 > this.#end) return missing(field, rule);
    this.#at += 1;
    return this.#buf[this.#at - 1] ?? 0;
  }

  uint16(field: string, rule: string): number | Refusal {
    if (this.#at + 2 > this.#end) return missing(field, rule);
    this.#at += 2;
    return readUint16(this.#buf, this.#at - 2);
  }

  /** A packet id, which is never 0. [MQTT-2.3.1-1] */
  packetId(): number | Refusal {
    const id = this.uint16('packet id', '[MQTT-2.3.1-1]');
    return id === 0 ? refuse('E_WIRE_PACKET', ZERO_PACKET_ID) : id;
  }

  /** A UTF-8 encoded string. MQTT 3.1.1 §1.5.3 */
  text(field: string, rule: string): string | Refusal {
    const start = this.#field(field, rule);
    return typeof start === 'number' ? readUtf8(this.#buf, start, this.#at) : start;
  }

  /** Binary data with its length before it: a view, not a copy. */
  binary(field: string, rule: string): Uint8Array | Refusal {
    const start = this.#field(field, rule);
    return typeof start === 'number' ? this.#buf.subarray(start, this.#at) : start;
  }

  /** Refuses bytes after the last field. */
  finish(rule: string = PROTOCOL_VIOLATION): Refusal | undefined {
    if (this.isAtEnd) return undefined;
    return refuse('E_WIRE_PACKET', `bytes follow after the last field ${rule}`);
  }

  /** Passes a length and as many bytes, and gives the offset of the first of these. */
  #field(field: string, rule: string): number | Refusal {
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

export const ZERO_PACKET_ID = 'the packet id is 0 [MQTT-2.3.1-1]';

function missing(field: string, rule: string): Refusal {
  return refuse('E_WIRE_PACKET', `the packet ends before or within its ${field} ${rule}`);
}
