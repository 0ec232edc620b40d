/** Packets at random, of every type and version, for the tests of the codec. @module */
import * as fc from 'fast-check';
import type {
  AuthenticationProperties,
  ConnackProperties,
  ConnectProperties,
  MessageProperties,
  ProtocolLevel,
  PublishProperties,
  ReasonProperties,
  SubscribeProperties,
  Subscription,
  WillProperties,
} from './packets.ts';
import {
  ACK_REASONS,
  CONNACK_REASONS,
  CLIENT_DISCONNECT_REASONS,
  SERVER_DISCONNECT_REASONS,
  SUBACK_REASONS,
  UNSUBACK_REASONS,
} from './reason-sets.ts';
import type { EncodablePacket } from './test-support.ts';

type Level45 = Exclude<ProtocolLevel, 3>;
type Model<T> = { [K in keyof T]-?: fc.Arbitrary<Exclude<T[K], undefined>> };

/** Any packet of a client. */
export function clientPacket(level: ProtocolLevel): fc.Arbitrary<EncodablePacket> {
  const isV5 = level === 5;
  const common = [
    ...bothWays(level, {}),
    connect(level),
    subscribe(level),
    record({
      type: is('unsubscribe'),
      packetId,
      filters: fc.array(filter, { minLength: 1, maxLength: 5 }),
      userProperties: isV5 ? fc.oneof(fc.constant([]), pairs) : fc.constant([]),
    }),
    record({ type: is('pingreq') }),
    disconnect(level, 'client'),
  ];
  return isV5 ? fc.oneof(...common, auth('client')) : fc.oneof(...common);
}

/** Any packet of a server. */
export function serverPacket(level: ProtocolLevel): fc.Arbitrary<EncodablePacket> {
  const isV5 = level === 5;
  const ids = fc.array(subscriptionId, { minLength: 1, maxLength: 3 });
  const subackReasons = isV5 ? [...SUBACK_REASONS] : [0, 1, 2, 0x80];
  const common = [
    ...bothWays(level, { subscriptionIds: ids }),
    connack(level),
    record({
      type: is('suback'),
      packetId,
      reasonCodes: fc.array(fc.constantFrom(...subackReasons), { minLength: 1, maxLength: 9 }),
      properties: isV5 ? reasonProperties : none,
    }),
    record({
      type: is('unsuback'),
      packetId,
      reasonCodes: isV5
        ? fc.array(fc.constantFrom(...UNSUBACK_REASONS), { minLength: 1, maxLength: 9 })
        : fc.constant([]),
      properties: isV5 ? reasonProperties : none,
    }),
    record({ type: is('pingresp') }),
  ];
  return isV5
    ? fc.oneof(...common, disconnect(level, 'server'), auth('server'))
    : fc.oneof(...common);
}

