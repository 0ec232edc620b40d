/** The values of a series as a chart shows them. Pure. @module */
import type { SeriesPage } from '@holdfast/protocol/api';

/** What a chart shows: lists of equal length, oldest first. Null stands for a gap. */
export interface Plot {
  readonly timesMs: readonly number[];
  /** Values, or the means of spans of time. */
  readonly values: readonly (number | null)[];
  /** Lowest and highest values of spans; none for values one by one. */
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
  readonly isRolledUp: boolean;
}

/** What there is to say about a plot. */
export interface PlotFigures {
  readonly count: number;
  readonly low: number;
  readonly high: number;
  readonly mean: number;
  readonly last: number;
}

interface Step {
  readonly atMs: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Where values are missing for so many times the usual distance, the line breaks. */
const GAP_FACTOR = 4;

/** Makes the plot of a page. */
export function plotOf(page: SeriesPage): Plot {
  const steps = stepsOf(page);
  const gapMs = GAP_FACTOR * usualDistanceMs(steps);
  const plot = { timesMs: [], values: [], low: [], high: [] } as {
    timesMs: number[];
    values: (number | null)[];
    low: (number | null)[];
    high: (number | null)[];
  };
  let beforeMs: number | undefined;
  for (const { atMs, value, low, high } of steps) {
    if (beforeMs !== undefined && gapMs > 0 && atMs - beforeMs > gapMs) {
      plot.timesMs.push(Math.round((atMs + beforeMs) / 2));
      for (const row of [plot.values, plot.low, plot.high]) row.push(null);
    }
    plot.timesMs.push(atMs);
    plot.values.push(value);
    plot.low.push(low);
    plot.high.push(high);
    beforeMs = atMs;
  }
  return { ...plot, isRolledUp: page.buckets.length > 0 };
}

/** The figures of a page; undefined when it has no values. */
export function figuresOf(page: SeriesPage): PlotFigures | undefined {
  const steps = stepsOf(page);
  const last = steps.at(-1);
  if (last === undefined) return undefined;
  const count = steps.reduce((sum, step) => sum + step.count, 0);
  return {
    count,
    low: Math.min(...steps.map((step) => step.low)),
    high: Math.max(...steps.map((step) => step.high)),
    mean: steps.reduce((sum, step) => sum + step.value * step.count, 0) / count,
    last: last.value,
  };
}

function stepsOf({ points, buckets }: SeriesPage): readonly Step[] {
  const ones = points.map(({ at, value }) => {
    return { atMs: Date.parse(at), value, low: value, high: value, count: 1 };
  });
  const spans = buckets.map(({ at, mean, min, max, count }) => {
    return { atMs: Date.parse(at), value: mean, low: min, high: max, count };
  });
  return [...ones, ...spans];
}

/** The middle one of the distances between neighbors: a pause does not change it. */
function usualDistanceMs(steps: readonly Step[]): number {
  const distances = steps
    .slice(1)
    .map(({ atMs }, at) => atMs - (steps[at]?.atMs ?? atMs))
    .sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] ?? 0;
}
