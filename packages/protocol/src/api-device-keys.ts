/** The HTTP API: API keys of devices, and what a class asks of its devices. Part of `api.ts`. @module */
import { z } from 'zod';
import { name, text, time } from './api-fields.ts';

/** What every API key of a device begins with, so that a leaked one is recognized. */
export const DEVICE_API_KEY_PREFIX = 'hfk_';
/** An API key of a device: the prefix and 32 bytes in base64url. */
export const DEVICE_API_KEY = /^hfk_[A-Za-z0-9_-]{43}$/;
/** The HTTP header in which a device sends its API key. */
export const DEVICE_API_KEY_HEADER = 'x-holdfast-api-key';
/** Life of an API key of a device in milliseconds, when it is to end: an hour to ten years. */
export const DEVICE_API_KEY_LIFE_MS = { min: 3_600_000, max: 315_360_000_000 } as const;
/** How long the key before it still counts, in milliseconds: not at all to 90 days; 7 days. */
export const DEVICE_API_KEY_OVERLAP_MS = {
  min: 0,
  max: 7_776_000_000,
  default: 604_800_000,
} as const;

const lifeMs = z.int().min(DEVICE_API_KEY_LIFE_MS.min).max(DEVICE_API_KEY_LIFE_MS.max);
const overlapMs = z.int().min(DEVICE_API_KEY_OVERLAP_MS.min).max(DEVICE_API_KEY_OVERLAP_MS.max);

/** `POST /v1/devices/{id}/api-keys`. */
export const CreateDeviceApiKeyRequestSchema = z
  .strictObject({
    /** Absent: it ends only when it is replaced or removed. */
    lifeMs: lifeMs.optional(),
    /** How long the present key still counts. */
    overlapMs: overlapMs.default(DEVICE_API_KEY_OVERLAP_MS.default),
  })
  .meta({ id: 'CreateDeviceApiKeyRequest' });
export type CreateDeviceApiKeyRequest = Readonly<z.input<typeof CreateDeviceApiKeyRequestSchema>>;

/** An API key of a device as it is listed: never the key itself. */
export const DeviceApiKeyViewSchema = z
  .object({
    id: text(64),
    createdAt: time,
    /** When it expires, or its overlap with the next one ends; absent for neither. */
    endsAt: time.optional(),
    /** When it was last shown, to the minute; absent when it never was. */
    usedAt: time.optional(),
  })
  .meta({ id: 'DeviceApiKey' });
export type DeviceApiKeyView = Readonly<z.infer<typeof DeviceApiKeyViewSchema>>;

/** The answer to `POST /v1/devices/{id}/api-keys`: the only time that the key is shown. */
export const CreatedDeviceApiKeySchema = z
  .object({
    /** `hfk_` and 43 characters of base64url. */
    key: text(64),
    apiKey: DeviceApiKeyViewSchema,
    /** The key before it, which counts until its `endsAt`; absent when there was none. */
    previous: DeviceApiKeyViewSchema.optional(),
  })
  .meta({ id: 'CreatedDeviceApiKey' });
export type CreatedDeviceApiKey = Readonly<z.infer<typeof CreatedDeviceApiKeySchema>>;

/** `GET /v1/devices/{id}/api-keys`: those that count now, oldest first. */
export const DeviceApiKeyListSchema = z
  .object({ apiKeys: z.array(DeviceApiKeyViewSchema) })
  .meta({ id: 'DeviceApiKeyList' });
export type DeviceApiKeyList = Readonly<z.infer<typeof DeviceApiKeyListSchema>>;

/** Path of `DELETE /v1/devices/{id}/api-keys/{keyId}`. */
export const DeviceApiKeyPathSchema = z.strictObject({ id: name, keyId: name });

const className = z.enum(['sensor', 'actuator', 'gateway', 'service']);

/** Path of `/v1/classes/{name}`. */
export const ClassPathSchema = z.strictObject({ name: className });

/** Longest grace of a class in milliseconds: a year, as long as ended certificates are kept. */
export const RENEWAL_GRACE_MS_MAX = 365 * 86_400_000;
const renewalGraceMs = z.int().min(0).max(RENEWAL_GRACE_MS_MAX);

const onClone = z.enum(['quarantine', 'report']);

/** Days that messages and what was rolled up of them may be kept: one to a hundred years. */
export const RETENTION_DAYS = { min: 1, max: 36_500 } as const;
/** Bytes of messages that may be kept of one device: a megabyte to a petabyte. */
export const RETENTION_BYTES = { min: 1_000_000, max: 1e15 } as const;

const days = z.int().min(RETENTION_DAYS.min).max(RETENTION_DAYS.max);
const bytes = z.int().min(RETENTION_BYTES.min).max(RETENTION_BYTES.max);

/** Bounds of `lateHours`: a year. */
export const LATE_HOURS = { min: 0, max: 8_760 } as const;
const lateHours = z.int().min(LATE_HOURS.min).max(LATE_HOURS.max);

/** What a class asks of its devices; `PUT /v1/classes/{name}` sets what is there. */
export const ClassRulesSchema = z
  .strictObject({
    /** Whether its devices must show an API key beside their certificate. */
    requiresApiKey: z.boolean().optional(),
    /** What becomes of a device when a superseded certificate of it is renewed. */
    onClone: onClone.optional(),
    /** How many hours old a message may be that was held back; 0: none that is late counts. */
    lateHours: lateHours.optional(),
    /** How long what its devices send is kept; null takes a bound away. */
    retention: z
      .strictObject({
        /** Messages that the server took in longer ago expire. */
        ageDays: days.nullable().optional(),
        /** Beyond so many bytes of messages of one device, the oldest expire. */
        bytesPerDeviceMax: bytes.nullable().optional(),
        /** How long what was rolled up of them stays; as long as they do, without it. */
        rollupDays: days.nullable().optional(),
      })
      .optional(),
    /** How long after its end a certificate can still be renewed, into quarantine. */
    renewalGraceMs: renewalGraceMs.optional(),
  })
  .meta({ id: 'ClassRules' });
export type ClassRules = Readonly<z.infer<typeof ClassRulesSchema>>;

/** `GET /v1/classes/{name}`. */
export const ClassViewSchema = z
  .object({
    name: className,
    requiresApiKey: z.boolean(),
    onClone,
    lateHours,
    /** How long what its devices send is kept; what is absent sets no bound. */
    retention: z
      .object({
        ageDays: days.optional(),
        bytesPerDeviceMax: bytes.optional(),
        rollupDays: days.optional(),
      })
      .optional(),
    renewalGraceMs,
    /** Devices of the class, those that may not connect left out. */
    deviceCount: z.int().min(0),
    /** Those of them that have no API key. */
    withoutApiKeyCount: z.int().min(0),
  })
  .meta({ id: 'Class' });
export type ClassView = Readonly<z.infer<typeof ClassViewSchema>>;
