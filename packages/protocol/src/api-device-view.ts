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

/** A device as operators see it. */
export const DeviceViewSchema = z
  .object({
    id: text(64),
    class: deviceClass,
    /** The one group that it is in; empty for none. */
    group: text(64),
    state: deviceState,
    stateReason: text(1_024),
    /** Principal that put it into this state; empty for what was not noted yet. */
    stateBy: text(128),
    /** Since when; absent for what was not noted yet. */
    stateAt: time.optional(),
    createdAt: time,
  })
  .meta({ id: 'Device' });
export type DeviceView = Readonly<z.infer<typeof DeviceViewSchema>>;
