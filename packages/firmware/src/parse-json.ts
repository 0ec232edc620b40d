/** Reads JSON that somebody else wrote. @module */

/** @returns undefined for what is no UTF-8, or no JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    // A byte that is no UTF-8 would be replaced, and signed bytes be others than these.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
