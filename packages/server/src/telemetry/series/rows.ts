/** Rows of a stream in memory: one a message, a column a series. @module */

/** What stands in a column where a row has no value: no value is ever not a number. */
export const ABSENT: number = Number.NaN;

/** Rows of one stream, column by column. All columns are as long as `times`. */
export interface Rows {
  /** When it was measured; whole milliseconds since 1970, in no particular order. */
  readonly times: number[];
  /** The place of the message in the log; rising, except in what was rolled up. */
  readonly indexes: number[];
  /** By the number of the column. */
  readonly columns: Map<number, number[]>;
}

export function noRows(): Rows {
  return { times: [], indexes: [], columns: new Map() };
}

/** Adds a row. Columns that it does not name have no value in it. */
export function addRow(
  rows: Rows,
  { timeMs, index }: { readonly timeMs: number; readonly index: number },
  values: Iterable<readonly [column: number, value: number]>,
): void {
  const at = rows.times.length;
  rows.times.push(timeMs);
  rows.indexes.push(index);
  for (const [column, value] of values) columnOf(rows, column)[at] = value;
  for (const column of rows.columns.values()) if (column.length === at) column.push(ABSENT);
}

/** A column, filled up to the rows that there are but the last. */
function columnOf({ columns, times }: Rows, column: number): number[] {
  const known = columns.get(column);
  if (known !== undefined) return known;
  const made = Array.from({ length: times.length - 1 }, () => ABSENT);
  columns.set(column, made);
  return made;
}

/** All rows of several, in the order of the log. */
export function concatRows(parts: readonly Rows[]): Rows {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const sorted = parts.toSorted((a, b) => (a.indexes[0] ?? 0) - (b.indexes[0] ?? 0));
  const all = noRows();
  for (const { columns } of sorted) {
    for (const column of columns.keys()) if (!all.columns.has(column)) all.columns.set(column, []);
  }
  for (const { times, indexes, columns } of sorted) {
    for (const [at, time] of times.entries()) {
      all.times.push(time);
      all.indexes.push(indexes[at] ?? 0);
    }
    for (const [column, values] of all.columns) {
      const added = columns.get(column);
      for (let at = 0; at < times.length; at += 1) values.push(added?.[at] ?? ABSENT);
    }
  }
  return all;
}

/** The rows that `isKept` keeps, by their position. */
export function filterRows(rows: Rows, isKept: (at: number) => boolean): Rows {
  const kept = rows.times.map((_, at) => at).filter(isKept);
  const pick = (values: readonly number[]): number[] => kept.map((at) => values[at] ?? ABSENT);
  const columns = new Map([...rows.columns].map(([column, values]) => [column, pick(values)]));
  return { times: pick(rows.times), indexes: pick(rows.indexes), columns };
}

/** Splits rows into parts of at most `length`. */
export function splitRows(rows: Rows, length: number): Rows[] {
  const parts: Rows[] = [];
  for (let start = 0; start < rows.times.length; start += length) {
    const slice = (values: readonly number[]): number[] => values.slice(start, start + length);
    const columns = new Map([...rows.columns].map(([column, values]) => [column, slice(values)]));
    parts.push({ times: slice(rows.times), indexes: slice(rows.indexes), columns });
  }
  return parts;
}
