/** The HTTP API: a device as it is shown. Part of `api.ts`. @module */
import { z } from 'zod';
import { text, time } from './api-fields.ts';

/** The classes that there are. */
export const DEVICE_CLASS_LIST = ['sensor', 'actuator', 'gateway', 'service'] as const;
/** The states of the life cycle, in its order. */
export const DEVICE_STATE_LIST = [
  'registered',
  'claimed',
  'active',
  'quarantined',
  'suspended',
  'revoked',
  'retired',
] as const;

/** How an update can stand, as a device tells it. */
export const DEVICE_UPDATE_STATE_LIST = [
  'idle',
  'downloading',
  'verified',
  'staged',
  'rebooting',
  'trial',
  'confirmed',
  'reverting',
  'reverted',
  'failed',
] as const;
/** How many tags a device may have. */
export const DEVICE_TAGS_MAX = 16;

export const deviceClass = z.enum(DEVICE_CLASS_LIST);
export const deviceState = z.enum(DEVICE_STATE_LIST);

/** Name of a group of devices; empty for none. */
export const deviceGroup = z
  .string()
  .max(64)
  .regex(
    /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/,
    'must be empty, or 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit',
  );

/** A short word by which people find a device again. */
export const deviceTag = z
  .string()
  .max(32)
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,31}$/u,
    'must be 1 to 32 of a-z 0-9 . _ -, the first a letter or digit',
  );
/** The tags of a device, each one once. */
export const deviceTags = z
  .array(deviceTag)
  .max(DEVICE_TAGS_MAX)
  .refine((tags) => new Set(tags).size === tags.length, 'must name each tag once');

/** A device as operators see it. */
export const DeviceViewSchema = z
  .object({
    id: text(64),
    class: deviceClass,
    /** The one group that it is in; empty for none. */
    group: text(64),
    /** Its kind of hardware, as releases name it; absent while nobody has told. */
    hardware: text(32).optional(),
    state: deviceState,
    stateReason: text(1_024),
    /** Principal that put it into this state; empty for what was not noted yet. */
    stateBy: text(128),
    /** Since when; absent for what was not noted yet. */
    stateAt: time.optional(),
    createdAt: time,
    /** In their order; absent for none. */
    tags: z.array(text(32)).max(DEVICE_TAGS_MAX).optional(),
    /** Whether it is connected over MQTT now. Told, as all below, by `GET /v1/devices` and by id. */
    online: z.boolean().optional(),
    /** When it was heard of last: now, while it is connected. Absent: never since this is noted. */
    lastSeen: time.optional(),
    /** Whether somebody has it, by an app. */
    hasOwner: z.boolean().optional(),
    /** What it told of its firmware; absent when it never did. */
    firmware: z
      .object({
        /** The release that it runs, `<line>@<version>`, as far as that is known here. */
        runs: text(65).optional(),
        /** The release of its last update, and how that stands. */
        release: text(65),
        state: text(32),
        at: time,
      })
      .optional(),
    /** What it is to run, where that was said. */
    assigned: text(65).optional(),
    /** When its certificate ends; absent when it has none that counts. */
    certificateEndsAt: time.optional(),
  })
  .meta({ id: 'Device' });
export type DeviceView = Readonly<z.infer<typeof DeviceViewSchema>>;
