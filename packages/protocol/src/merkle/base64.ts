/** Strict base64. @module */

/**
 * Decodes RFC 4648 §4 base64 in its one canonical form: padded, no spaces, no stray bits.
 * A second spelling of one signature would make two notes of one.
 * @returns the bytes, `undefined` for any other text.
 */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' });
    // The decoder skips white space.
    return bytes.toBase64() === text ? bytes : undefined;
  } catch {
    // Its only error is a SyntaxError for a text that is no base64.
    return undefined;
  }
}
