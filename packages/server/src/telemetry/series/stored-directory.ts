/**
 * A directory as it is stored. It is read without a schema: each start of a server would wait for
 * the library of schemas in this thread, which needs it for nothing else.
 * @module
 */
import { type ValueKind, VALUE_KINDS } from './extract.ts';

/** A series within its topic; its number is its place in the list. */
export interface Column {
  path: string;
  kind: ValueKind;
  /** Values that were taken in, ever. */
  count: number;
  firstMs: number;
  /** The value with the latest time. */
  lastMs: number;
  lastIndex: number;
  lastValue: number;
}

/** The series of one topic, without what has not been written. */
export interface StoredStream {
  /** See `Extracted.topic`. */
  topic: string;
  columns: Column[];
  /** How many chunks there are of each level and tier, as far as they are to be merged. */
  chunks: number[][];
}

/** How much a device sent until when. */
export interface StoredUsage {
  /** Index of the last entry of each mark, rising. */
  indexes: number[];
  /** When the server took in the first and the last entry of each mark, behind each other. */
  times: number[];
  /** Bytes of the entries of each mark. */
  bytes: number[];
}

/** What is stored of one data key. */
export interface StoredDirectory {
  streams: StoredStream[];
  usage: StoredUsage;
  /** Values that were passed over, because there were too many series already. */
  passedOver: number;
}

/** Reads what was stored. @throws when it has another form. */
export function parseDirectory(text: string): StoredDirectory {
  const { streams, usage, passedOver } = members(JSON.parse(text));
  const { indexes, times, bytes } = members(usage);
  return {
    streams: list(streams, streamOf),
    usage: { indexes: list(indexes, int), times: list(times, int), bytes: list(bytes, int) },
    passedOver: int(passedOver),
  };
}

function streamOf(value: unknown): StoredStream {
  const { topic, columns, chunks } = members(value);
  return {
    topic: string(topic),
    columns: list(columns, columnOf),
    chunks: list(chunks, (counts) => list(counts, int)),
  };
}

function columnOf(value: unknown): Column {
  const { path, kind, count, firstMs, lastMs, lastIndex, lastValue } = members(value);
  return {
    path: string(path),
    kind: VALUE_KINDS.find((name) => name === kind) ?? otherForm('a kind'),
    count: int(count),
    firstMs: int(firstMs),
    lastMs: int(lastMs),
    lastIndex: int(lastIndex),
    lastValue: number(lastValue),
  };
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) otherForm('an object');
  return { ...value };
}

function list<T>(value: unknown, itemOf: (item: unknown) => T): T[] {
  return Array.isArray(value) ? value.map((item) => itemOf(item)) : otherForm('a list');
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : otherForm('a text');
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherForm('a number');
}

function int(value: unknown): number {
  return Number.isSafeInteger(value) ? number(value) : otherForm('an integer');
}

function otherForm(wanted: string): never {
  throw new Error(`a stored directory has another form: ${wanted} was expected`);
}
