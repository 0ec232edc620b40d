/** Turns bytes of canonical JSON, which are pure ASCII, into a string. @module */

/** The text of the bytes from `start` up to, not including, `end`. All must be ASCII. */
export function asciiText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > 64) return DECODER.decode(bytes.subarray(start, end));
  let text = '';
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] ?? 0);
  return text;
}

const DECODER = new TextDecoder();
