/** A session as it is kept on the disk. @module */
import { z } from 'zod';
import type { SubscriptionOptions } from './handler.ts';
import type { QueuedMessage } from './outbound-queue.ts';

/** What a session is without its connection. */
export interface SessionRecord {
  /** Seconds that it outlives its connection. */
  readonly expiryS: number;
  /** When it ends, milliseconds since 1970; undefined while it was connected. */
  readonly endsAtMs: number | undefined;
  readonly subscriptions: readonly (readonly [filter: string, options: SubscriptionOptions])[];
  /** Packet ids of QoS 2 messages that were received and not released. */
  readonly receivedIds: readonly number[];
  readonly queue: readonly QueuedMessage[];
  /** Index of the last message that was routed by then: after a crash the journal has the rest. */
  readonly lastIndex: number;
}

const QosSchema = z.union([z.literal(0), z.literal(1), z.literal(2)]);
const RecordSchema = z.object({
  v: z.literal(1),
  expiryS: z.number(),
  endsAtMs: z.number().nullable(),
  subscriptions: z.array(
    z.tuple([z.string(), QosSchema, z.boolean(), z.boolean(), z.number().nullable()]),
  ),
  receivedIds: z.array(z.number()),
  // Index, key, QoS, retain, subscription ids, expiry, bytes, packet id, released.
  queue: z.array(
    z.tuple([
      z.number(),
      z.number(),
      z.union([z.literal(1), z.literal(2)]),
      z.boolean(),
      z.array(z.number()),
      z.number().nullable(),
      z.number(),
      z.number(),
      z.boolean(),
    ]),
  ),
  lastIndex: z.number(),
});

/** Encodes a session, as JSON in UTF-8. */
export function encodeSession(record: SessionRecord): Uint8Array {
  const stored: z.input<typeof RecordSchema> = {
    v: 1,
    expiryS: record.expiryS,
    endsAtMs: record.endsAtMs ?? null,
    subscriptions: record.subscriptions.map(([filter, options]) => [
      filter,
      options.qos,
      options.noLocal,
      options.retainAsPublished,
      options.subscriptionId ?? null,
    ]),
    receivedIds: [...record.receivedIds],
    queue: record.queue.map((item) => [
      item.index,
      item.keyRef,
      item.qos,
      item.retain,
      [...item.subscriptionIds],
      Number.isFinite(item.expiresAtMs) ? item.expiresAtMs : null,
      item.bytes,
      item.packetId,
      item.isReleased,
    ]),
    lastIndex: record.lastIndex,
  };
  return Buffer.from(JSON.stringify(stored), 'utf8');
}

/**
 * Reads what {@link encodeSession} wrote.
 * @throws Error when it is something else: a sealed record that opens was written by us.
 */
export function decodeSession(bytes: Uint8Array): SessionRecord {
  const stored = RecordSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
  return {
    expiryS: stored.expiryS,
    endsAtMs: stored.endsAtMs ?? undefined,
    subscriptions: stored.subscriptions.map(
      ([filter, qos, noLocal, retainAsPublished, subscriptionId]) => [
        filter,
        { qos, noLocal, retainAsPublished, subscriptionId: subscriptionId ?? undefined },
      ],
    ),
    receivedIds: stored.receivedIds,
    queue: stored.queue.map(
      ([index, keyRef, qos, retain, subscriptionIds, ends, size, packetId, isReleased]) => ({
        index,
        keyRef,
        qos,
        retain,
        subscriptionIds,
        expiresAtMs: ends ?? Number.POSITIVE_INFINITY,
        bytes: size,
        packetId,
        isReleased,
      }),
    ),
    lastIndex: stored.lastIndex,
  };
}
