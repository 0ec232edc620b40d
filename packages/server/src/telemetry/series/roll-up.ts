/** Rolls rows up: how often, lowest, highest and sum of each series in each span of time. @module */
import { type Rows, addRow, noRows } from './rows.ts';

/** What is kept of one series in one bucket. */
export interface Bucket {
  count: number;
  min: number;
  max: number;
  sum: number;
}

/**
 * Spans in which rows are rolled up; longer ones are made of these when they are asked for. In a
 * column's place stand four: count, lowest, highest, sum.
 */
export const ROLLED_SPANS_MS = [60_000, 3_600_000] as const;
const PARTS = 4;
/** Digits behind the point to which a sum of decimals is put right again. */
const DECIMALS = 1e6;
/** The largest error, of the value, that adding two doubles makes. */
const ERROR = 2 ** -50;

/** The columns under which the four parts of a column stand. */
export function rolledColumns(column: number): number[] {
  return Array.from({ length: PARTS }, (_, part) => column * PARTS + part);
}

/** Adds what one bucket has to another. */
export function merge(into: Bucket, { count, min, max, sum }: Readonly<Bucket>): void {
  into.count += count;
  into.min = Math.min(into.min, min);
  into.max = Math.max(into.max, max);
  into.sum = addDecimal(into.sum, sum);
}

export function emptyBucket(): Bucket {
  return { count: 0, min: Infinity, max: -Infinity, sum: 0 };
}

/** Visits the values of a column, each as a bucket of its own. */
export function visitRaw(
  { times, columns }: Rows,
  column: number,
  visit: (timeMs: number, bucket: Bucket) => void,
): void {
  const values = columns.get(column) ?? [];
  for (const [at, value] of values.entries()) {
    if (!Number.isNaN(value))
      visit(times[at] ?? 0, { count: 1, min: value, max: value, sum: value });
  }
}

/** Visits the buckets of a column in rows that were rolled up. */
export function visitRolled(
  { times, columns }: Rows,
  column: number,
  visit: (timeMs: number, bucket: Bucket) => void,
): void {
  const [counts = [], mins = [], maxs = [], sums = []] = rolledColumns(column).map(
    (part) => columns.get(part) ?? [],
  );
  for (const [at, count] of counts.entries()) {
    if (Number.isNaN(count)) continue;
    visit(times[at] ?? 0, { count, min: mins[at] ?? 0, max: maxs[at] ?? 0, sum: sums[at] ?? 0 });
  }
}

/** Rolls up rows of messages. */
export function rollUp(rows: Rows, spanMs: number): Rows {
  const collected = new Collected(spanMs);
  for (const column of rows.columns.keys()) {
    visitRaw(rows, column, (timeMs, bucket) => collected.add(column, timeMs, bucket));
  }
  return collected.rows();
}

/** Makes one of several rows for the same bucket, which were rolled up one after the other. */
export function mergeRolled(rows: Rows, spanMs: number): Rows {
  const collected = new Collected(spanMs);
  const columns = new Set([...rows.columns.keys()].map((column) => Math.floor(column / PARTS)));
  for (const column of columns) {
    visitRolled(rows, column, (timeMs, bucket) => collected.add(column, timeMs, bucket));
  }
  return collected.rows();
}

class Collected {
  readonly #spanMs: number;
  readonly #buckets = new Map<number, Map<number, Bucket>>();

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  add(column: number, timeMs: number, added: Bucket): void {
    const startMs = timeMs - (timeMs % this.#spanMs);
    let row = this.#buckets.get(startMs);
    if (row === undefined) this.#buckets.set(startMs, (row = new Map()));
    let bucket = row.get(column);
    if (bucket === undefined) row.set(column, (bucket = emptyBucket()));
    merge(bucket, added);
  }

  rows(): Rows {
    const rows = noRows();
    for (const startMs of [...this.#buckets.keys()].sort((a, b) => a - b)) {
      const values: [number, number][] = [];
      for (const [column, { count, min, max, sum }] of this.#buckets.get(startMs) ?? []) {
        for (const [part, value] of [count, min, max, sum].entries()) {
          values.push([column * PARTS + part, value]);
        }
      }
      addRow(rows, { timeMs: startMs, index: 0 }, values);
    }
    return rows;
  }
}

/** Adds decimals as one does on paper: 0.1 and 0.2 are 0.3, and stay short when they are stored. */
function addDecimal(a: number, b: number): number {
  const sum = a + b;
  const rounded = Math.round(sum * DECIMALS) / DECIMALS;
  const error = ERROR * Math.max(Math.abs(a), Math.abs(b), Math.abs(sum));
  return Math.abs(sum - rounded) <= error ? rounded : sum;
}
