/** The HTTP API: which devices are listed, in which order, and how many there are. Part of `api.ts`. @module */
import { z } from 'zod';
import {
  DEVICE_CLASS_LIST,
  DEVICE_STATE_LIST,
  DEVICE_UPDATE_STATE_LIST,
  DeviceViewSchema,
} from './api-device-view.ts';
import { text } from './api-fields.ts';

/** How many devices one answer lists. */
export const DEVICE_PAGE_LIMIT = { min: 1, max: 1_000, default: 1_000 } as const;
/** Longest text that devices are searched for. */
export const DEVICE_SEARCH_LENGTH_MAX = 64;
/** How many values one field of a filter may name. */
export const DEVICE_FILTER_VALUES_MAX = 16;

/** In which order devices are listed: by id, when they were last seen, since when in their state. */
export const DEVICE_SORTS = ['id', 'seen', 'since'] as const;
export type DeviceSort = (typeof DEVICE_SORTS)[number];

const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,63}';
const yesOrNo = z.enum(['yes', 'no']);
const moment = z.iso.datetime({ message: 'must be a time, such as 2026-11-21T03:47:00Z' }).max(32);

/** Values with commas between them, as they stand in an address. */
const listOf = (value: string, rule: string): z.ZodString =>
  z
    .string()
    .max(DEVICE_FILTER_VALUES_MAX * 65)
    .regex(
      new RegExp(`^(?:${value})(?:,(?:${value})){0,${DEVICE_FILTER_VALUES_MAX - 1}}$`, 'u'),
      `must be ${rule}; several with commas between them`,
    );

const oneOf = (values: readonly string[]): z.ZodString =>
  listOf(values.join('|'), `one of ${values.join(', ')}`);

/**
 * Which devices: those for which every field that is given holds. A list with commas means any of
 * its values, but for tags, which a device must have all of.
 */
export const DeviceFilterSchema = z
  .strictObject({
    /** It stands somewhere in the id, the group, the class or a tag; case does not matter. */
    q: z.string().min(1).max(DEVICE_SEARCH_LENGTH_MAX).optional(),
    state: oneOf(DEVICE_STATE_LIST).optional(),
    class: oneOf(DEVICE_CLASS_LIST).optional(),
    /** An empty value: those without a group. */
    group: listOf(`(?:${NAME})?`, 'the name of a group, or empty for none').optional(),
    /** Has all of these. Empty: has none. */
    tag: listOf('(?:[a-z0-9][a-z0-9._-]{0,31})?', 'a tag, or empty for none').optional(),
    /** Connected over MQTT at this moment. */
    online: yesOrNo.optional(),
    /** `never`: not once since this was noted; `ever`: all others. */
    seen: z.enum(['never', 'ever']).optional(),
    /** Last seen before this time; those never seen are not meant. */
    seenBefore: moment.optional(),
    /** Seen at this time or after it; those connected now are. */
    seenAfter: moment.optional(),
    /** What it runs: `<line>@<version>`, a line alone for any version, or `unknown`. */
    firmware: listOf(
      '[a-z0-9][a-z0-9-]{0,31}(?:@[0-9][0-9A-Za-z.+-]{0,31})?',
      'LINE@VERSION, LINE or unknown',
    ).optional(),
    /** How its last update stands, as it told; `none` for those that told nothing. */
    update: oneOf([...DEVICE_UPDATE_STATE_LIST, 'none']).optional(),
    hardware: listOf('[a-z0-9][a-z0-9-]{0,31}', 'a kind of hardware').optional(),
    /** Whether somebody has it, by an app. */
    owner: yesOrNo.optional(),
    /** Its certificate ends before this time; those without one are not meant. */
    certificateBefore: moment.optional(),
  })
  .meta({ id: 'DeviceFilter' });
/** The fields of a filter; everything, when it is empty. */
export type DeviceFilterFields = Readonly<z.infer<typeof DeviceFilterSchema>>;

/** Query of `GET /v1/devices`. */
export const DeviceQuerySchema = z.strictObject({
  ...DeviceFilterSchema.shape,
  limit: z.coerce
    .number()
    .int()
    .min(DEVICE_PAGE_LIMIT.min)
    .max(DEVICE_PAGE_LIMIT.max)
    .default(DEVICE_PAGE_LIMIT.default),
  sort: z.enum(DEVICE_SORTS).default('id'),
  order: z.enum(['asc', 'desc']).default('asc'),
  /** `next` of the page before, with the same filter and order; by id, any id will do. */
  after: z
    .string()
    .max(96)
    .regex(new RegExp(`^(?:[0-9]{1,16}~)?${NAME}$`, 'u'), 'must be "next" of the page before')
    .optional(),
  /** `yes`: tells how many match, on all pages together. */
  count: yesOrNo.default('no'),
});
/** What to list, and from where on; everything, when it is empty. */
export type DeviceFilter = Readonly<
  Partial<Omit<z.infer<typeof DeviceQuerySchema>, 'limit' | 'count' | 'sort' | 'order'>>
>;
/** One page of the list. */
export type DeviceQuery = Readonly<
  Omit<z.input<typeof DeviceQuerySchema>, 'limit'> & { limit?: number }
>;

/** `GET /v1/devices`. */
export const DeviceListSchema = z
  .object({
    devices: z.array(DeviceViewSchema),
    /** There are more: what to give as `after` for the next page. */
    next: text(96).optional(),
    /** How many match, on all pages together; when it was asked for. */
    count: z.int().min(0).optional(),
  })
  .meta({ id: 'DeviceList' });
export type DeviceList = Readonly<z.infer<typeof DeviceListSchema>>;

/** `GET /v1/device-facets`: which values there are to filter by, the most frequent first. */
export const DeviceFacetsSchema = z
  .object({
    /** Devices that the caller may see. */
    devices: z.int().min(0),
    online: z.int().min(0),
    states: z.array(z.object({ value: text(64), devices: z.int().min(1) })),
    classes: z.array(z.object({ value: text(64), devices: z.int().min(1) })),
    /** An empty value: those without a group. */
    groups: z.array(z.object({ value: text(64), devices: z.int().min(1) })),
    tags: z.array(z.object({ value: text(64), devices: z.int().min(1) })),
    firmware: z.array(z.object({ value: text(65), devices: z.int().min(1) })),
  })
  .meta({ id: 'DeviceFacets' });
export type DeviceFacets = Readonly<z.infer<typeof DeviceFacetsSchema>>;
