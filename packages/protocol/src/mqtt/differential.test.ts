// Goal: our reading of the standard is not ours alone. Method: for random packets of both
// versions, mqtt-packet reads what we wrote, and we read what it wrote, to the same content. Where
// it is wrong, the packet is left out, and a test of its own shows that it still is.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { PacketRefusal } from './packet-refusal.ts';
import type { UserProperty } from './packets.ts';
import { clientPacket, serverPacket } from './random-packets.ts';
import { type EncodablePacket, type Sender, decodeOne, encodePacket } from './test-support.ts';

type Level = 4 | 5;
type Fields = Record<string, unknown>;

/** Names of the properties there, by our names. */
const PROPERTY_NAMES: Readonly<Record<string, string>> = {
  payloadFormat: 'payloadFormatIndicator',
  messageExpiryS: 'messageExpiryInterval',
  contentType: 'contentType',
  responseTopic: 'responseTopic',
  correlationData: 'correlationData',
  subscriptionId: 'subscriptionIdentifier',
  subscriptionIds: 'subscriptionIdentifier',
  sessionExpiryS: 'sessionExpiryInterval',
  assignedClientId: 'assignedClientIdentifier',
  serverKeepAliveS: 'serverKeepAlive',
  authMethod: 'authenticationMethod',
  authData: 'authenticationData',
  requestProblemInformation: 'requestProblemInformation',
  delayS: 'willDelayInterval',
  requestResponseInformation: 'requestResponseInformation',
  responseInformation: 'responseInformation',
  serverReference: 'serverReference',
  reasonString: 'reasonString',
  receiveMax: 'receiveMaximum',
  topicAliasMax: 'topicAliasMaximum',
  topicAlias: 'topicAlias',
  qosMax: 'maximumQoS',
  isRetainAvailable: 'retainAvailable',
  userProperties: 'userProperties',
  packetBytesMax: 'maximumPacketSize',
  isWildcardAvailable: 'wildcardSubscriptionAvailable',
  isSubscriptionIdAvailable: 'subscriptionIdentifiersAvailable',
  isSharedAvailable: 'sharedSubscriptionAvailable',
};

/** It keeps user properties by name, so that their order among each other is not compared. */
function groupPairs(pairs: readonly UserProperty[]): Fields {
  const groups: Record<string, string | string[]> = Object.create(null) as Record<string, string>;
  for (const [name, value] of pairs) {
    const before = groups[name];
    if (before === undefined) groups[name] = value;
    else groups[name] = [...(Array.isArray(before) ? before : [before]), value];
  }
  return groups;
}

function foreignProperties(properties: object): { properties?: Fields } {
  const fields: Fields = {};
  for (const [name, value] of Object.entries(properties) as [string, unknown][]) {
    const foreign = PROPERTY_NAMES[name] ?? assert.fail(name);
    if (name === 'userProperties') fields[foreign] = groupPairs(value as UserProperty[]);
    else if (name === 'payloadFormat') fields[foreign] = value === 1;
    else if (value instanceof Uint8Array) fields[foreign] = Buffer.from(value);
    else if (name === 'subscriptionIds') fields[foreign] = one(value as number[]);
    else fields[foreign] = value;
  }
  return Object.keys(fields).length === 0 ? {} : { properties: fields };
}

/** It gives one subscription identifier as a number, and more as a list. */
function one(ids: readonly number[]): number | readonly number[] {
  return ids.length === 1 ? (ids[0] ?? 0) : ids;
}

