/** The HTTP API: what the server has counted, over time. Part of `api.ts`. @module */
import { z } from 'zod';
import { text } from './api-fields.ts';
import { FIGURE_SPAN_NAMES } from './figure-spans.ts';

export { FIGURE_SPANS, FIGURE_SPAN_NAMES, type FigureSpan, OTHER_CODES } from './figure-spans.ts';

/** Codes of refusals that an answer has by themselves; all others are one. */
export const FIGURE_CODES_MAX = 8;

/** The longest span has 2,880 steps, and one may be under way. */
const POINTS_MAX = 4_096;
/** Null: the server was down, so nobody knows. */
const line = z.array(z.number().min(0).nullable()).max(POINTS_MAX);

/** Query of `GET /v1/figures`. */
export const FiguresQuerySchema = z.strictObject({
  span: z.enum(FIGURE_SPAN_NAMES).default('hour'),
});

/** `GET /v1/figures`: lines of equal length, oldest first. Null where the server was down. */
export const FiguresSchema = z
  .object({
    span: z.enum(FIGURE_SPAN_NAMES),
    stepMs: z.int().min(1),
    /** When each step began, in milliseconds since 1970. */
    times: z.array(z.int().min(0)).max(POINTS_MAX),
    /** Messages in a second, on average. */
    accepted: line,
    /** Refusals in a second, of all codes. */
    refused: line,
    /** The same by code, the most frequent first; `other` is last, if there are more codes. */
    byCode: z
      .array(z.object({ code: text(64), perS: line, total: z.int().min(0) }))
      .max(FIGURE_CODES_MAX + 1),
    /** Open connections, on average. */
    connections: line,
  })
  .meta({ id: 'Figures' });
export type Figures = Readonly<z.infer<typeof FiguresSchema>>;
