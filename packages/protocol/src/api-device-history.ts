/** The HTTP API: what happened to one device, its connections and its commands. Part of `api.ts`. @module */
import { z } from 'zod';
import { text, time } from './api-fields.ts';

/** How many entries of the history of a device one request may ask for. */
export const DEVICE_HISTORY_LIMIT = { min: 1, max: 200, default: 50 } as const;

const index = z.int().min(0);
const count = z.int().min(0);

/** Query of `GET /v1/devices/{id}/acts` and `…/commands`: newest first. */
export const DeviceHistoryQuerySchema = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(DEVICE_HISTORY_LIMIT.min)
    .max(DEVICE_HISTORY_LIMIT.max)
    .default(DEVICE_HISTORY_LIMIT.default),
  /** Only entries with a smaller index: `next` of the page before. */
  before: z.coerce.number().int().min(1).optional(),
});
export type DeviceHistoryQuery = Readonly<{
  limit?: number | undefined;
  before?: number | undefined;
}>;

/** Something that was done to a device, or that it did, as the audit log has it. */
export const DeviceActViewSchema = z
  .object({
    index,
    at: time,
    /** `noun.verb`, such as `device.revoke`. */
    action: text(256),
    /** Who did it. */
    principal: text(65_536),
    reason: text(65_536).optional(),
    /** State before and after, where the act changed it or told it. */
    before: text(64).optional(),
    after: text(64).optional(),
    facts: z.record(z.string().max(256), z.unknown()).optional(),
  })
  .meta({ id: 'DeviceHistoryAct' });
export type DeviceActView = Readonly<z.infer<typeof DeviceActViewSchema>>;

/**
 * `GET /v1/devices/{id}/acts`. A page can be short, or empty, with a `next`: so much of the log was
 * looked through, and there is more of it.
 */
export const DeviceActListSchema = z
  .object({ acts: z.array(DeviceActViewSchema), next: index.optional() })
  .meta({ id: 'DeviceActList' });
export type DeviceActList = Readonly<z.infer<typeof DeviceActListSchema>>;

/** A command that was sent to a device, and what came back. */
export const DeviceCommandViewSchema = z
  .object({
    index,
    at: time,
    name: text(1_024),
    /** Who sent it. */
    by: text(65_536),
    /** The exact signed payload. */
    payload: text(1_048_576),
    /**
     * The first message of the device on `d/<device>/ack/<name>` after it, or the one that names it
     * by its counter as `of`. Absent: none was found.
     */
    ack: z.object({ index, at: time, topic: text(1_024), payload: text(1_048_576) }).optional(),
  })
  .meta({ id: 'DeviceCommand' });
export type DeviceCommandView = Readonly<z.infer<typeof DeviceCommandViewSchema>>;

/** `GET /v1/devices/{id}/commands`; for `next` see {@link DeviceActListSchema}. */
export const DeviceCommandListSchema = z
  .object({ commands: z.array(DeviceCommandViewSchema), next: index.optional() })
  .meta({ id: 'DeviceCommandList' });
export type DeviceCommandList = Readonly<z.infer<typeof DeviceCommandListSchema>>;

/** `GET /v1/devices/{id}/sessions`: the connection of now, what outlives it, and the ones before. */
export const DeviceSessionsSchema = z
  .object({
    online: z.boolean(),
    /** When it was heard of last; absent: never since this was noted. */
    lastSeen: time.optional(),
    /** Of now; absent while it is not connected. */
    connection: z
      .object({
        address: text(64),
        since: time,
        /** `MQTT 5`, `MQTT 3.1.1` or `MQTT 3.1`. */
        protocol: text(16),
        transport: z.enum(['TLS', 'WebSocket']),
        /** Such as `TLSv1.3`. */
        tls: text(32).optional(),
        cipher: text(64).optional(),
        /** SHA-256 of the certificate that it has shown. */
        certificate: text(64).optional(),
        /** Seconds; 0 for none. */
        keepAliveS: count,
      })
      .optional(),
    /** What waits for it, also while it is away; absent when nothing is kept. */
    session: z
      .object({
        /** Seconds that it outlives its connection. */
        expiryS: count,
        subscriptions: z.array(z.object({ filter: text(65_536), qos: z.int().min(0).max(2) })),
        /** Messages that wait. */
        queued: count,
      })
      .optional(),
    /** Connections that ended since the server started, newest first, as far as they are kept. */
    previous: z.array(
      z.object({
        address: text(64),
        since: time,
        until: time,
        protocol: text(16),
        why: text(1_024),
      }),
    ),
  })
  .meta({ id: 'DeviceSessions' });
export type DeviceSessions = Readonly<z.infer<typeof DeviceSessionsSchema>>;
