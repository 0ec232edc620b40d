/** The times that charts show, and how the points for them are asked for. @module */
import type { Resolution, SeriesPage } from '@holdfast/protocol/api';
import { readPoints } from '../owner-api.ts';
import type { ChartPoint } from '../parts/chart-path.ts';

/** A time that a chart shows. */
export interface ChartRange {
  readonly label: string;
  readonly span: string;
  readonly ms: number;
  readonly resolution: Resolution;
  readonly resolutionMs: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const HOUR: ChartRange = {
  label: 'Hour',
  span: 'the last hour',
  ms: HOUR_MS,
  resolution: '1m',
  resolutionMs: MINUTE_MS,
};

export const CHART_RANGES: readonly ChartRange[] = [
  HOUR,
  {
    label: 'Day',
    span: 'the last day',
    ms: DAY_MS,
    resolution: '15m',
    resolutionMs: 15 * MINUTE_MS,
  },
  { label: 'Week', span: 'the last week', ms: 7 * DAY_MS, resolution: '1h', resolutionMs: HOUR_MS },
  {
    label: 'Month',
    span: 'the last month',
    ms: 30 * DAY_MS,
    resolution: '6h',
    resolutionMs: 6 * HOUR_MS,
  },
];

/** Single values up to so many are drawn as they are; more are rolled up. */
const SINGLE_VALUES_MAX = 500;

/** A device that is new fills the chart all the same, once it has sent for so long. */
const SPAN_MS_MIN = 10_000;

/** What a chart draws. */
export interface ChartData {
  /** What its time is called: "the last hour", "since 8:31 PM". */
  readonly span: string;
  readonly points: readonly ChartPoint[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly gapMs: number;
}

/**
 * Reads what a chart shows: the values themselves where they are few, which includes those of a
 * device that is new and has no whole span yet, else spans of time.
 */
export async function readChart(
  deviceId: string,
  series: string,
  range: ChartRange,
): Promise<ChartData> {
  const toMs = Date.now();
  const fromMs = toMs - range.ms;
  const query = { series, from: new Date(fromMs).toISOString() };
  const single = await readPoints(deviceId, { ...query, limit: String(SINGLE_VALUES_MAX) });
  if (single.next === undefined) {
    const points = single.points.map(({ at, value }) => pointOf(at, value, value, value));
    const gapMs = Math.max(range.ms / 20, usualGapMs(points) * 3);
    return { points, ...beginning(points, range, toMs), toMs, gapMs };
  }
  const rolledUp: SeriesPage = await readPoints(deviceId, {
    ...query,
    resolution: range.resolution,
  });
  const points = rolledUp.buckets.map(({ at, mean, min, max }) => pointOf(at, mean, min, max));
  return { points, ...beginning(points, range, toMs), toMs, gapMs: range.resolutionMs * 2.5 };
}

/** Where a chart begins: with the first value, when there is none before it that it could show. */
function beginning(
  points: readonly ChartPoint[],
  { ms, span, resolutionMs }: ChartRange,
  toMs: number,
): Pick<ChartData, 'fromMs' | 'span'> {
  const fromMs = toMs - ms;
  const firstMs = points[0]?.atMs ?? fromMs;
  if (firstMs - fromMs < ms / 4 || firstMs - fromMs < resolutionMs) return { fromMs, span };
  const form =
    toMs - firstMs < DAY_MS
      ? ({ timeStyle: 'short' } as const)
      : ({ dateStyle: 'medium' } as const);
  const since = new Date(firstMs).toLocaleString(undefined, form);
  return { fromMs: Math.min(firstMs, toMs - SPAN_MS_MIN), span: `since ${since}` };
}

function pointOf(at: string, value: number, min: number, max: number): ChartPoint {
  return { atMs: Date.parse(at), value, min, max };
}

/** The middle one of the times between two points. */
function usualGapMs(points: readonly ChartPoint[]): number {
  const gaps = points.slice(1).map(({ atMs }, at) => atMs - (points[at]?.atMs ?? atMs));
  return gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
}
