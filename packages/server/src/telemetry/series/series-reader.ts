/** Answers queries out of the chunks, and out of what waits to be written. @module */
import type { Directory, Stream } from './directory.ts';
import { seriesName } from './extract.ts';
import { BUCKETS_MAX } from './limits.ts';
import {
  type Bucket,
  ROLLED_SPANS_MS,
  emptyBucket,
  merge,
  rolledColumns,
  visitRaw,
  visitRolled,
} from './roll-up.ts';
import type { Rows } from './rows.ts';
import type { ChunkHead, SeriesFile, SeriesKey } from './series-file.ts';
import type {
  BucketPoint,
  BucketsQuery,
  LatestOfDevice,
  Point,
  PointPage,
  PointsQuery,
  SeriesInfo,
  SeriesList,
} from './series-query.ts';

/** What the reader needs. */
export interface SeriesReaderDeps {
  /** The file, on a connection of its own: a checkpoint in progress must not show. */
  readonly file: SeriesFile;
  readonly keyOf: (keyRef: number) => SeriesKey | undefined;
  readonly directory: (keyRef: number) => Directory | undefined;
}

/** One column of one stream. */
interface Source {
  readonly key: SeriesKey;
  readonly number: number;
  readonly stream: Stream;
  readonly column: number;
}

/** Reads the series. */
export class SeriesReader {
  readonly #deps: SeriesReaderDeps;

  constructor(deps: SeriesReaderDeps) {
    this.#deps = deps;
  }

  /** The series that stand under some keys, which are those of one device. */
  list(keyRefs: readonly number[]): SeriesList {
    const found = new Map<string, SeriesInfo>();
    let passedOver = 0;
    for (const directory of this.#directories(keyRefs)) {
      passedOver += directory.passedOver;
      for (const info of infosOf(directory)) {
        const other = found.get(info.name);
        found.set(info.name, other === undefined ? info : joined(other, info));
      }
    }
    const series = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return { series, passedOver };
  }

  /** The last values of a device: of one series, or of all. */
  latest(keyRefs: readonly number[], name: string | undefined): LatestOfDevice {
    const found = new Map<string, LatestOfDevice['values'][number]>();
    for (const { streams } of this.#directories(keyRefs)) {
      for (const { topic, columns } of streams) {
        for (const { path, kind, lastMs, lastIndex: index, lastValue: value } of columns) {
          const series = seriesName(topic, path);
          if (name !== undefined && series !== name) continue;
          if ((found.get(series)?.timeMs ?? -1) > lastMs) continue;
          found.set(series, { name: series, kind, timeMs: lastMs, index, value });
        }
      }
    }
    return { values: [...found.values()] };
  }

