/** Prints named figures in one line. @module */

/** Prints a line whose head takes at least `width` characters. */
export function printRow(
  [head, width]: readonly [string, number],
  cells: Readonly<Record<string, string | number>>,
): void {
  const text = Object.entries(cells).map(([name, value]) => `${name} ${value}`);
  console.log(`${head.padEnd(width)} ${text.join('   ')}`);
}
