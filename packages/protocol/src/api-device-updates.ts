/** The HTTP API: what became of the updates of one device, step by step. Part of `api.ts`. @module */
import { z } from 'zod';
import { DEVICE_UPDATE_STATE_LIST } from './api-device-view.ts';
import { text, time } from './api-fields.ts';

const release = text(65);

const AssignedStepSchema = z.object({
  what: z.literal('assigned'),
  at: time,
  /** What it is to run from then on; absent: nothing else than before. */
  release: release.optional(),
  /** What it was to run before. */
  before: release.optional(),
  /** Who did it; `server` for a rollout. */
  by: text(65_536),
  /** By which rollout. */
  rollout: text(64).optional(),
  /** Why, in the words of whoever did it. */
  reason: text(65_536).optional(),
});

const AgreedStepSchema = z.object({
  what: z.literal('agreed'),
  at: time,
  /** The app of the owner. */
  by: text(65_536),
});

const ToldStepSchema = z.object({
  what: z.literal('told'),
  /** When it was heard. */
  at: time,
  release,
  /** The state that the device came into, as it told. */
  state: z.enum(DEVICE_UPDATE_STATE_LIST),
  /** Why it failed or went back. */
  why: text(256).optional(),
});

/** A step: somebody assigned a release, the owner agreed, or the device told of its state. */
export const DeviceUpdateStepSchema = z
  .discriminatedUnion('what', [AssignedStepSchema, AgreedStepSchema, ToldStepSchema])
  .meta({ id: 'DeviceUpdateStep' });
export type DeviceUpdateStep = Readonly<z.infer<typeof DeviceUpdateStepSchema>>;

/** `GET /v1/devices/{id}/updates`. */
export const DeviceUpdateListSchema = z
  .object({
    device: text(64),
    /** Newest first. */
    steps: z.array(DeviceUpdateStepSchema),
    /** False: there are older ones, of which the device's are not kept any more. */
    isComplete: z.boolean(),
  })
  .meta({ id: 'DeviceUpdateList' });
export type DeviceUpdateList = Readonly<z.infer<typeof DeviceUpdateListSchema>>;
