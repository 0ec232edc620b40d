/** How long figures are kept and in which steps; here without schemas, for pages of a browser. @module */

/** The spans that figures are kept for: how long, and in which steps, in milliseconds. */
export const FIGURE_SPANS = {
  hour: { spanMs: 3_600_000, stepMs: 10_000 },
  day: { spanMs: 86_400_000, stepMs: 60_000 },
  month: { spanMs: 2_592_000_000, stepMs: 900_000 },
} as const;
/** Name of a span. */
export type FigureSpan = keyof typeof FIGURE_SPANS;
/** The names of the spans, shortest first. */
export const FIGURE_SPAN_NAMES = ['hour', 'day', 'month'] as const satisfies FigureSpan[];

/** Name of the refusals that have no line of their own. */
export const OTHER_CODES = 'other';
