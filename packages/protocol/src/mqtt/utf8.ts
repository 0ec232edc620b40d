/** UTF-8 encoded strings as MQTT wants them: well-formed, without control characters. @module */
import { FIELD_BYTES_MAX } from './limits.ts';
import { type PacketRefusal, malformed } from './packet-refusal.ts';

/**
 * Reads bytes `start` to `end` as text.
 *
 * @returns the text, or `E_WIRE_PACKET`. U+FEFF is kept wherever it stands:
 *   MQTT 3.1.1 [MQTT-1.5.3-3], MQTT 5 [MQTT-1.5.4-3].
 * @see MQTT 3.1.1 §1.5.3, MQTT 5 §1.5.4
 */
export function readUtf8(buf: Uint8Array, start: number, end: number): string | PacketRefusal {
  return (
    (end - start <= BRIEF_BYTES ? readBrief(buf, start, end) : undefined) ??
    readAny(buf, start, end)
  );
}

/** Reads a text of few bytes, all of them printable ASCII: a call of the decoder costs more. */
function readBrief(buf: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  for (let at = start; at < end; at += 1) {
    const byte = buf[at] ?? 0;
    if (byte < 0x20 || byte > 0x7e) return undefined;
    text += ASCII[byte];
  }
  return text;
}

function readAny(buf: Uint8Array, start: number, end: number): string | PacketRefusal {
  let text: string;
  try {
    text = decoder.decode(buf.subarray(start, end));
  } catch {
    return malformed(ILL_FORMED);
  }
  return checkText(text) ?? text;
}

/**
 * Tells whether a text may be sent in a packet: no lone surrogates, no control characters and no
 * non-characters. The standard allows a receiver to close on the latter two; they have no use in
 * a topic or a name, and would reach log files and terminals.
 *
 * @returns undefined when it may, or `E_WIRE_PACKET`.
 * @see MQTT 3.1.1 §1.5.3
 */
export function checkText(text: string): PacketRefusal | undefined {
  if (PRINTABLE_ASCII.test(text)) return undefined;
  if (!text.isWellFormed()) return malformed(ILL_FORMED);
  if (text.includes('\0')) return malformed(HOLDS_NUL);
  return UNFIT.test(text) ? malformed(HOLDS_UNFIT) : undefined;
}

/**
 * Encodes a text that {@link checkText} accepts.
 *
 * @throws RangeError when no packet could hold it. [MQTT-4.7.3-3]
 */
export function encodeUtf8(text: string): Uint8Array {
  return encodeUtf8Briefly(text).slice();
}

/**
 * As {@link encodeUtf8}, into memory that the next call overwrites: for one text that is copied
 * at once. The native encoder does not slow down on strings that are ropes or map keys, as a
 * loop over their characters does.
 */
export function encodeUtf8Briefly(text: string): Uint8Array {
  const { read, written } = encoder.encodeInto(text, scratch);
  if (read < text.length) throw new RangeError(`a text of more than ${FIELD_BYTES_MAX} bytes`);
  return scratch.subarray(0, written);
}

const ILL_FORMED =
  'a text is not well-formed UTF-8 (MQTT 3.1.1 [MQTT-1.5.3-1], MQTT 5 [MQTT-1.5.4-1])';
const HOLDS_NUL =
  'a text holds U+0000 (MQTT 3.1.1 [MQTT-1.5.3-2], MQTT 5 [MQTT-1.5.4-2], [MQTT-4.7.3-2])';
const HOLDS_UNFIT =
  'a text holds a control character or non-character (MQTT 3.1.1 §1.5.3, MQTT 5 §1.5.4)';
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/u;
const UNFIT = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;
const BRIEF_BYTES = 12;
const ASCII = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
const scratch = new Uint8Array(FIELD_BYTES_MAX);
const encoder = new TextEncoder();
// Without ignoreBOM the decoder would strip a leading U+FEFF. MQTT 5 [MQTT-1.5.4-3]
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
