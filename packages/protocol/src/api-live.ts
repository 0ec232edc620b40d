/** The HTTP API: what happens, as it happens. Part of `api.ts`. @module */
import { z } from 'zod';
import { deviceState } from './api-device-view.ts';
import { text, time } from './api-fields.ts';

/** How often figures are sent, in milliseconds. */
export const LIVE_FIGURES_MS = 2_000;
/** Refusals that are told in a second; more are only counted. */
export const LIVE_REFUSALS_PER_SECOND_MAX = 20;
/** Changes of the state of devices that are told in a second; more are only counted. */
export const LIVE_DEVICES_PER_SECOND_MAX = 50;
/** Devices of one `presence`; more are only counted. */
export const LIVE_PRESENCE_MAX = 200;

const count = z.int().min(0);

/**
 * The events of `GET /v1/live`. A reader gets what it may see: `figures` with `server:read`,
 * `refusal` with `refusal:read`, `act` with `audit:read`, `device` and `presence` of each device with `device:read`.
 * The data of `refusal` and `act` are those of their lists.
 */
export const LIVE_EVENTS = [
  'open',
  'figures',
  'refusal',
  'act',
  'device',
  'presence',
  'left-out',
] as const;
export type LiveEventName = (typeof LIVE_EVENTS)[number];

/** Data of `open`, the first event: which of the others can come. */
export const LiveOpenSchema = z.object({ at: time, events: z.array(z.enum(LIVE_EVENTS)) });
export type LiveOpen = Readonly<z.infer<typeof LiveOpenSchema>>;

/** Data of `figures`, every two seconds. */
export const LiveFiguresSchema = z.object({
  at: time,
  acceptedPerS: z.number().min(0),
  refusedPerS: z.number().min(0),
  connections: count,
  sessions: count,
});
export type LiveFigures = Readonly<z.infer<typeof LiveFiguresSchema>>;

/** Data of `device`: its state has changed. */
export const LiveDeviceSchema = z.object({
  at: time,
  id: text(64),
  state: deviceState,
  /** Absent for a device that is new to the stream. */
  stateBefore: deviceState.optional(),
  stateReason: text(1_024),
  stateBy: text(128),
});
export type LiveDevice = Readonly<z.infer<typeof LiveDeviceSchema>>;

/** Data of `presence`, at most one a second: who connected, and who left. */
export const LivePresenceSchema = z.object({
  at: time,
  changes: z.array(z.object({ id: text(64), isConnected: z.boolean() })).max(LIVE_PRESENCE_MAX),
  /** Changes that are not listed. */
  leftOut: count,
});
export type LivePresence = Readonly<z.infer<typeof LivePresenceSchema>>;

/** Data of `left-out`: what came in a second beyond what is told. Ask for the lists again. */
export const LiveLeftOutSchema = z.object({ at: time, of: z.enum(['refusal', 'device']), count });
export type LiveLeftOut = Readonly<z.infer<typeof LiveLeftOutSchema>>;
