/** The shapes of a small chart. @module */

/** One place of a series: a value, or the span of the values of some time. */
export interface ChartPoint {
  readonly atMs: number;
  readonly value: number;
  readonly min: number;
  readonly max: number;
}

/** What is drawn, in a box of 1,000 by 100. */
export interface ChartShapes {
  /** Through the values, with gaps where nothing was sent. */
  readonly line: string;
  /** From the lowest to the highest of each span. */
  readonly band: string;
  /** Values that stand alone. */
  readonly lone: string;
  readonly low: number;
  readonly high: number;
}

export const WIDTH = 1_000;
export const HEIGHT = 100;

/** How points become shapes. */
export interface ChartScale {
  readonly fromMs: number;
  readonly toMs: number;
  /** Two points that are further apart are not joined. */
  readonly gapMs: number;
  /** A value holds until the next one. */
  readonly isStepped: boolean;
}

/** The shapes of some points. */
export function shapesOf(
  points: readonly ChartPoint[],
  { fromMs, toMs, gapMs, isStepped }: ChartScale,
): ChartShapes {
  const low = Math.min(...points.map(({ min }) => min));
  const high = Math.max(...points.map(({ max }) => max));
  // A flat line stands in the middle.
  const [from, to] = low === high ? [low - 1, high + 1] : [low, high];
  const x = (atMs: number): number => round(((atMs - fromMs) / (toMs - fromMs)) * WIDTH);
  const y = (value: number): number => round(HEIGHT - ((value - from) / (to - from)) * HEIGHT);
  const runs = runsOf(points, gapMs);
  const joined = runs.filter((run) => run.length > 1);
  const line = joined.map((run) => {
    const corners = run.map(({ atMs, value }, at) => {
      const isFirst = at === 0;
      if (isFirst) return `M${x(atMs)} ${y(value)}`;
      return isStepped ? `H${x(atMs)}V${y(value)}` : `L${x(atMs)} ${y(value)}`;
    });
    return corners.join('');
  });
  const band = joined
    .filter((run) => run.some(({ min, max }) => min !== max))
    .map((run) => {
      const upper = run.map(({ atMs, max }) => `${x(atMs)} ${y(max)}`);
      const lower = run.toReversed().map(({ atMs, min }) => `${x(atMs)} ${y(min)}`);
      return `M${[...upper, ...lower].join('L')}Z`;
    });
  const lone = runs
    .filter((run) => run.length === 1)
    .flatMap((run) => run.map(({ atMs, value }) => `M${x(atMs)} ${y(value)}h0`));
  return { line: line.join(''), band: band.join(''), lone: lone.join(''), low, high };
}

/** The point that is nearest to a time. */
export function nearest(points: readonly ChartPoint[], atMs: number): ChartPoint | undefined {
  return points.reduce<ChartPoint | undefined>(
    (best, point) =>
      best === undefined || Math.abs(point.atMs - atMs) < Math.abs(best.atMs - atMs) ? point : best,
    undefined,
  );
}

function runsOf(points: readonly ChartPoint[], gapMs: number): ChartPoint[][] {
  const runs: ChartPoint[][] = [];
  let lastMs = -Infinity;
  for (const point of points) {
    const run = runs.at(-1);
    if (run === undefined || point.atMs - lastMs > gapMs) runs.push([point]);
    else run.push(point);
    lastMs = point.atMs;
  }
  return runs;
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}
