/** The HTTP API: the life cycle of devices, and many at once. Part of `api.ts`. @module */
import { z } from 'zod';
import { DeviceFilterSchema } from './api-device-search.ts';
import { DeviceViewSchema, deviceClass, deviceGroup, deviceTags } from './api-device-view.ts';
import { line, name, text, time } from './api-fields.ts';

/** How many devices one request imports: they are made in one go, in which nothing else is done. */
export const DEVICE_IMPORT_MAX = 500;
/** How long the claims of an import work, in milliseconds: an hour, a year, and a day. */
export const CLAIM_LIFE_MS = { min: 3_600_000, max: 31_536_000_000, default: 86_400_000 } as const;
/** How many devices one request names by their ids. */
export const DEVICE_IDS_MAX = 500;
/** How many of those that were passed over an answer lists. */
export const PASSED_OVER_LISTED_MAX = 20;

/** Acts of people on devices: `POST /v1/devices/{id}/<act>`, and of many `POST /v1/device-acts`. */
export const DEVICE_ACTS = [
  'quarantine',
  'release',
  'suspend',
  'resume',
  'revoke',
  'retire',
] as const;
/** An act on a device, by which its state changes. */
export type DeviceAct = (typeof DEVICE_ACTS)[number];

const reason = line(256);

// Acts on devices

/** `POST /v1/devices/{id}/<act>`. */
export const DeviceActRequestSchema = z.strictObject({ reason }).meta({ id: 'DeviceActRequest' });
export type DeviceActRequest = Readonly<z.infer<typeof DeviceActRequestSchema>>;

/** `POST /v1/devices/{id}/set-group`. */
export const SetGroupRequestSchema = z
  .strictObject({
    /** Empty: none any more. */
    group: deviceGroup,
    reason,
  })
  .meta({ id: 'SetGroupRequest' });
export type SetGroupRequest = Readonly<z.infer<typeof SetGroupRequestSchema>>;

/** `POST /v1/devices/{id}/set-tags`: these, instead of those that it had. */
export const SetTagsRequestSchema = z
  .strictObject({ tags: deviceTags, reason })
  .meta({ id: 'SetTagsRequest' });
export type SetTagsRequest = Readonly<z.infer<typeof SetTagsRequestSchema>>;

/** `POST /v1/devices/{id}/set-hardware`. */
export const SetHardwareRequestSchema = z
  .strictObject({
    hardware: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 of a-z 0-9 -, the first no hyphen'),
    reason,
  })
  .meta({ id: 'SetHardwareRequest' });
export type SetHardwareRequest = Readonly<z.infer<typeof SetHardwareRequestSchema>>;

/** The answer to an act on one device. */
export const ChangedDeviceSchema = z
  .object({ device: DeviceViewSchema })
  .meta({ id: 'ChangedDevice' });
export type ChangedDevice = Readonly<z.infer<typeof ChangedDeviceSchema>>;

/** Which devices: these, those of a group, those of a class, or all that match. */
export const DeviceSelectionSchema = z
  .union([
    z.strictObject({ ids: z.array(name).min(1).max(DEVICE_IDS_MAX) }),
    z.strictObject({ group: name }),
    z.strictObject({ class: deviceClass }),
    z.strictObject({ filter: DeviceFilterSchema }),
  ])
  .meta({ id: 'DeviceSelection' });
export type DeviceSelection = Readonly<z.infer<typeof DeviceSelectionSchema>>;

/** What can be done to many devices at once. */
export const BULK_ACTS = [...DEVICE_ACTS, 'set-group', 'add-tags', 'remove-tags'] as const;
export type BulkAct = (typeof BULK_ACTS)[number];

const wish = {
  act: z.enum(BULK_ACTS),
  select: DeviceSelectionSchema,
  /** With `set-group`, and only then; empty: none any more. */
  group: deviceGroup.optional(),
  /** With `add-tags` and `remove-tags`, and only then. */
  tags: deviceTags.min(1).optional(),
};
const isGroupFit = ({ act, group }: { act: BulkAct; group?: string | undefined }): boolean =>
  (act === 'set-group') === (group !== undefined);
const isTagsFit = ({
  act,
  tags,
}: {
  act: BulkAct;
  tags?: readonly string[] | undefined;
}): boolean => (act === 'add-tags' || act === 'remove-tags') === (tags !== undefined);
const groupMisfit = { message: 'goes with "set-group", and with nothing else', path: ['group'] };
const tagsMisfit = {
  message: 'go with "add-tags" and "remove-tags", and with nothing else',
  path: ['tags'],
};

/** `POST /v1/device-acts`. */
export const DeviceActsRequestSchema = z
  .strictObject({
    ...wish,
    reason,
    /**
     * `token` of the plan: nothing is done when something else would come of it by now. Whoever
     * selects by a filter has to give it.
     */
    expect: z
      .string()
      .regex(/^[0-9a-f]{64}$/u, 'must be the token of a plan')
      .optional(),
  })
  .refine(isGroupFit, groupMisfit)
  .refine(isTagsFit, tagsMisfit)
  .refine(({ select, expect }) => !('filter' in select) || expect !== undefined, {
    message: 'is missing: plan it first, and give the token of the plan',
    path: ['expect'],
  })
  .meta({ id: 'DeviceActsRequest' });
