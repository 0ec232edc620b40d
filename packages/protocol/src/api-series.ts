/** The HTTP API: time series of what devices report. Part of `api.ts`. @module */
import { z } from 'zod';
import { deviceClass, deviceGroup } from './api-device-view.ts';
import { line, name, text, time } from './api-fields.ts';

/** Points of one answer. */
export const POINTS_LIMIT = { min: 1, max: 10_000, default: 1_000 } as const;
/** Devices of one answer with last values. */
export const LATEST_LIMIT = { min: 1, max: 10_000, default: 1_000 } as const;
/** Characters of the name of a series. */
const SERIES_NAME_MAX = 1_300;

/** Spans of time by which values are rolled up, in milliseconds; they begin as UTC's do. */
export const RESOLUTIONS_MS = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '1d': 86_400_000,
} as const;
/** Name of a span by which values are rolled up. */
export type Resolution = keyof typeof RESOLUTIONS_MS;
/** The names of the resolutions, finest first. */
export const RESOLUTIONS = ['1m', '5m', '15m', '1h', '6h', '1d'] as const satisfies Resolution[];

const index = z.int().min(0);
const seriesName = text(SERIES_NAME_MAX);
/** Entries of the log that an answer does not know yet: some while series are made anew. */
const behind = z.int().min(0);

/** A series of a device. */
export const SeriesViewSchema = z
  .object({
    /** The topic behind `telemetry`, and the place in the JSON: `kitchen/temperature`. */
    name: seriesName,
    /** Truth values are 1 and 0. */
    kind: z.enum(['number', 'boolean']),
    /** Values that were taken in, those that have expired among them. */
    count: z.int().min(0),
    firstAt: time,
    lastAt: time,
    lastValue: z.number(),
    /** The place in the audit log of the message that the last value stood in. */
    lastIndex: index,
  })
  .meta({ id: 'Series' });
export type SeriesView = Readonly<z.infer<typeof SeriesViewSchema>>;

/** `GET /v1/devices/{id}/series`, in the order of the names. */
export const SeriesListSchema = z
  .object({
    series: z.array(SeriesViewSchema),
    /** Values that were passed over because the device has too many series. */
    passedOver: z.int().min(0),
    behind,
  })
  .meta({ id: 'SeriesList' });
export type SeriesListView = Readonly<z.infer<typeof SeriesListSchema>>;

/** Query of `GET /v1/devices/{id}/series/points`. */
export const PointsQuerySchema = z.strictObject({
  series: line(SERIES_NAME_MAX),
  /** The first time that is wanted; all from the beginning, without it. */
  from: z.iso.datetime({ offset: true }).optional(),
  /** The first time that is not wanted any more. */
  to: z.iso.datetime({ offset: true }).optional(),
  /** Without it, values come one by one. */
  resolution: z.enum(RESOLUTIONS).optional(),
  limit: z.coerce
    .number()
    .int()
    .min(POINTS_LIMIT.min)
    .max(POINTS_LIMIT.max)
    .default(POINTS_LIMIT.default),
  /** `next` of the page before. */
  after: z
    .string()
    .regex(/^\d{1,15}-\d{1,15}$/u, 'must be the "next" of a page')
    .optional(),
});
export type PointsQuery = Readonly<
  Omit<z.input<typeof PointsQuerySchema>, 'limit'> & { limit?: number | undefined }
>;

/** A value of a series. */
export const PointViewSchema = z
  .object({
    /** The time that the device signed, or else when the server took it in. */
    at: time,
    value: z.number(),
    /** The place in the audit log of the message that it stood in: there it is proven. */
    index,
  })
  .meta({ id: 'Point' });
export type PointView = Readonly<z.infer<typeof PointViewSchema>>;

/** The values of a span of time. */
export const SpanViewSchema = z
  .object({
    /** When the span begins. */
    at: time,
    count: z.int().min(1),
    min: z.number(),
    max: z.number(),
    mean: z.number(),
  })
  .meta({ id: 'SeriesSpan' });
export type SpanView = Readonly<z.infer<typeof SpanViewSchema>>;

/** `GET /v1/devices/{id}/series/points`, oldest first. */
export const SeriesPageSchema = z
  .object({
    /** Values one by one; none when a resolution was asked for. */
    points: z.array(PointViewSchema),
    /** Values by spans of time; none without a resolution. */
    buckets: z.array(SpanViewSchema),
    /** There are more: what to give as `after` for the next page. */
    next: text(40).optional(),
    behind,
  })
  .meta({ id: 'SeriesPage' });
export type SeriesPage = Readonly<z.infer<typeof SeriesPageSchema>>;

/** Query of `GET /v1/readings/latest`. */
export const LatestQuerySchema = z.strictObject({
  /** Only this series. */
  series: line(SERIES_NAME_MAX).optional(),
  class: deviceClass.optional(),
  /** Empty: only devices without a group. */
  group: deviceGroup.optional(),
  limit: z.coerce
    .number()
    .int()
    .min(LATEST_LIMIT.min)
    .max(LATEST_LIMIT.max)
    .default(LATEST_LIMIT.default),
  /** Only devices whose ids come after this one. */
  after: name.optional(),
});
export type LatestQuery = Readonly<
  Omit<z.input<typeof LatestQuerySchema>, 'limit'> & { limit?: number | undefined }
>;

/** The last values of a device. */
export const LatestViewSchema = z
  .object({
    device: text(64),
    values: z.array(
      PointViewSchema.extend({ series: seriesName, kind: z.enum(['number', 'boolean']) }),
    ),
  })
  .meta({ id: 'Latest' });
export type LatestView = Readonly<z.infer<typeof LatestViewSchema>>;

/** `GET /v1/readings/latest`, in the order of the ids; devices without a value are left out. */
export const LatestListSchema = z
  .object({
    latest: z.array(LatestViewSchema),
    /** There are more: what to give as `after` for the next page. */
    next: text(64).optional(),
    behind,
  })
  .meta({ id: 'LatestList' });
export type LatestList = Readonly<z.infer<typeof LatestListSchema>>;
