/**
 * Encodes packets. All functions return the bytes of one whole packet, to be written as they are
 * and not transferred to another thread: small packets share their underlying memory.
 *
 * What is encoded was checked before (`checkTopicName`, `checkTopicFilter`): the functions only
 * throw a RangeError for what has no encoding at all, which is a defect of the caller. What the
 * version of a connection does not know is left out.
 * @see MQTT 3.1.1 §3, MQTT 5 §3
 * @module
 */
import { encodeProperties } from './encode-properties.ts';
import {
  type Auth,
  type Disconnect,
  PACKET_TYPE,
  type ProtocolLevel,
  type ReasonProperties,
  type Suback,
  type Subscribe,
  type Subscription,
  type Unsuback,
  type Unsubscribe,
} from './packets.ts';
import { PLACE } from './property-table.ts';
import { encodeUtf8 } from './utf8.ts';
import { Writer } from './writer.ts';

/*
 * The server gives no answer a reason string or a user property: none of them can become too large
 * by one, and nobody gets problem information that is not wanted. MQTT 5 [MQTT-3.1.2-29]
 * MQTT 5 [MQTT-3.2.2-19] [MQTT-3.2.2-20] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2]
 * MQTT 5 [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3]
 * MQTT 5 [MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.11.2-1] [MQTT-3.11.2-2] [MQTT-3.14.2-3]
 * MQTT 5 [MQTT-3.14.2-4] [MQTT-3.15.2-2] [MQTT-3.15.2-3]
 */

/**
 * Encodes PUBACK, the answer to a PUBLISH with QoS 1. With reason code 0 and no properties it has
 * the short form that all versions share; anything else only MQTT 5 knows.
 */
export function encodePuback(
  packetId: number,
  reasonCode = 0,
  properties?: ReasonProperties,
): Uint8Array {
  return encodeAck(PACKET_TYPE.puback << 4, packetId, reasonCode, properties);
}

/** Encodes PUBREC, the first answer to a PUBLISH with QoS 2. Otherwise as {@link encodePuback}. */
export function encodePubrec(
  packetId: number,
  reasonCode = 0,
  properties?: ReasonProperties,
): Uint8Array {
  return encodeAck(PACKET_TYPE.pubrec << 4, packetId, reasonCode, properties);
}

/** Encodes PUBREL, the answer to PUBREC. Otherwise as {@link encodePuback}. [MQTT-3.6.1-1] */
export function encodePubrel(
  packetId: number,
  reasonCode = 0,
  properties?: ReasonProperties,
): Uint8Array {
  return encodeAck((PACKET_TYPE.pubrel << 4) | 0b0010, packetId, reasonCode, properties);
}

/** Encodes PUBCOMP, the answer to PUBREL. Otherwise as {@link encodePuback}. */
export function encodePubcomp(
  packetId: number,
  reasonCode = 0,
  properties?: ReasonProperties,
): Uint8Array {
  return encodeAck(PACKET_TYPE.pubcomp << 4, packetId, reasonCode, properties);
}

/** Encodes SUBSCRIBE. */
export function encodeSubscribe(
  { packetId, subscriptions, properties }: Omit<Subscribe, 'type'>,
  level: ProtocolLevel,
): Uint8Array {
  const fields = subscriptions.map(({ filter }) => encodeUtf8(filter));
  const propertyBytes = level === 5 ? encodeProperties(properties, PLACE.subscribe) : EMPTY;
  const bytes = fields.reduce((sum, field) => sum + 3 + field.length, 2 + propertyBytes.length);
  const writer = new Writer((PACKET_TYPE.subscribe << 4) | 0b0010, bytes);
  writer.packetId(packetId);
  writer.raw(propertyBytes);
  for (const [i, subscription] of subscriptions.entries()) {
    writer.field(fields[i] ?? EMPTY);
    writer.byte(level === 5 ? optionsOf(subscription) : subscription.qos);
  }
  return writer.bytes;
}

/** Encodes SUBACK. */
export function encodeSuback(
  { packetId, reasonCodes, properties }: Omit<Suback, 'type'>,
  level: ProtocolLevel,
): Uint8Array {
  const propertyBytes = level === 5 ? encodeProperties(properties, PLACE.ack) : EMPTY;
  const bytes = 2 + propertyBytes.length + reasonCodes.length;
  const writer = new Writer(PACKET_TYPE.suback << 4, bytes);
  writer.packetId(packetId);
  writer.raw(propertyBytes);
  for (const code of reasonCodes) writer.byte(code);
  return writer.bytes;
}