/** A packet as mqtt-packet has it. */
function toForeign(packet: EncodablePacket, level: Level): Fields {
  switch (packet.type) {
    case 'connect': {
      const { will, userName, password } = packet;
      return {
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: packet.protocolLevel,
        clean: packet.cleanStart,
        clientId: packet.clientId,
        keepalive: packet.keepAliveS,
        ...(userName === undefined ? {} : { username: userName }),
        ...(password === undefined ? {} : { password: Buffer.from(password) }),
        ...(will === undefined
          ? {}
          : {
              will: {
                topic: will.topic,
                payload: Buffer.from(will.payload),
                qos: will.qos,
                retain: will.retain,
                ...foreignProperties(will.properties),
              },
            }),
        ...foreignProperties(packet.properties),
      };
    }
    case 'connack': {
      const code = level === 5 ? 'reasonCode' : 'returnCode';
      return {
        cmd: 'connack',
        sessionPresent: packet.sessionPresent,
        [code]: packet.reasonCode,
        ...foreignProperties(packet.properties),
      };
    }
    case 'publish':
      return {
        cmd: 'publish',
        qos: packet.qos,
        dup: packet.dup,
        retain: packet.retain,
        topic: packet.topic,
        payload: Buffer.from(packet.payload),
        ...(packet.packetId === undefined ? {} : { messageId: packet.packetId }),
        ...foreignProperties(packet.properties),
      };
    case 'subscribe':
      return {
        cmd: 'subscribe',
        messageId: packet.packetId,
        subscriptions: packet.subscriptions.map((line) => ({
          topic: line.filter,
          qos: line.qos,
          ...(level === 5
            ? { nl: line.noLocal, rap: line.retainAsPublished, rh: line.retainHandling }
            : {}),
        })),
        ...foreignProperties(packet.properties),
      };
    case 'unsubscribe': {
      const { userProperties } = packet;
      return {
        cmd: 'unsubscribe',
        messageId: packet.packetId,
        unsubscriptions: [...packet.filters],
        ...foreignProperties(userProperties.length === 0 ? {} : { userProperties }),
      };
    }
    case 'suback':
    case 'unsuback':
      return {
        cmd: packet.type,
        messageId: packet.packetId,
        ...(packet.type === 'suback' || level === 5 ? { granted: [...packet.reasonCodes] } : {}),
        ...foreignProperties(packet.properties),
      };
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return {
        cmd: packet.type,
        messageId: packet.packetId,
        ...(level === 5 ? { reasonCode: packet.reasonCode } : {}),
        ...foreignProperties(packet.properties),
      };
    case 'disconnect':
    case 'auth':
      return {
        cmd: packet.type,
        ...(level === 5 ? { reasonCode: packet.reasonCode } : {}),
        ...foreignProperties(packet.properties),
      };
    case 'pingreq':
    case 'pingresp':
      return { cmd: packet.type };
  }
}

/** What mqtt-packet reads, without what it adds to every packet. */
function parseForeign(bytes: Uint8Array, level: Level): Fields {
  const parser = mqttPacket.parser({ protocolVersion: level });
  const packets: Fields[] = [];
  parser.on('packet', (packet) => packets.push({ ...packet }));
  parser.on('error', (error) => {
    throw error;
  });
  parser.parse(Buffer.from(bytes));
  const [packet] = packets;
  assert.ok(packet !== undefined && packets.length === 1, `${packets.length} packets`);
  const { length: _length, qos, dup, retain, topic, payload, ...rest } = packet;
  return rest['cmd'] === 'publish' ? { ...rest, qos, dup, retain, topic, payload } : rest;
}

function readsOurs(packet: EncodablePacket, level: Level): void {
  const bytes = encodePacket(packet, level);
  assert.deepEqual(parseForeign(bytes, level), toForeign(packet, level));
}

function readTheirs(packet: EncodablePacket, sender: Sender, level: Level): void {
  const foreign = toForeign(packet, level) as unknown as mqttPacket.Packet;
  const bytes = mqttPacket.generate(foreign, { protocolVersion: level });
  const decoded = decodeOne(sender, bytes, level);
  if (decoded instanceof PacketRefusal) assert.fail(decoded.detail);
  assert.ok(decoded.type !== 'connectUnsupported');
  assert.deepEqual(toForeign(decoded, level), toForeign(packet, level));
}

