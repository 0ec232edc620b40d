/** The HTTP API: the life cycle of devices, lists of them, and many at once. Part of `api.ts`. @module */
import { z } from 'zod';
import { DeviceViewSchema, deviceClass, deviceGroup, deviceState } from './api-device-view.ts';
import { line, name, text, time } from './api-fields.ts';

/** How many devices one answer lists. */
export const DEVICE_PAGE_LIMIT = { min: 1, max: 1_000, default: 1_000 } as const;
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

// Lists

/** Query of `GET /v1/devices`. */
export const DeviceQuerySchema = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(DEVICE_PAGE_LIMIT.min)
    .max(DEVICE_PAGE_LIMIT.max)
    .default(DEVICE_PAGE_LIMIT.default),
  /** Only devices whose ids come after this one. */
  after: name.optional(),
  state: deviceState.optional(),
  class: deviceClass.optional(),
  /** Empty: only those without a group. */
  group: deviceGroup.optional(),
});
/** What to list; everything, when it is empty. */
export type DeviceFilter = Readonly<Partial<Omit<z.infer<typeof DeviceQuerySchema>, 'limit'>>>;

/** `GET /v1/devices`, in the order of the ids. */
export const DeviceListSchema = z
  .object({
    devices: z.array(DeviceViewSchema),
    /** There are more: what to give as `after` for the next page. */
    next: text(64).optional(),
  })
  .meta({ id: 'DeviceList' });
export type DeviceList = Readonly<z.infer<typeof DeviceListSchema>>;

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

/** The answer to an act on one device. */
export const ChangedDeviceSchema = z
  .object({ device: DeviceViewSchema })
  .meta({ id: 'ChangedDevice' });
export type ChangedDevice = Readonly<z.infer<typeof ChangedDeviceSchema>>;

/** Which devices: these, those of a group, or those of a class. */
export const DeviceSelectionSchema = z
  .union([
    z.strictObject({ ids: z.array(name).min(1).max(DEVICE_IDS_MAX) }),
    z.strictObject({ group: name }),
    z.strictObject({ class: deviceClass }),
  ])
  .meta({ id: 'DeviceSelection' });
export type DeviceSelection = Readonly<z.infer<typeof DeviceSelectionSchema>>;

/** `POST /v1/device-acts`. */
export const DeviceActsRequestSchema = z
  .strictObject({
    act: z.enum([...DEVICE_ACTS, 'set-group']),
    select: DeviceSelectionSchema,
    /** With `set-group`, and only then; empty: none any more. */
    group: deviceGroup.optional(),
    reason,
  })
  .refine(({ act, group }) => (act === 'set-group') === (group !== undefined), {
    message: 'goes with "set-group", and with nothing else',
    path: ['group'],
  })
  .meta({ id: 'DeviceActsRequest' });
export type DeviceActsRequest = Readonly<z.infer<typeof DeviceActsRequestSchema>>;

/** The answer to an act on many devices. */
export const ChangedDevicesSchema = z
  .object({
    /** How many were changed. */
    changed: z.int().min(0),
    /** How many were passed over, because their state does not allow it. */
    passedOver: z.int().min(0),
    /** The first of these, each with its reason. */
    passedOverList: z
      .array(z.object({ id: text(64), why: text(2_048) }))
      .max(PASSED_OVER_LISTED_MAX),
  })
  .meta({ id: 'ChangedDevices' });
export type ChangedDevices = Readonly<z.infer<typeof ChangedDevicesSchema>>;

// Import

/** One device of an import. */
export const ImportedDeviceSchema = z
  .strictObject({ id: name, class: deviceClass, group: deviceGroup.default('') })
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
