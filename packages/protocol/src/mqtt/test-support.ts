/** Packets by hand, packets at random, and frames, for the tests of the codec. @module */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { Refusal } from '../refusal.ts';
import { decodeFromClient, decodeFromServer } from './decode.ts';
import { encodePublish } from './encode-publish.ts';
import * as encode from './encode.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { FILTERS_PER_PACKET_MAX } from './limits.ts';
import type { ClientPacket, ConnectUnsupported, ServerPacket } from './packets.ts';

/** A packet that has an encoding here. */
export type EncodablePacket = Exclude<ClientPacket, ConnectUnsupported> | ServerPacket;

/** Builds a frame: a number is a byte, a text is a field with its length, bytes are themselves. */
export function frame(first: number, ...parts: readonly (number | string | Uint8Array)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.of(part);
      return typeof part === 'string' ? field(Buffer.from(part)) : part;
    }),
  );
  const header = [first];
  let rest = body.length;
  do {
    header.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), body]);
}

/** A field of any bytes, with its length before it. */
export function field(data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(data.length >> 8, data.length & 0xff), data]);
}

/** Decodes the only frame of some bytes. */
export function decodeOne(
  from: 'client' | 'server',
  bytes: Uint8Array,
): ClientPacket | ServerPacket | Refusal {
  const splitter = new FrameSplitter({ packetBytesMax: 1_000_000 });
  splitter.push(bytes);
  const found = splitter.next();
  if (found instanceof Refusal) return found;
  assert.equal(found, true, 'no whole frame');
  const decode = from === 'client' ? decodeFromClient : decodeFromServer;
  const packet = decode(splitter.first, splitter.buf, splitter.start, splitter.end);
  assert.equal(splitter.next(), false, 'more than one frame');
  return packet;
}

/** Encodes whatever the decoder gave. */
export function encodePacket(packet: EncodablePacket): Uint8Array {
  switch (packet.type) {
    case 'connect':
      return encode.encodeConnect(packet);
    case 'connack':
      return encode.encodeConnack(packet);
    case 'publish':
      return encodePublish(packet.topic, packet.payload, packet);
    case 'puback':
      return encode.encodePuback(packet.packetId);
    case 'pubrec':
      return encode.encodePubrec(packet.packetId);
    case 'pubrel':
      return encode.encodePubrel(packet.packetId);
    case 'pubcomp':
      return encode.encodePubcomp(packet.packetId);
    case 'subscribe':
      return encode.encodeSubscribe(packet.packetId, packet.subscriptions);
    case 'suback':
      return encode.encodeSuback(packet.packetId, packet.returnCodes);
    case 'unsubscribe':
      return encode.encodeUnsubscribe(packet.packetId, packet.filters);
    case 'unsuback':
      return encode.encodeUnsuback(packet.packetId);
    case 'pingreq':
      return encode.encodePingreq();
    case 'pingresp':
      return encode.encodePingresp();
    case 'disconnect':
      return encode.encodeDisconnect();
  }
}

const UNFIT = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;
const text = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((value) => value.isWellFormed() && !UNFIT.test(value));
const level = text.map((value) => value.replaceAll(/[+#/]/gu, ''));
const levels = fc.array(level, { minLength: 1, maxLength: 5 });
const topic = levels.map((parts) => parts.join('/')).filter((value) => value !== '');
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 5 }), fc.constantFrom('#', '+'))
  .map(([parts, last]) => [...parts, last].join('/'));
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const packetId = fc.integer({ min: 1, max: 65_535 });
const data = fc.uint8Array({ maxLength: 300 });
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const is = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type);

const will = record({ topic, payload: data, qos, retain: fc.boolean() });
const credentials = fc.oneof(
  fc.constant([undefined, undefined] as const),
  fc.tuple(text, optional(data)),
);
const connect = fc
  .tuple(
    record({
      type: is('connect'),
      protocolLevel: fc.constant(4 as const),
      clientId: text,
      cleanSession: fc.boolean(),
      keepAliveS: fc.integer({ min: 0, max: 65_535 }),
      will: optional(will),
    }),
    credentials,
  )
  .map(([packet, [userName, password]]) => Object.assign(packet, { userName, password }));
const publish = fc.oneof(
  record({
    type: is('publish'),
    topic,
    payload: data,
    retain: fc.boolean(),
    qos: fc.constant(0 as const),
    dup: fc.constant(false as const),
    packetId: fc.constant(undefined),
  }),
  record({
    type: is('publish'),
    topic,
    payload: data,
    retain: fc.boolean(),
    qos: fc.constantFrom(1 as const, 2 as const),
    dup: fc.boolean(),
    packetId,
  }),
);
const bothWays = [
  publish,
  record({ type: is('puback'), packetId }),
  record({ type: is('pubrec'), packetId }),
  record({ type: is('pubrel'), packetId }),
  record({ type: is('pubcomp'), packetId }),
];

/** Any packet of a client. */
export const clientPacket: fc.Arbitrary<EncodablePacket> = fc.oneof(
  ...bothWays,
  connect,
  record({
    type: is('subscribe'),
    packetId,
    subscriptions: fc.array(record({ filter, qos }), { minLength: 1, maxLength: 5 }),
  }),
  record({
    type: is('unsubscribe'),
    packetId,
    filters: fc.array(filter, { minLength: 1, maxLength: 5 }),
  }),
  record({ type: is('pingreq') }),
  record({ type: is('disconnect') }),
);

/** Any packet of a server. */
export const serverPacket: fc.Arbitrary<EncodablePacket> = fc.oneof(
  ...bothWays,
  fc.constant({ type: 'connack', sessionPresent: true, returnCode: 0 } as const),
  record({
    type: is('connack'),
    sessionPresent: fc.constant(false),
    returnCode: fc.constantFrom(0, 1, 2, 3, 4, 5),
  }),
  record({
    type: is('suback'),
    packetId,
    returnCodes: fc.array(fc.constantFrom(0, 1, 2, 0x80), {
      minLength: 1,
      maxLength: FILTERS_PER_PACKET_MAX,
      size: 'small',
    }),
  }),
  record({ type: is('unsuback'), packetId }),
  record({ type: is('pingresp') }),
);
