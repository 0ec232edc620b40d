/** Makes text of others fit for a terminal. @module */

/**
 * Replaces what a terminal would obey instead of show: control characters (an ESC could rewrite
 * the screen), and marks that turn the direction of writing or cannot be seen.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, escapeCharacter);
}

/** Text of several lines, each of them {@link printable}. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** One line of JSON that reads back the same; safe on a terminal as {@link printable}. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value).replaceAll(UNPRINTABLE, escapeUnits)}\n`;
}

/** Cuts text to a number of characters, the last of which then is an ellipsis. */
export function shorten(text: string, charactersMax: number): string {
  const characters = Array.from(text);
  if (characters.length <= charactersMax) return text;
  return `${characters.slice(0, Math.max(charactersMax - 1, 0)).join('')}…`;
}

// Control, format, surrogate, private use and unassigned characters; line and paragraph separators.
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function escapeUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
