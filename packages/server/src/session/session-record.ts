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
/** All but the queue, as JSON. */
const HeadSchema = z.object({
  v: z.literal(1),
  expiryS: z.number(),
  endsAtMs: z.number().nullable(),
  subscriptions: z.array(
    z.tuple([z.string(), QosSchema, z.boolean(), z.boolean(), z.number().nullable()]),
  ),
  receivedIds: z.array(z.number()),
  lastIndex: z.number(),
});

/** Length of the head, before it. */
const LENGTH_BYTES = 4;
/** Index, key, flags, packet id, end, payload bytes, number of subscription ids. */
const ITEM_BYTES = 6 + 4 + 1 + 2 + 6 + 4 + 1;
const ID_BYTES = 4;
const FLAG = { qos2: 1, retain: 2, released: 4 } as const;
/** Overlapping subscriptions of one session; more identifiers than this are left out. */
const IDS_MAX = 255;

/**
 * Encodes a session: its length and JSON, then its queue with a few bytes for each message, as that
 * may be long and is written often.
 */
export function encodeSession(record: SessionRecord): Uint8Array {
  const head = Buffer.from(JSON.stringify(headOf(record)), 'utf8');
  let bytes = LENGTH_BYTES + head.length;
  for (const { subscriptionIds } of record.queue) {
    bytes += ITEM_BYTES + ID_BYTES * Math.min(IDS_MAX, subscriptionIds.length);
  }
  const target = Buffer.alloc(bytes);
  target.writeUInt32BE(head.length, 0);
  head.copy(target, LENGTH_BYTES);
  let at = LENGTH_BYTES + head.length;
  for (const item of record.queue) at = writeItem(target, at, item);
  return target;
}

/**
 * Reads what {@link encodeSession} wrote.
 * @throws Error when it is something else: a sealed record that opens was written by us.
 */
export function decodeSession(bytes: Uint8Array): SessionRecord {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headEnd = LENGTH_BYTES + source.readUInt32BE(0);
  const head = HeadSchema.parse(JSON.parse(source.toString('utf8', LENGTH_BYTES, headEnd)));
  const queue: QueuedMessage[] = [];
  for (let at = headEnd; at < source.length;) {
    const item = readItem(source, at);
    queue.push(item);
    at += ITEM_BYTES + ID_BYTES * item.subscriptionIds.length;
  }
  return {
    expiryS: head.expiryS,
    endsAtMs: head.endsAtMs ?? undefined,
    subscriptions: head.subscriptions.map(
      ([filter, qos, noLocal, retainAsPublished, subscriptionId]) => [
        filter,
        { qos, noLocal, retainAsPublished, subscriptionId: subscriptionId ?? undefined },
      ],
    ),
    receivedIds: head.receivedIds,
    queue,
    lastIndex: head.lastIndex,
  };
}

function headOf(record: SessionRecord): z.input<typeof HeadSchema> {
  return {
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
    lastIndex: record.lastIndex,
  };
}

function writeItem(target: Buffer, start: number, item: QueuedMessage): number {
  const ids = item.subscriptionIds.slice(0, IDS_MAX);
  const flags =
    (item.qos === 2 ? FLAG.qos2 : 0) |
    (item.retain ? FLAG.retain : 0) |
    (item.isReleased ? FLAG.released : 0);
  let at = target.writeUIntBE(item.index, start, 6);
  at = target.writeUInt32BE(item.keyRef, at);
  at = target.writeUInt8(flags, at);
  at = target.writeUInt16BE(item.packetId, at);
  at = target.writeUIntBE(Number.isFinite(item.expiresAtMs) ? item.expiresAtMs : 0, at, 6);
  at = target.writeUInt32BE(item.bytes, at);
  at = target.writeUInt8(ids.length, at);
  for (const id of ids) at = target.writeUInt32BE(id, at);
  return at;
}

function readItem(source: Buffer, at: number): QueuedMessage {
  const flags = source.readUInt8(at + 10);
  const expiresAtMs = source.readUIntBE(at + 13, 6);
  const idCount = source.readUInt8(at + 23);
  return {
    index: source.readUIntBE(at, 6),
    keyRef: source.readUInt32BE(at + 6),
    qos: (flags & FLAG.qos2) === 0 ? 1 : 2,
    retain: (flags & FLAG.retain) !== 0,
    isReleased: (flags & FLAG.released) !== 0,
    packetId: source.readUInt16BE(at + 11),
    expiresAtMs: expiresAtMs === 0 ? Number.POSITIVE_INFINITY : expiresAtMs,
    bytes: source.readUInt32BE(at + 19),
    subscriptionIds: Array.from({ length: idCount }, (_, n) =>
      source.readUInt32BE(at + ITEM_BYTES + n * ID_BYTES),
    ),
  };
}