  /** Values one by one. */
  points({ keyRefs, name, fromMs, toMs, limit, after }: PointsQuery): PointPage<Point> {
    const startMs = Math.max(fromMs, after?.timeMs ?? fromMs);
    const isWanted = ({ timeMs, index }: Point): boolean =>
      timeMs >= startMs &&
      timeMs < toMs &&
      (after === undefined || timeMs > after.timeMs || index > after.index);
    const found: Point[] = [];
    const take = (rows: Rows, column: number): void => {
      const values = rows.columns.get(column) ?? [];
      for (const [at, value] of values.entries()) {
        if (Number.isNaN(value)) continue;
        const point = { timeMs: rows.times[at] ?? 0, index: rows.indexes[at] ?? 0, value };
        if (isWanted(point)) found.push(point);
      }
    };
    const sources = this.#sources(keyRefs, name);
    for (const { stream, column } of sources) take(stream.pending, column);
    const chunks = sources
      .flatMap((source) =>
        this.#chunks(source, 0, { fromMs: startMs, toMs }).map((head) => ({ source, head })),
      )
      .sort((a, b) => a.head.minMs - b.head.minMs);
    for (const [at, { source, head }] of chunks.entries()) {
      take(this.#deps.file.rows(source.key, head.id, new Set([source.column])), source.column);
      // Everything up to where the next chunk begins has been found.
      const nextMs = chunks[at + 1]?.head.minMs ?? Infinity;
      if (found.length > limit && countBefore(found, nextMs) > limit) break;
    }
    found.sort((a, b) => a.timeMs - b.timeMs || a.index - b.index);
    return { points: found.slice(0, limit), hasMore: found.length > limit };
  }

  /** Values rolled up. @throws RangeError for more than {@link BUCKETS_MAX} buckets. */
  buckets({
    keyRefs,
    name,
    fromMs,
    toMs,
    limit,
    after,
    spanMs,
  }: BucketsQuery): PointPage<BucketPoint> {
    const startOf = (timeMs: number): number => timeMs - (timeMs % spanMs);
    const startMs = Math.max(startOf(fromMs), after === undefined ? 0 : after.timeMs + spanMs);
    const endMs = startOf(toMs + spanMs - 1);
    const buckets = new Map<number, Bucket>();
    const add = (timeMs: number, added: Bucket): void => {
      if (timeMs < startMs || timeMs >= endMs) return;
      const start = startOf(timeMs);
      const bucket = buckets.get(start);
      if (bucket !== undefined) return merge(bucket, added);
      if (buckets.size >= BUCKETS_MAX) throw new RangeError('more than can be computed at once');
      const made = emptyBucket();
      merge(made, added);
      buckets.set(start, made);
    };
    for (const source of this.#sources(keyRefs, name)) {
      this.#visit(source, { startMs, endMs, spanMs }, add);
    }
    const starts = [...buckets.keys()].sort((a, b) => a - b);
    const points = starts.slice(0, limit).map((timeMs) => {
      const { count, min, max, sum } = buckets.get(timeMs) ?? emptyBucket();
      const mean = sum / count;
      return { timeMs, count, min, max, mean: Number.isFinite(mean) ? mean : min / 2 + max / 2 };
    });
    return { points, hasMore: starts.length > limit };
  }

  /** Visits what was rolled up, and what was not so far. */
  #visit(
    source: Source,
    { startMs, endMs, spanMs }: { startMs: number; endMs: number; spanMs: number },
    add: (timeMs: number, bucket: Bucket) => void,
  ): void {
    const { file } = this.#deps;
    const { key, column, stream } = source;
    const span = { fromMs: startMs, toMs: endMs };
    const level = 1 + ROLLED_SPANS_MS.findLastIndex((rolled) => spanMs % rolled === 0);
    const rolled = new Set(rolledColumns(column));
    for (const { id } of this.#chunks(source, level, span)) {
      visitRolled(file.rows(key, id, rolled), column, add);
    }
    const raw = new Set([column]);
    for (const { id } of this.#chunks(source, 0, span).filter(({ tier }) => tier === 0)) {
      visitRaw(file.rows(key, id, raw), column, add);
    }
    visitRaw(stream.pending, column, add);
  }

  #chunks(
    { key, number }: Source,
    level: number,
    { fromMs, toMs }: { fromMs: number; toMs: number },
  ): ChunkHead[] {
    return this.#deps.file
      .heads(key, { stream: number, level })
      .filter(({ minMs, maxMs }) => maxMs >= fromMs && minMs < toMs);
  }

  #sources(keyRefs: readonly number[], name: string): Source[] {
    return this.#directories(keyRefs).flatMap(({ keyRef, streams }) => {
      const key = this.#deps.keyOf(keyRef);
      if (key === undefined) return [];
      return streams.flatMap((stream, number) =>
        stream.columns.flatMap(({ path }, column) =>
          seriesName(stream.topic, path) === name ? [{ key, number, stream, column }] : [],
        ),
      );
    });
  }

  #directories(keyRefs: readonly number[]): Directory[] {
    return keyRefs
      .map((keyRef) => this.#deps.directory(keyRef))
      .filter((directory) => directory !== undefined);
  }
}

function infosOf({ streams }: Directory): SeriesInfo[] {
  return streams.flatMap(({ topic, columns }) =>
    columns.map(({ path, kind, count, firstMs, lastMs, lastIndex, lastValue }) => ({
      name: seriesName(topic, path),
      kind,
      count,
      firstMs,
      last: { timeMs: lastMs, index: lastIndex, value: lastValue },
    })),
  );
}

/** One series that stands under two keys, or in two places of the messages. */
function joined(one: SeriesInfo, other: SeriesInfo): SeriesInfo {
  const later = other.last.timeMs >= one.last.timeMs ? other : one;
  return {
    name: one.name,
    kind: one.kind === 'number' ? one.kind : other.kind,
    count: one.count + other.count,
    firstMs: Math.min(one.firstMs, other.firstMs),
    last: later.last,
  };
}

function countBefore(points: readonly Point[], timeMs: number): number {
  let count = 0;
  for (const point of points) if (point.timeMs < timeMs) count += 1;
  return count;
}
