/**
 * Encodes packets. All functions return the bytes of one whole packet, to be written as they are
 * and not transferred to another thread: small packets share their underlying memory.
 *
 * What is encoded was checked before (`checkTopicName`, `checkTopicFilter`): the functions only
 * throw a RangeError for what has no encoding at all, which is a defect of the caller.
 * @see MQTT 3.1.1 §3
 * @module
 */
import { type Connack, type Connect, PACKET_TYPE } from './packets.ts';
import type { SubackCode, Subscription } from './packets.ts';
import { encodeUtf8 } from './utf8.ts';
import { Writer } from './writer.ts';

/** Encodes CONNECT. @see MQTT 3.1.1 §3.1 */
export function encodeConnect(connect: Omit<Connect, 'type' | 'protocolLevel'>): Uint8Array {
  const { will } = connect;
  const fields = [encodeUtf8(connect.clientId)];
  if (will !== undefined) fields.push(encodeUtf8(will.topic), will.payload);
  if (connect.userName !== undefined) fields.push(encodeUtf8(connect.userName));
  if (connect.password !== undefined) fields.push(connect.password);

  const bytes = fields.reduce((sum, field) => sum + 2 + field.length, HEADER_BYTES);
  const writer = new Writer(PACKET_TYPE.connect << 4, bytes);
  writer.field(encodeUtf8('MQTT'));
  writer.byte(4);
  writer.byte(connectFlags(connect));
  writer.uint16(connect.keepAliveS);
  for (const field of fields) writer.field(field);
  return writer.bytes;
}

/** Encodes CONNACK. @see MQTT 3.1.1 §3.2 */
export function encodeConnack(connack: Omit<Connack, 'type'>): Uint8Array {
  const writer = new Writer(PACKET_TYPE.connack << 4, 2);
  writer.byte(connack.sessionPresent ? 1 : 0);
  writer.byte(connack.returnCode);
  return writer.bytes;
}

/**
 * Encodes the CONNACK that tells a client its version is not spoken here, in the form that the
 * client understands: return code 1, or from level 5 on the reason code 0x84 of MQTT 5.
 * [MQTT-3.1.2-2]
 */
export function encodeConnackUnsupported(protocolLevel: number): Uint8Array {
  if (protocolLevel < 5) return encodeConnack({ sessionPresent: false, returnCode: 1 });
  const writer = new Writer(PACKET_TYPE.connack << 4, 3);
  writer.byte(0);
  writer.byte(0x84);
  writer.byte(0);
  return writer.bytes;
}

/** Encodes PUBACK, the answer to a PUBLISH with QoS 1. */
export function encodePuback(packetId: number): Uint8Array {
  return encodePacketId(PACKET_TYPE.puback << 4, packetId);
}

/** Encodes PUBREC, the first answer to a PUBLISH with QoS 2. */
export function encodePubrec(packetId: number): Uint8Array {
  return encodePacketId(PACKET_TYPE.pubrec << 4, packetId);
}

/** Encodes PUBREL, the answer to PUBREC. [MQTT-3.6.1-1] */
export function encodePubrel(packetId: number): Uint8Array {
  return encodePacketId((PACKET_TYPE.pubrel << 4) | 0b0010, packetId);
}

/** Encodes PUBCOMP, the answer to PUBREL. */
export function encodePubcomp(packetId: number): Uint8Array {
  return encodePacketId(PACKET_TYPE.pubcomp << 4, packetId);
}

/** Encodes SUBSCRIBE. @param subscriptions - One at least. [MQTT-3.8.1-1] */
export function encodeSubscribe(
  packetId: number,
  subscriptions: readonly Subscription[],
): Uint8Array {
  const fields = subscriptions.map(({ filter }) => encodeUtf8(filter));
  const bytes = fields.reduce((sum, field) => sum + 3 + field.length, 2);
  const writer = new Writer((PACKET_TYPE.subscribe << 4) | 0b0010, bytes);
  writer.packetId(packetId);
  for (const [i, field] of fields.entries()) {
    writer.field(field);
    writer.byte(subscriptions[i]?.qos ?? 0);
  }
  return writer.bytes;
}

/** Encodes SUBACK. @param returnCodes - One for each filter, in order. [MQTT-3.9.3-1] */
export function encodeSuback(packetId: number, returnCodes: readonly SubackCode[]): Uint8Array {
  const writer = new Writer(PACKET_TYPE.suback << 4, 2 + returnCodes.length);
  writer.packetId(packetId);
  for (const code of returnCodes) writer.byte(code);
  return writer.bytes;
}

/** Encodes UNSUBSCRIBE. @param filters - One at least. [MQTT-3.10.1-1] */
export function encodeUnsubscribe(packetId: number, filters: readonly string[]): Uint8Array {
  const fields = filters.map(encodeUtf8);
  const bytes = fields.reduce((sum, field) => sum + 2 + field.length, 2);
  const writer = new Writer((PACKET_TYPE.unsubscribe << 4) | 0b0010, bytes);
  writer.packetId(packetId);
  for (const field of fields) writer.field(field);
  return writer.bytes;
}

/** Encodes UNSUBACK. */
export function encodeUnsuback(packetId: number): Uint8Array {
  return encodePacketId(PACKET_TYPE.unsuback << 4, packetId);
}

/** Encodes PINGREQ. */
export function encodePingreq(): Uint8Array {
  return new Writer(PACKET_TYPE.pingreq << 4, 0).bytes;
}

/** Encodes PINGRESP. */
export function encodePingresp(): Uint8Array {
  return new Writer(PACKET_TYPE.pingresp << 4, 0).bytes;
}

/** Encodes DISCONNECT. Only a client sends it in MQTT 3.1.1; a server closes without a word. */
export function encodeDisconnect(): Uint8Array {
  return new Writer(PACKET_TYPE.disconnect << 4, 0).bytes;
}

function encodePacketId(first: number, packetId: number): Uint8Array {
  const writer = new Writer(first, 2);
  writer.packetId(packetId);
  return writer.bytes;
}

/** Connect flags. MQTT 3.1.1 §3.1.2.3 */
function connectFlags(connect: Omit<Connect, 'type' | 'protocolLevel'>): number {
  const { will, userName, password } = connect;
  if (password !== undefined && userName === undefined) {
    throw new RangeError('a password without a user name has no encoding [MQTT-3.1.2-22]');
  }
  let flags = connect.cleanSession ? 0x02 : 0;
  if (will !== undefined) flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0);
  if (password !== undefined) flags |= 0x40;
  if (userName !== undefined) flags |= 0x80;
  return flags;
}

/** Protocol name with its length, protocol level, connect flags and keep-alive. */
const HEADER_BYTES = 2 + 4 + 1 + 1 + 2;
