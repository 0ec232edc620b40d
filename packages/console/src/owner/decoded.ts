/** Parts of an address that somebody else wrote. @module */

/** Takes the percent signs out; a text that has them wrongly stays as it is. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
