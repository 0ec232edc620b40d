/** The spans of time that charts show, and how fine. @module */
import type { Resolution } from '@holdfast/protocol/api';

/** A span to look at. */
export interface Span {
  readonly name: SpanName;
  readonly label: string;
  /** In a sentence: "in the last hour". */
  readonly words: string;
  readonly ms: number;
  /** Values come one by one where they are few; else they are rolled up like this. */
  readonly resolution: Resolution;
  /** Whether values one by one are tried first. */
  readonly isFine: boolean;
}
export type SpanName = 'hour' | 'day' | 'week' | 'month';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** From the shortest to the longest. */
export const SPANS: readonly Span[] = [
  span('hour', HOUR_MS, '1m'),
  span('day', DAY_MS, '5m'),
  span('week', 7 * DAY_MS, '1h'),
  span('month', 30 * DAY_MS, '6h'),
];

/** Finds a span by its name. */
export function spanOf(name: SpanName): Span {
  return SPANS.find((each) => each.name === name) ?? span('hour', HOUR_MS, '1m');
}

/** An axis is no shorter than this: two minutes. */
const AXIS_MS_MIN = 120_000;

/** The time that a chart shows: the span, or as much of it as there are values of. */
export function axisOf(
  { ms }: Span,
  firstMs: number,
  nowMs: number,
): readonly [from: number, to: number] {
  const knownMs = (nowMs - firstMs) * 1.05;
  return [nowMs - Math.min(ms, Math.max(AXIS_MS_MIN, knownMs)), nowMs];
}

function span(name: SpanName, ms: number, resolution: Resolution): Span {
  const words = `in the last ${name}`;
  const label = `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`;
  return { name, label, words, ms, resolution, isFine: name === 'hour' };
}