const UNFIT = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;
/** A text that a packet may hold. */
const text = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((value) => value.isWellFormed() && !UNFIT.test(value));
const name = text.map((value) => value.replaceAll(/[+#/]/gu, ''));
const levels = fc.array(name, { minLength: 1, maxLength: 5 });
const topic = levels.map((parts) => parts.join('/')).filter((value) => value !== '');
const plainFilter = fc
  .tuple(fc.array(fc.oneof(name, fc.constant('+')), { maxLength: 5 }), fc.constantFrom('#', '+'))
  .map(([parts, last]) => [...parts, last].join('/'));
const sharedFilter = fc
  .tuple(
    name.filter((value) => value !== ''),
    plainFilter,
  )
  .map(([group, rest]) => `$share/${group}/${rest}`);
const filter = fc.oneof({ weight: 4, arbitrary: plainFilter }, sharedFilter);
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const flag = fc.constantFrom(0 as const, 1 as const);
const packetId = fc.integer({ min: 1, max: 0xffff });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const subscriptionId = fc.integer({ min: 1, max: 268_435_455 });
const data = fc.uint8Array({ maxLength: 300 });
const pairs = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 });
const none = fc.constant({});
const is = <T extends string>(type: T): fc.Arbitrary<T> => fc.constant(type);
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true });
/** Any of the properties, or none. */
const some = <T>(model: Model<T>): fc.Arbitrary<Partial<T>> =>
  fc.record(model, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<T>>;
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const message: Model<MessageProperties> = {
  payloadFormat: flag,
  messageExpiryS: uint32,
  contentType: text,
  responseTopic: topic,
  correlationData: data,
  userProperties: pairs,
};
/** The properties of any message. */
export const messageProperties = some<MessageProperties>(message);
const reason: Model<ReasonProperties> = { reasonString: text, userProperties: pairs };
const reasonProperties = some<ReasonProperties>(reason);
const authentication: Model<AuthenticationProperties> = { authMethod: text, authData: data };
/** Authentication data never comes without a method. */
const withMethod = <T extends AuthenticationProperties>(arbitrary: fc.Arbitrary<T>) =>
  arbitrary.map(({ authData, ...rest }) =>
    authData !== undefined && rest.authMethod !== undefined ? { ...rest, authData } : rest,
  );
const connectProperties = withMethod(
  some<ConnectProperties>({
    ...authentication,
    sessionExpiryS: uint32,
    receiveMax: packetId,
    packetBytesMax: fc.integer({ min: 1, max: 0xffff_ffff }),
    topicAliasMax: uint16,
    requestResponseInformation: fc.boolean(),
    requestProblemInformation: fc.boolean(),
    userProperties: pairs,
  }),
);
const connackProperties = withMethod(
  some<ConnackProperties>({
    ...authentication,
    ...reason,
    sessionExpiryS: uint32,
    receiveMax: packetId,
    qosMax: flag,
    isRetainAvailable: fc.boolean(),
    packetBytesMax: fc.integer({ min: 1, max: 0xffff_ffff }),
    assignedClientId: text,
    topicAliasMax: uint16,
    isWildcardAvailable: fc.boolean(),
    isSubscriptionIdAvailable: fc.boolean(),
    isSharedAvailable: fc.boolean(),
    serverKeepAliveS: uint16,
    responseInformation: text,
    serverReference: text,
  }),
);

function connect(level: ProtocolLevel): fc.Arbitrary<EncodablePacket> {
  const willProperties = some<WillProperties>({ ...message, delayS: uint32 });
  const will = record({
    topic,
    payload: data,
    qos,
    retain: fc.boolean(),
    properties: level === 5 ? willProperties : none,
  });
  return fc
    .tuple(
      record({
        type: is('connect'),
        protocolLevel: fc.constant(level),
        clientId: text,
        cleanStart: fc.boolean(),
        keepAliveS: uint16,
        will: optional(will),
        properties: level === 5 ? connectProperties : none,
      }),
      optional(text),
      optional(data),
    )
    .map(([packet, userName, password]) => {
      // MQTT 3.1.1 knows no password without a user name.
      const mayHavePassword = level === 5 || userName !== undefined;
      return Object.assign(packet, { userName, password: mayHavePassword ? password : undefined });
    });
}

function connack(level: ProtocolLevel): fc.Arbitrary<EncodablePacket> {
  const properties = level === 5 ? connackProperties : none;
  const reasons = level === 5 ? [...CONNACK_REASONS] : [0, 1, 2, 3, 4, 5];
  return fc.oneof(
    record({
      type: is('connack'),
      sessionPresent: fc.boolean(),
      reasonCode: fc.constant(0),
      properties,
    }),
    record({
      type: is('connack'),
      sessionPresent: fc.constant(false),
      reasonCode: fc.constantFrom(...reasons),
      properties,
    }),
  );
}

function subscribe(level: ProtocolLevel): fc.Arbitrary<EncodablePacket> {
  const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const plain = record({ filter, qos }).map((line) => Object.assign(line, options));
  const full = record<Subscription>({
    filter,
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: qos,
  }).map((line) =>
    Object.assign(line, { noLocal: line.noLocal && !line.filter.startsWith('$share/') }),
  );
  const properties = some<SubscribeProperties>({ subscriptionId, userProperties: pairs });
  return record({
    type: is('subscribe'),
    packetId,
    subscriptions: fc.array(level === 5 ? full : plain, { minLength: 1, maxLength: 5 }),
    properties: level === 5 ? properties : none,
  });
}

function bothWays(
  level: ProtocolLevel,
  more: { subscriptionIds?: fc.Arbitrary<number[]> },
): fc.Arbitrary<EncodablePacket>[] {
  const isV5 = level === 5;
  const properties = isV5
    ? (fc.record(
        { ...message, topicAlias: packetId, ...more },
        { requiredKeys: [], noNullPrototype: true },
      ) as fc.Arbitrary<PublishProperties>)
    : none;
  const fields = { type: is('publish'), payload: data, retain: fc.boolean() };
  const publishes = fc
    .tuple(
      fc.oneof(
        record({
          ...fields,
          qos: fc.constant(0 as const),
          dup: fc.constant(false as const),
          packetId: fc.constant(undefined),
        }),
        record({
          ...fields,
          qos: fc.constantFrom(1 as const, 2 as const),
          dup: fc.boolean(),
          packetId,
        }),
      ),
      properties,
      topic,
      fc.boolean(),
    )
    .map(([packet, properties, topic, isAliased]) =>
      Object.assign(packet, {
        properties,
        topic: isAliased && 'topicAlias' in properties ? '' : topic,
      }),
    );
  const acks = (['puback', 'pubrec', 'pubrel', 'pubcomp'] as const).map((type) =>
    record({
      type: is(type),
      packetId,
      reasonCode: isV5 ? fc.constantFrom(...ACK_REASONS[type]) : fc.constant(0),
      properties: isV5 ? reasonProperties : none,
    }),
  );
  return [publishes, ...acks];
}

function disconnect(
  level: ProtocolLevel,
  sender: 'client' | 'server',
): fc.Arbitrary<EncodablePacket> {
  if (level !== 5) {
    return record({ type: is('disconnect'), reasonCode: fc.constant(0), properties: none });
  }
  const shared = { ...reason, serverReference: text };
  const isClient = sender === 'client';
  return record({
    type: is('disconnect'),
    reasonCode: fc.constantFrom(
      ...(isClient ? CLIENT_DISCONNECT_REASONS : SERVER_DISCONNECT_REASONS),
    ),
    properties: isClient ? some({ ...shared, sessionExpiryS: uint32 }) : some(shared),
  });
}

function auth(sender: 'client' | 'server'): fc.Arbitrary<EncodablePacket> {
  const properties = fc.record(
    { ...authentication, ...reason },
    { requiredKeys: ['authMethod'], noNullPrototype: true },
  );
  return record({
    type: is('auth'),
    reasonCode: sender === 'client' ? fc.constantFrom(0x18, 0x19) : fc.constantFrom(0x00, 0x18),
    properties,
  });
}

/** The versions that differ in more than their name. */
export const LEVELS: readonly Level45[] = [4, 5];
