/** What the main thread and the worker of the series say to each other. @module */
import type {
  BucketPoint,
  BucketsQuery,
  LatestOfDevice,
  Point,
  PointPage,
  PointsQuery,
  SeriesList,
} from './series-query.ts';
import type { Expired, Keep } from './usage.ts';

/** What the worker is started with. */
export interface WorkerStart {
  readonly path: string;
  readonly logPath: string;
}

/** A data key of a device and its number; without a key, there is none any more. */
export type KeyMessage = readonly [keyRef: number, key: Uint8Array | undefined];

/** What is to expire of a data key. */
export interface ExpiredKey extends Expired {
  readonly keyRef: number;
}

/** Requests, by their type, and their answers. */
export interface Requests {
  readonly list: { readonly ask: { keyRefs: readonly number[] }; readonly answer: SeriesList };
  readonly points: { readonly ask: PointsQuery; readonly answer: PointPage<Point> };
  /** Undefined for more buckets than can be computed at once. */
  readonly buckets: {
    readonly ask: BucketsQuery;
    readonly answer: PointPage<BucketPoint> | undefined;
  };
  readonly latest: {
    readonly ask: { devices: readonly (readonly number[])[]; name: string | undefined };
    readonly answer: readonly LatestOfDevice[];
  };
  /** What of these is too old or too much; nothing is done. */
  readonly plan: {
    readonly ask: { keyRefs: readonly number[]; keep: Keep };
    readonly answer: readonly ExpiredKey[];
  };
  /** Without `rolledFromMs`, what was rolled up stays as long as what it was made of. */
  readonly expire: {
    readonly ask: { expired: readonly ExpiredKey[]; rolledFromMs: number | undefined };
    readonly answer: undefined;
  };
  readonly forget: { readonly ask: { keyRefs: readonly number[] }; readonly answer: undefined };
  /** The data keys of which there is something. */
  readonly keyRefs: { readonly ask: object; readonly answer: readonly number[] };
}

export type RequestType = keyof Requests;

/** A request on its way. */
export type RequestMessage = {
  [T in RequestType]: { readonly type: T; readonly ask: Requests[T]['ask'] };
}[RequestType];

/** An answer, and how many entries of the log it does not know yet. */
export interface Answer<T extends RequestType> {
  readonly answer: Requests[T]['answer'];
  readonly behind: number;
}

export type ToWorker =
  | { readonly type: 'advance'; readonly size: number }
  | { readonly type: 'keys'; readonly keys: readonly KeyMessage[] }
  | {
      readonly type: 'request';
      readonly id: number;
      readonly request: RequestMessage;
      /** Entries that the log has at that time. */
      readonly size: number;
    }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'wantedKeys'; readonly keyRefs: readonly number[] }
  | {
      readonly type: 'answer';
      readonly id: number;
      readonly answer: Requests[RequestType]['answer'];
      readonly behind: number;
    }
  | {
      readonly type: 'unanswered';
      readonly id: number;
      readonly error: { readonly message: string; readonly fix: string | undefined };
    }
  | { readonly type: 'problem'; readonly what: string }
  | { readonly type: 'closed' };
