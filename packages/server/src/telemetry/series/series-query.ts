/** What can be asked of the series, and what is answered. @module */
import type { ValueKind } from './extract.ts';

/** A series of a device. */
export interface SeriesInfo {
  readonly name: string;
  readonly kind: ValueKind;
  /** Values that were taken in; those that have expired are among them. */
  readonly count: number;
  /** Time of the first value; it may have expired since. */
  readonly firstMs: number;
  readonly last: Point;
}

/** The series of a device. */
export interface SeriesList {
  readonly series: readonly SeriesInfo[];
  /** Values that were passed over because the device has too many series. */
  readonly passedOver: number;
}

/** A value. */
export interface Point {
  readonly timeMs: number;
  /** The place in the log of the message that it stood in. */
  readonly index: number;
  /** A truth value is 1 or 0. */
  readonly value: number;
}

/** The values of a span of time. */
export interface BucketPoint {
  /** Where the span begins. */
  readonly timeMs: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}

/** Which points. */
export interface PointsQuery {
  /** The numbers of all data keys of the device. */
  readonly keyRefs: readonly number[];
  readonly name: string;
  readonly fromMs: number;
  /** The first time that is not wanted. */
  readonly toMs: number;
  readonly limit: number;
  /** The last point of the page before. */
  readonly after?: { readonly timeMs: number; readonly index: number } | undefined;
}

/** Which buckets; their span is a multiple of a minute. */
export interface BucketsQuery extends PointsQuery {
  readonly spanMs: number;
}

/** A page, in the order of time. */
export interface PointPage<T> {
  readonly points: readonly T[];
  readonly hasMore: boolean;
}

/** The last values of a device. */
export interface LatestOfDevice {
  readonly values: readonly (Point & Pick<SeriesInfo, 'name' | 'kind'>)[];
}
