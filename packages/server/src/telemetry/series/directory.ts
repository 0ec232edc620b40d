/** What is known of the series of one data key: their names, their last values, how much there is. @module */
import type { ValueKind } from './extract.ts';
import { SERIES_PER_DEVICE_MAX, SERIES_PER_TOPIC_MAX, TOPICS_PER_DEVICE_MAX } from './limits.ts';
import { ROLLED_SPANS_MS } from './roll-up.ts';
import { type Rows, addRow, noRows } from './rows.ts';
import {
  type Column,
  type StoredDirectory,
  type StoredStream,
  parseDirectory,
} from './stored-directory.ts';
import { Usage } from './usage.ts';

/** Raw rows, and one level for each span that they are rolled up in. */
export const LEVELS: number = 1 + ROLLED_SPANS_MS.length;
/** Sizes of chunks; those of the last one are merged no more. */
export const TIERS = 4;

/** The series of one topic. Its number is its place in the directory. */
export interface Stream extends StoredStream {
  /** What has not been written so far. */
  pending: Rows;
}

/** The directory of one data key. */
export class Directory {
  readonly keyRef: number;
  readonly streams: Stream[];
  readonly usage: Usage;
  passedOver: number;
  #seriesCount: number;
  /** Whether there is something to write. */
  isChanged = false;

  constructor(keyRef: number, stored?: string) {
    const { streams, usage, passedOver } = stored === undefined ? EMPTY : parseDirectory(stored);
    this.keyRef = keyRef;
    this.streams = streams.map((stream) => Object.assign(stream, { pending: noRows() }));
    this.usage = new Usage(usage);
    this.passedOver = passedOver;
    this.#seriesCount = streams.reduce((sum, { columns }) => sum + columns.length, 0);
  }

  /** Series of all topics together. */
  get seriesCount(): number {
    return this.#seriesCount;
  }

  toText(): string {
    const streams = this.streams.map(({ topic, columns, chunks }) => ({ topic, columns, chunks }));
    const { passedOver } = this;
    return JSON.stringify({ streams, usage: this.usage.toStored(), passedOver });
  }

  /**
   * Takes a message in.
   * @returns for how many more values memory is taken now: a row has a place for each series of its
   *   topic, whether the message has a value of it or not.
   */
  add(
    message: {
      readonly topic: string;
      readonly timeMs: number;
      readonly values: readonly { path: string; value: number; kind: ValueKind }[];
    },
    index: number,
  ): number {
    const stream = this.#stream(message.topic);
    const row = new Map<number, number>();
    for (const { path, value, kind } of message.values) {
      const at = stream && this.#columnAt(stream, { path, kind });
      const column = stream?.columns[at ?? -1];
      if (at === undefined || column === undefined) {
        this.passedOver += 1;
        continue;
      }
      row.set(at, value);
      note(column, { timeMs: message.timeMs, index, value, kind });
    }
    this.isChanged = true;
    if (stream === undefined || row.size === 0) return 0;
    const { pending } = stream;
    const before = placesOf(pending);
    addRow(pending, { timeMs: message.timeMs, index }, row);
    return placesOf(pending) - before;
  }

  #columnAt(
    { columns }: Stream,
    { path, kind }: { path: string; kind: ValueKind },
  ): number | undefined {
    const known = columns.findIndex((column) => column.path === path);
    if (known >= 0) return known;
    const isFull = columns.length >= SERIES_PER_TOPIC_MAX;
    if (isFull || this.#seriesCount >= SERIES_PER_DEVICE_MAX) return undefined;
    const nothing = { count: 0, firstMs: Number.MAX_SAFE_INTEGER, lastMs: -1 };
    columns.push({ path, kind, ...nothing, lastIndex: -1, lastValue: 0 });
    this.#seriesCount += 1;
    return columns.length - 1;
  }

  #stream(topic: string): Stream | undefined {
    const known = this.streams.find((stream) => stream.topic === topic);
    if (known !== undefined || this.streams.length >= TOPICS_PER_DEVICE_MAX) return known;
    const chunks = Array.from({ length: LEVELS }, () => Array.from({ length: TIERS }, () => 0));
    const stream: Stream = { topic, columns: [], chunks, pending: noRows() };
    this.streams.push(stream);
    return stream;
  }
}

const EMPTY: StoredDirectory = {
  streams: [],
  usage: { indexes: [], times: [], bytes: [] },
  passedOver: 0,
};

function placesOf({ times, columns }: Rows): number {
  return times.length * columns.size;
}

function note(
  column: Column,
  { timeMs, index, value, kind }: { timeMs: number; index: number; value: number; kind: ValueKind },
): void {
  column.count += 1;
  column.firstMs = Math.min(column.firstMs, timeMs);
  // A series with any number in it is one of numbers.
  if (kind === 'number') column.kind = kind;
  if (timeMs < column.lastMs) return;
  column.lastMs = timeMs;
  column.lastIndex = index;
  column.lastValue = value;
}