/** Where mqtt-packet 9.0.2 is wrong: which packets, and one of them. */
interface Defect {
  readonly what: string;
  readonly concerns: (packet: EncodablePacket) => boolean;
  readonly example: EncodablePacket;
}

const READS_WRONG: readonly Defect[] = [
  {
    what: 'refuses a DISCONNECT with reason code 0x8C (MQTT 5 §2.4, table 2-6)',
    concerns: (packet) => packet.type === 'disconnect' && packet.reasonCode === 0x8c,
    example: { type: 'disconnect', reasonCode: 0x8c, properties: {} },
  },
  {
    what: 'loses an empty value of a user property whose name repeats',
    concerns: (packet) => pairsOf(packet).some((pairs) => hasLostValue(pairs)),
    example: {
      type: 'disconnect',
      reasonCode: 4,
      properties: {
        userProperties: [
          ['a', ''],
          ['a', 'b'],
        ],
      },
    },
  },
];

const PLAIN_CONNECT = {
  type: 'connect',
  protocolLevel: 5,
  clientId: 'c',
  cleanStart: false,
  keepAliveS: 0,
  will: undefined,
  userName: undefined,
  password: undefined,
  properties: {},
} as const;

const WRITES_WRONG: readonly Defect[] = [
  {
    what: 'refuses a password without a user name (MQTT 5 §3.1.2.9)',
    concerns: (packet) =>
      packet.type === 'connect' && packet.password !== undefined && packet.userName === undefined,
    example: { ...PLAIN_CONNECT, password: Uint8Array.of(1) },
  },
  {
    what: 'refuses an empty client id without a clean start (MQTT 5 [MQTT-3.1.3-6])',
    concerns: (packet) => packet.type === 'connect' && packet.clientId === '' && !packet.cleanStart,
    example: { ...PLAIN_CONNECT, clientId: '' },
  },
];

function pairsOf(packet: EncodablePacket): (readonly UserProperty[])[] {
  if (packet.type === 'pingreq' || packet.type === 'pingresp') return [];
  if (packet.type === 'unsubscribe') return [packet.userProperties];
  const will = packet.type === 'connect' ? packet.will?.properties.userProperties : undefined;
  return [packet.properties.userProperties ?? [], will ?? []];
}

function hasLostValue(pairs: readonly UserProperty[]): boolean {
  return pairs.some(
    ([name, value], i) => value === '' && pairs.some((pair, j) => j > i && pair[0] === name),
  );
}

function without(
  packets: fc.Arbitrary<EncodablePacket>,
  defects: readonly Defect[],
): fc.Arbitrary<EncodablePacket> {
  return packets.filter((packet) => !defects.some(({ concerns }) => concerns(packet)));
}

const SENDERS = [
  ['client', clientPacket],
  ['server', serverPacket],
] as const;

describe('mqtt-packet', () => {
  for (const [sender, packets] of SENDERS) {
    for (const level of [4, 5] as const) {
      test(`reads what we write as a ${sender}, level ${level}`, () => {
        fc.assert(
          fc.property(without(packets(level), READS_WRONG), (packet) => readsOurs(packet, level)),
          { numRuns: 1_000 },
        );
      });
      test(`writes what we read from a ${sender}, level ${level}`, () => {
        fc.assert(
          fc.property(without(packets(level), WRITES_WRONG), (packet) =>
            readTheirs(packet, sender, level),
          ),
          { numRuns: 1_000 },
        );
      });
    }
  }

  for (const { what, concerns, example } of READS_WRONG) {
    test(`still ${what}`, () => {
      assert.ok(concerns(example));
      assert.throws(() => readsOurs(example, 5));
    });
  }

  for (const { what, concerns, example } of WRITES_WRONG) {
    test(`still ${what}`, () => {
      assert.ok(concerns(example));
      assert.throws(() => readTheirs(example, 'client', 5));
    });
  }
});
