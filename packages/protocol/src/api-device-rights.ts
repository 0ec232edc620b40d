/** The HTTP API: what the caller may do to one device now, and why not the rest. Part of `api.ts`. @module */
import { z } from 'zod';
import { DEVICE_ACTS } from './api-devices.ts';
import { text } from './api-fields.ts';

/** What people can do to one device: acts on its state first, then all the others. */
export const DEVICE_POSSIBLE_ACTS = [
  ...DEVICE_ACTS,
  'set-group',
  'set-tags',
  'set-hardware',
  'claim',
  'pair-code',
  'command',
  'api-key',
  'assign-release',
  'prove',
  'erase',
  'reset',
] as const;
/** One of them. */
export type DevicePossibleAct = (typeof DEVICE_POSSIBLE_ACTS)[number];

/** Whether an act can be done now. */
export const DevicePossibilitySchema = z
  .object({
    act: z.enum(DEVICE_POSSIBLE_ACTS),
    isPossible: z.boolean(),
    /** What is asked for besides: the second factor again, or a second person. */
    needs: z.enum(['nothing', 'step-up', 'second-person']),
    /** Why it is not possible: the right is missing, or the device is not in a state for it. */
    why: text(1_024).optional(),
  })
  .meta({ id: 'DevicePossibility' });
export type DevicePossibility = Readonly<z.infer<typeof DevicePossibilitySchema>>;

/** `GET /v1/devices/{id}/rights`: all acts, in the order of {@link DEVICE_POSSIBLE_ACTS}. */
export const DeviceRightsSchema = z
  .object({
    acts: z.array(DevicePossibilitySchema),
    /** What the caller may see that hangs together with a device, and is none of its own. */
    reads: z.object({
      /** `GET /v1/refusals`. */
      refusals: z.boolean(),
      /** `POST /v1/policy/explain`. */
      policy: z.boolean(),
    }),
  })
  .meta({ id: 'DeviceRights' });
export type DeviceRights = Readonly<z.infer<typeof DeviceRightsSchema>>;
