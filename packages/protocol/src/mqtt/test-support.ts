/** Packets by hand, frames, and encoding of whatever was decoded, for the tests of the codec. @module */
import assert from 'node:assert/strict';
import { decodeFromClient, decodeFromServer } from './decode.ts';
import { encodeConnack, encodeConnect } from './encode-connect.ts';
import { encodePublish } from './encode-publish.ts';
import * as encode from './encode.ts';
import { encodeForwarded } from './forwarded.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { PacketRefusal } from './packet-refusal.ts';
import type {
  ClientPacket,
  ConnectUnsupported,
  ProtocolLevel,
  Publish,
  ServerPacket,
} from './packets.ts';

/** A packet that has an encoding here. */
export type EncodablePacket = Exclude<ClientPacket, ConnectUnsupported> | ServerPacket;
/** Who sent a packet. */
export type Sender = 'client' | 'server';

/** Builds a frame: a number is a byte, a text is a field with its length, bytes are themselves. */
export function frame(first: number, ...parts: readonly (number | string | Uint8Array)[]): Buffer {
  const body = bytesOf(...parts);
  return Buffer.concat([Buffer.of(first), variable(body.length), body]);
}

/** The properties of a packet, with their length before them. */
export function properties(...parts: readonly (number | string | Uint8Array)[]): Buffer {
  const body = bytesOf(...parts);
  return Buffer.concat([variable(body.length), body]);
}

/** A field of any bytes, with its length before it. */
export function field(data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(data.length >> 8, data.length & 0xff), data]);
}

/** A variable byte integer. MQTT 5 §1.5.5 */
export function variable(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    rest >>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** Decodes the only frame of some bytes. */
export function decodeOne(
  sender: Sender,
  bytes: Uint8Array,
  level: ProtocolLevel = 4,
): ClientPacket | ServerPacket | PacketRefusal {
  const splitter = new FrameSplitter({ packetBytesMax: 1_000_000 });
  splitter.requiresMinimalLength = level === 5;
  splitter.push(bytes);
  const found = splitter.next();
  if (found instanceof PacketRefusal) return found;
  assert.equal(found, true, 'no whole frame');
  const decode = sender === 'client' ? decodeFromClient : decodeFromServer;
  const packet = decode(splitter.first, splitter.buf, splitter.start, splitter.end, level);
  assert.equal(splitter.next(), false, 'more than one frame');
  return packet;
}

/** Encodes whatever the decoder gave. */
export function encodePacket(packet: EncodablePacket, level: ProtocolLevel): Uint8Array {
  switch (packet.type) {
    case 'connect':
      return encodeConnect(packet);
    case 'connack':
      return encodeConnack(packet, level);
    case 'publish':
      return encodePublishPacket(packet, level);
    case 'puback':
      return encode.encodePuback(packet.packetId, packet.reasonCode, packet.properties);
    case 'pubrec':
      return encode.encodePubrec(packet.packetId, packet.reasonCode, packet.properties);
    case 'pubrel':
      return encode.encodePubrel(packet.packetId, packet.reasonCode, packet.properties);
    case 'pubcomp':
      return encode.encodePubcomp(packet.packetId, packet.reasonCode, packet.properties);
    case 'subscribe':
      return encode.encodeSubscribe(packet, level);
    case 'suback':
      return encode.encodeSuback(packet, level);
    case 'unsubscribe':
      return encode.encodeUnsubscribe(packet, level);
    case 'unsuback':
      return encode.encodeUnsuback(packet, level);
    case 'pingreq':
      return encode.encodePingreq();
    case 'pingresp':
      return encode.encodePingresp();
    case 'disconnect':
      return encode.encodeDisconnect(packet);
    case 'auth':
      return encode.encodeAuth(packet);
  }
}

function encodePublishPacket(packet: Publish, level: ProtocolLevel): Uint8Array {
  const { topic, payload, retain, properties } = packet;
  const { messageExpiryS, topicAlias, subscriptionIds = [] } = properties;
  const forwarded = encodeForwarded(properties);
  const hop = { retain, forwarded, messageExpiryS, topicAlias, subscriptionIds };
  if (packet.qos === 0) return encodePublish(topic, payload, { qos: 0, ...hop }, level);
  const { qos, packetId, dup } = packet;
  return encodePublish(topic, payload, { qos, packetId, dup, ...hop }, level);
}

function bytesOf(...parts: readonly (number | string | Uint8Array)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.of(part);
      return typeof part === 'string' ? field(Buffer.from(part)) : part;
    }),
  );
}
