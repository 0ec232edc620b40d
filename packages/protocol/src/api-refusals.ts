/** The HTTP API: refusals, searched and counted. Part of `api.ts`. @module */
import { z } from 'zod';
import { deviceState } from './api-device-view.ts';
import { text, time } from './api-fields.ts';

/** Refusals that one answer of a search looks at; `next` goes on behind them. */
export const REFUSALS_SEARCHED_MAX = 20_000;
/** Refusals on the log that a summary looks at. */
export const REFUSALS_SUMMED_MAX = 50_000;
/** Groups of a summary; all others are counted together. */
export const REFUSAL_GROUPS_MAX = 200;
/** Refusals of one page of a search. */
const PAGE_MAX = 1_000;

const count = z.int().min(0);
const moment = z.iso.datetime().max(32).optional();

/** Query of `GET /v1/refusals`: the newest ones first that fit all of it. */
export const RefusalQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(100),
  /** Only entries with a smaller index. */
  before: z.coerce.number().int().min(1).optional(),
  /** Proven or claimed id of a device or a person. */
  device: z.string().min(1).max(256).optional(),
  /** IP address of the peer. */
  address: z.string().min(1).max(64).optional(),
  code: z
    .string()
    .regex(/^E_[A-Z0-9_]{1,62}$/, 'must be a code, such as E_VERIFY_SIG')
    .optional(),
  /** Only what came at this time or later, and before `until`. */
  since: moment,
  until: moment,
});
export type RefusalQuery = Readonly<{
  limit?: number;
  before?: number;
  device?: string;
  address?: string;
  code?: string;
  since?: string;
  until?: string;
}>;

/** By what a summary counts. */
export const REFUSAL_GROUPINGS = ['device', 'address', 'code'] as const;
export type RefusalGrouping = (typeof REFUSAL_GROUPINGS)[number];
/** How far back a summary goes, in milliseconds. */
export const REFUSAL_SPANS_MS = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
} as const;
export type RefusalSpan = keyof typeof REFUSAL_SPANS_MS;

/** Query of `GET /v1/refusals/summary`. */
export const RefusalSummaryQuerySchema = z.strictObject({
  by: z.enum(REFUSAL_GROUPINGS).default('code'),
  span: z.enum(['hour', 'day', 'week']).default('day'),
});
export type RefusalSummaryQuery = Readonly<z.input<typeof RefusalSummaryQuerySchema>>;

/** `GET /v1/refusals/summary`. */
export const RefusalSummarySchema = z
  .object({
    by: z.enum(REFUSAL_GROUPINGS),
    span: z.enum(['hour', 'day', 'week']),
    /** The most frequent first. */
    groups: z
      .array(
        z.object({
          /** The device, address or code; empty for refusals of nobody who was proven. */
          key: text(256),
          /** Of a device that the caller may see. */
          state: deviceState.optional(),
          count,
          firstAt: time,
          lastAt: time,
          /** The codes of the group, the most frequent first. */
          codes: z.array(z.object({ code: text(64), what: text(1_024), count })),
          /** How many different devices and addresses are in it. */
          devices: count,
          addresses: count,
        }),
      )
      .max(REFUSAL_GROUPS_MAX),
    /** Refusals of groups that are not listed. */
    others: count,
    total: count,
    /** False: there were more than are looked at, and only those since `since` are counted. */
    isComplete: z.boolean(),
    since: time,
  })
  .meta({ id: 'RefusalSummary' });
export type RefusalSummary = Readonly<z.infer<typeof RefusalSummarySchema>>;
