/** Columns that line up. @module */
import { stripVTControlCharacters } from 'node:util';

/** Rows as aligned lines, each indented by `indent` characters; the last column is not padded. */
export function table(rows: readonly (readonly string[])[], indent = 0): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, width(cell));
    });
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - width(cell)));
      return `${' '.repeat(indent)}${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

function width(cell: string): number {
  return Array.from(stripVTControlCharacters(cell)).length;
}
