/** UTF-8 encoded strings as MQTT wants them: well-formed, without control characters. @module */
import { type Refusal, refuse } from '../refusal.ts';
import { FIELD_BYTES_MAX } from './limits.ts';

/**
 * Reads bytes `start` to `end` as text.
 *
 * @returns the text, or `E_WIRE_PACKET`. U+FEFF is kept wherever it stands. [MQTT-1.5.3-3]
 * @see MQTT 3.1.1 §1.5.3
 */
export function readUtf8(buf: Uint8Array, start: number, end: number): string | Refusal {
  let text: string;
  try {
    text = decoder.decode(buf.subarray(start, end));
  } catch {
    return refuse('E_WIRE_PACKET', ILL_FORMED);
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
export function checkText(text: string): Refusal | undefined {
  if (PRINTABLE_ASCII.test(text)) return undefined;
  if (!text.isWellFormed()) return refuse('E_WIRE_PACKET', ILL_FORMED);
  if (text.includes('\0')) {
    return refuse('E_WIRE_PACKET', 'a text holds U+0000 [MQTT-1.5.3-2] [MQTT-4.7.3-2]');
  }
  if (UNFIT.test(text)) {
    return refuse(
      'E_WIRE_PACKET',
      'a text holds a control character or non-character (MQTT 3.1.1 §1.5.3)',
    );
  }
  return undefined;
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

const ILL_FORMED = 'a text is not well-formed UTF-8 [MQTT-1.5.3-1]';
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/u;
const UNFIT = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;
const scratch = new Uint8Array(FIELD_BYTES_MAX);
const encoder = new TextEncoder();
// Without ignoreBOM the decoder would strip a leading U+FEFF. [MQTT-1.5.3-3]
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