export type DeviceActsRequest = Readonly<z.infer<typeof DeviceActsRequestSchema>>;

/** `POST /v1/device-acts/plan`: what would come of it; nothing is done. */
export const DeviceActsPlanRequestSchema = z
  .strictObject(wish)
  .refine(isGroupFit, groupMisfit)
  .refine(isTagsFit, tagsMisfit)
  .meta({ id: 'DeviceActsPlanRequest' });
export type DeviceActsPlanRequest = Readonly<z.infer<typeof DeviceActsPlanRequestSchema>>;

const listedDevices = z
  .array(z.object({ id: text(64), why: text(2_048) }))
  .max(PASSED_OVER_LISTED_MAX);

/** The answer to a plan. */
export const DeviceActsPlanSchema = z
  .object({
    /** Devices that are meant. */
    selected: z.int().min(0),
    /** How many would be changed. */
    changed: z.int().min(0),
    /** The first of these. */
    changedList: z.array(text(64)).max(PASSED_OVER_LISTED_MAX),
    /** Of these, how many are in which state now, and what becomes of it. */
    changes: z.array(z.object({ from: text(64), to: text(64), devices: z.int().min(1) })),
    /** Of these, how many are connected now. */
    online: z.int().min(0),
    /** How many would be passed over. */
    passedOver: z.int().min(0),
    /** Why, the most frequent first. */
    passedOverReasons: z.array(z.object({ why: text(256), devices: z.int().min(1) })),
    /** The first of these, each with its reason. */
    passedOverList: listedDevices,
    /** Devices that the caller may not do it to: then nothing is done at all. */
    forbidden: z.int().min(0),
    forbiddenList: z.array(text(64)).max(PASSED_OVER_LISTED_MAX),
    /** What is asked for besides: the second factor again, or a second person. */
    needs: z.enum(['nothing', 'step-up', 'second-person']),
    /** What to give as `expect`. */
    token: text(64),
  })
  .meta({ id: 'DeviceActsPlan' });
export type DeviceActsPlan = Readonly<z.infer<typeof DeviceActsPlanSchema>>;

/** The answer to an act on many devices. */
export const ChangedDevicesSchema = z
  .object({
    /** How many were changed. */
    changed: z.int().min(0),
    /** How many were passed over, because their state does not allow it. */
    passedOver: z.int().min(0),
    /** The first of these, each with its reason. */
    passedOverList: listedDevices,
  })
  .meta({ id: 'ChangedDevices' });
export type ChangedDevices = Readonly<z.infer<typeof ChangedDevicesSchema>>;

// Import

/** One device of an import. */
export const ImportedDeviceSchema = z
  .strictObject({
    id: name,
    class: deviceClass,
    group: deviceGroup.default(''),
    tags: deviceTags.default([]),
  })
  .meta({ id: 'ImportedDevice' });
export type ImportedDevice = Readonly<z.infer<typeof ImportedDeviceSchema>>;

/** `POST /v1/device-imports`: registers many devices, each with a claim. All of them, or none. */
export const ImportDevicesRequestSchema = z
  .strictObject({
    devices: z.array(ImportedDeviceSchema).min(1).max(DEVICE_IMPORT_MAX),
    /**
     * Devices that are there already, just as they are here, and never were enrolled, get a new
     * claim; otherwise they are refused.
     */
    again: z.boolean().default(false),
    /** How long the claims work. */
    claimLifeMs: z
      .int()
      .min(CLAIM_LIFE_MS.min)
      .max(CLAIM_LIFE_MS.max)
      .default(CLAIM_LIFE_MS.default),
    /** Only tells whether it could be done. */
    dryRun: z.boolean().default(false),
  })
  .meta({ id: 'ImportDevicesRequest' });
export type ImportDevicesRequest = Readonly<z.input<typeof ImportDevicesRequestSchema>>;

/** The answer to an import: the only time that the claims are shown. */
export const ImportedDevicesSchema = z
  .object({
    /** How many devices are new. */
    added: z.int().min(0),
    /** How many were there, and got a new claim. */
    claimedAgain: z.int().min(0),
    /** After a dry run: the devices that are in the way. Without one, they refuse the import. */
    conflicts: z.array(z.object({ id: text(64), why: text(256) })).max(DEVICE_IMPORT_MAX),
    /** In the order of the request; none after a dry run. */
    claims: z
      .array(z.object({ id: text(64), text: text(1_024), expiresAt: time }))
      .max(DEVICE_IMPORT_MAX),
  })
  .meta({ id: 'ImportedDevices' });
export type ImportedDevices = Readonly<z.infer<typeof ImportedDevicesSchema>>;