/** Encodes UNSUBSCRIBE. */
export function encodeUnsubscribe(
  { packetId, filters, userProperties }: Omit<Unsubscribe, 'type'>,
  level: ProtocolLevel,
): Uint8Array {
  const fields = filters.map(encodeUtf8);
  const propertyBytes =
    level === 5 ? encodeProperties({ userProperties }, PLACE.unsubscribe) : EMPTY;
  const bytes = fields.reduce((sum, field) => sum + 2 + field.length, 2 + propertyBytes.length);
  const writer = new Writer((PACKET_TYPE.unsubscribe << 4) | 0b0010, bytes);
  writer.packetId(packetId);
  writer.raw(propertyBytes);
  for (const field of fields) writer.field(field);
  return writer.bytes;
}

/** Encodes UNSUBACK. */
export function encodeUnsuback(
  { packetId, reasonCodes, properties }: Omit<Unsuback, 'type'>,
  level: ProtocolLevel,
): Uint8Array {
  const propertyBytes = level === 5 ? encodeProperties(properties, PLACE.ack) : EMPTY;
  const codes = level === 5 ? reasonCodes : [];
  const writer = new Writer(PACKET_TYPE.unsuback << 4, 2 + propertyBytes.length + codes.length);
  writer.packetId(packetId);
  writer.raw(propertyBytes);
  for (const code of codes) writer.byte(code);
  return writer.bytes;
}

/** Encodes PINGREQ. */
export function encodePingreq(): Uint8Array {
  return new Writer(PACKET_TYPE.pingreq << 4, 0).bytes;
}

/** Encodes PINGRESP. */
export function encodePingresp(): Uint8Array {
  return new Writer(PACKET_TYPE.pingresp << 4, 0).bytes;
}

/**
 * Encodes DISCONNECT. Without a reason, or with reason code 0 and no properties, it has the two
 * bytes that all versions share; in MQTT 3.1.1 only a client sends it.
 */
export function encodeDisconnect(disconnect: Partial<Omit<Disconnect, 'type'>> = {}): Uint8Array {
  const { reasonCode = 0, properties = {} } = disconnect;
  return encodeReason(PACKET_TYPE.disconnect << 4, {
    reasonCode,
    // A server never gives a session expiry. [MQTT-3.14.2-2]
    propertyBytes: encodeProperties(properties, PLACE.disconnectFromClient),
  });
}

/** Encodes AUTH, which only MQTT 5 has. */
export function encodeAuth({ reasonCode, properties }: Omit<Auth, 'type'>): Uint8Array {
  const propertyBytes = encodeProperties(properties, PLACE.auth);
  return encodeReason(PACKET_TYPE.auth << 4, { reasonCode, propertyBytes });
}

function encodeAck(
  first: number,
  packetId: number,
  reasonCode: number,
  properties: ReasonProperties | undefined,
): Uint8Array {
  const propertyBytes =
    properties === undefined ? NO_PROPERTIES_BYTES : encodeProperties(properties, PLACE.ack);
  const hasProperties = propertyBytes.length > 1;
  const hasReason = hasProperties || reasonCode !== 0;
  const tailBytes = hasProperties ? propertyBytes.length : 0;
  const writer = new Writer(first, 2 + (hasReason ? 1 : 0) + tailBytes);
  writer.packetId(packetId);
  if (hasReason) writer.byte(reasonCode);
  if (hasProperties) writer.raw(propertyBytes);
  return writer.bytes;
}

function encodeReason(
  first: number,
  {
    reasonCode,
    propertyBytes,
  }: { readonly reasonCode: number; readonly propertyBytes: Uint8Array },
): Uint8Array {
  const hasProperties = propertyBytes.length > 1;
  if (reasonCode === 0 && !hasProperties) return new Writer(first, 0).bytes;
  // Without properties their length may be left out. MQTT 5 §3.14.2.2.1
  const writer = new Writer(first, hasProperties ? 1 + propertyBytes.length : 1);
  writer.byte(reasonCode);
  if (hasProperties) writer.raw(propertyBytes);
  return writer.bytes;
}

/** Subscription options. MQTT 5 §3.8.3.1 */
function optionsOf(subscription: Subscription): number {
  const { qos, noLocal, retainAsPublished, retainHandling } = subscription;
  return qos | (noLocal ? 0b100 : 0) | (retainAsPublished ? 0b1000 : 0) | (retainHandling << 4);
}

const EMPTY = new Uint8Array(0);
const NO_PROPERTIES_BYTES = Uint8Array.of(0);
