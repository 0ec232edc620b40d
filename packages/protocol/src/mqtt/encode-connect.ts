/** Encodes CONNECT and CONNACK. @module */
import { encodeProperties } from './encode-properties.ts';
import { type Connack, type Connect, PACKET_TYPE, type ProtocolLevel } from './packets.ts';
import { PLACE } from './property-table.ts';
import { REASON } from './reason-codes.ts';
import { encodeUtf8 } from './utf8.ts';
import { Writer } from './writer.ts';

/** Encodes CONNECT. @see MQTT 3.1.1 §3.1, MQTT 5 §3.1 */
export function encodeConnect(connect: Omit<Connect, 'type'>): Uint8Array {
  const { will, protocolLevel, properties } = connect;
  const isV5 = protocolLevel === 5;
  const protocolName = encodeUtf8(protocolLevel === 3 ? 'MQIsdp' : 'MQTT');
  const connectProperties = isV5 ? encodeProperties(properties, PLACE.connect) : EMPTY;
  const willProperties =
    isV5 && will !== undefined ? encodeProperties(will.properties, PLACE.will) : EMPTY;
  const clientId = encodeUtf8(connect.clientId);
  const fields: Uint8Array[] = [];
  if (will !== undefined) fields.push(encodeUtf8(will.topic), will.payload);
  if (connect.userName !== undefined) fields.push(encodeUtf8(connect.userName));
  if (connect.password !== undefined) fields.push(connect.password);

  const fixedBytes = 2 + protocolName.length + 1 + 1 + 2 + 2 + clientId.length;
  const bytes = fields.reduce(
    (sum, field) => sum + 2 + field.length,
    fixedBytes + connectProperties.length + willProperties.length,
  );
  const writer = new Writer(PACKET_TYPE.connect << 4, bytes);
  writer.field(protocolName);
  writer.byte(protocolLevel);
  writer.byte(connectFlags(connect));
  writer.uint16(connect.keepAliveS);
  writer.raw(connectProperties);
  writer.field(clientId);
  writer.raw(willProperties);
  for (const field of fields) writer.field(field);
  return writer.bytes;
}

/** Encodes CONNACK. @see MQTT 3.1.1 §3.2, MQTT 5 §3.2 */
export function encodeConnack(connack: Omit<Connack, 'type'>, level: ProtocolLevel): Uint8Array {
  const properties = level === 5 ? encodeProperties(connack.properties, PLACE.connack) : EMPTY;
  const writer = new Writer(PACKET_TYPE.connack << 4, 2 + properties.length);
  writer.byte(connack.sessionPresent ? 1 : 0);
  writer.byte(connack.reasonCode);
  writer.raw(properties);
  return writer.bytes;
}

/**
 * Encodes the CONNACK that tells a client its version is not spoken here: in the form of MQTT 5,
 * whatever the version is, as the client asked for none that we know. MQTT 5 [MQTT-3.1.2-2]
 */
export function encodeConnackUnsupported(): Uint8Array {
  const reasonCode = REASON.unsupportedProtocolVersion;
  return encodeConnack({ sessionPresent: false, reasonCode, properties: {} }, 5);
}

/** Connect flags. MQTT 3.1.1 §3.1.2.3, MQTT 5 §3.1.2.3 */
function connectFlags(connect: Omit<Connect, 'type'>): number {
  const { will, userName, password, protocolLevel } = connect;
  if (protocolLevel !== 5 && password !== undefined && userName === undefined) {
    throw new RangeError('a password without a user name (MQTT 3.1.1 [MQTT-3.1.2-22])');
  }
  let flags = connect.cleanStart ? 0x02 : 0;
  if (will !== undefined) flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0);
  if (password !== undefined) flags |= 0x40;
  if (userName !== undefined) flags |= 0x80;
  return flags;
}

const EMPTY = new Uint8Array(0);
