/**
 * The control packets of MQTT 3.1.1 and 5 as types, named and cut as in the standard. One type
 * serves both versions: what only MQTT 5 has is empty or 0 in a packet of 3.1.1.
 * Views (`payload`, `password`, …) point into the bytes they were decoded from: no copy is made.
 * @see MQTT 3.1.1 §2.2.1, §3; MQTT 5 §2.1.2, §3
 * @module
 */

/** Quality of service: at most once, at least once, exactly once. */
export type Qos = 0 | 1 | 2;

/** Protocol level: 3 is MQTT 3.1 (`MQIsdp`), whose packets are those of 3.1.1; 4 is 3.1.1. */
export type ProtocolLevel = 3 | 4 | 5;

/** Number of each packet type: the upper four bits of the first byte. MQTT 5 §2.1.2 */
export const PACKET_TYPE = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const;

/** A name and a value; names may repeat and keep their order. [MQTT-3.3.2-18] */
export type UserProperty = readonly [name: string, value: string];

/** What a message says of itself and every receiver gets unaltered. MQTT 5 §3.3.2.3 */
export interface MessageProperties {
  /** 1 when the payload is UTF-8 text. */
  readonly payloadFormat?: 0 | 1 | undefined;
  /** Life of the message in seconds; after it nobody gets the message any more. */
  readonly messageExpiryS?: number | undefined;
  readonly contentType?: string | undefined;
  /** Topic on which an answer is expected. */
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Uint8Array | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** Properties of a PUBLISH: those of the message, and those of this hop. */
export interface PublishProperties extends MessageProperties {
  readonly topicAlias?: number | undefined;
  /** Which subscriptions of the receiver matched; only from a server. */
  readonly subscriptionIds?: readonly number[] | undefined;
}

/** Properties of a will. */
export interface WillProperties extends MessageProperties {
  /** Seconds between the end of the connection and the will; 0 unless given. */
  readonly delayS?: number | undefined;
}

/** What acknowledgements may tell people; never anything that a program acts on. */
export interface ReasonProperties {
  readonly reasonString?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** Enhanced authentication. MQTT 5 §4.12 */
export interface AuthenticationProperties {
  readonly authMethod?: string | undefined;
  readonly authData?: Uint8Array | undefined;
}

/** Properties of CONNECT. MQTT 5 §3.1.2.11 */
export interface ConnectProperties extends AuthenticationProperties {
  /** Seconds that the session outlives its connection; 0xFFFFFFFF is for ever. */
  readonly sessionExpiryS?: number | undefined;
  /** QoS 1 and 2 messages that the client takes at a time; never 0. */
  readonly receiveMax?: number | undefined;
  /** Largest packet in bytes that the client takes; never 0. */
  readonly packetBytesMax?: number | undefined;
  readonly topicAliasMax?: number | undefined;
  readonly requestResponseInformation?: boolean | undefined;
  /** False forbids reason strings and user properties in most packets. [MQTT-3.1.2-29] */
  readonly requestProblemInformation?: boolean | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** Properties of CONNACK. MQTT 5 §3.2.2.3 */
export interface ConnackProperties extends AuthenticationProperties, ReasonProperties {
  readonly sessionExpiryS?: number | undefined;
  readonly receiveMax?: number | undefined;
  readonly qosMax?: 0 | 1 | undefined;
  readonly isRetainAvailable?: boolean | undefined;
  readonly packetBytesMax?: number | undefined;
  readonly assignedClientId?: string | undefined;
  readonly topicAliasMax?: number | undefined;
  readonly isWildcardAvailable?: boolean | undefined;
  readonly isSubscriptionIdAvailable?: boolean | undefined;
  readonly isSharedAvailable?: boolean | undefined;
  readonly serverKeepAliveS?: number | undefined;
  readonly responseInformation?: string | undefined;
  readonly serverReference?: string | undefined;
}

/** Properties of DISCONNECT. MQTT 5 §3.14.2.2 */
export interface DisconnectProperties extends ReasonProperties {
  readonly sessionExpiryS?: number | undefined;
  readonly serverReference?: string | undefined;
}

/** Properties of SUBSCRIBE. MQTT 5 §3.8.2.1 */
export interface SubscribeProperties {
  /** 1 to 268,435,455. */
  readonly subscriptionId?: number | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** The message that the server publishes when the client goes without a DISCONNECT. */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties: WillProperties;
}

/** CONNECT of a version that this codec speaks. */
export interface Connect {
  readonly type: 'connect';
  readonly protocolLevel: ProtocolLevel;
  /** May be empty: then the server makes one, or refuses. [MQTT-3.1.3-6] [MQTT-3.1.3-8] */
  readonly clientId: string;
  /** Clean session in MQTT 3.1.1. */
  readonly cleanStart: boolean;
  /** Seconds, 0 to 65,535; 0 switches the keep-alive off. */
  readonly keepAliveS: number;
  readonly will: Will | undefined;
  readonly userName: string | undefined;
  /** A secret: never log a whole CONNECT. */
  readonly password: Uint8Array | undefined;
  readonly properties: ConnectProperties;
}

/**
 * CONNECT of a version that this codec does not speak: only as much of it is read as the answer
 * needs, see {@link encodeConnackUnsupported}. [MQTT-3.1.2-2]
 */
export interface ConnectUnsupported {
  readonly type: 'connectUnsupported';
  readonly protocolName: 'MQTT' | 'MQIsdp';
  readonly protocolLevel: number;
}

export interface Connack {
  readonly type: 'connack';
  readonly sessionPresent: boolean;
  /** A reason code of MQTT 5, or a return code (0 to 5) of MQTT 3.1.1. */
  readonly reasonCode: number;
  readonly properties: ConnackProperties;
}

interface PublishFields {
  readonly type: 'publish';
  /** Empty when a topic alias stands for it (MQTT 5). */
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly properties: PublishProperties;
}

/** PUBLISH without acknowledgement. It carries no packet id and is never sent twice. */
export interface PublishQos0 extends PublishFields {
  readonly qos: 0;
  readonly dup: false;
  readonly packetId: undefined;
}

/** PUBLISH that is acknowledged, by PUBACK or by PUBREC. */
export interface PublishQos12 extends PublishFields {
  readonly qos: 1 | 2;
  readonly dup: boolean;
  readonly packetId: number;
}

export type Publish = PublishQos0 | PublishQos12;

/** The steps of an acknowledgement. */
export type AckType = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';

/** PUBACK, PUBREC, PUBREL or PUBCOMP. */
export interface Ack<T extends AckType = AckType> {
  readonly type: T;
  readonly packetId: number;
  /** 0 in MQTT 3.1.1. */
  readonly reasonCode: number;
  readonly properties: ReasonProperties;
}

/** One line of a SUBSCRIBE. The last three are false, false and 0 in MQTT 3.1.1. */
export interface Subscription {
  /** Topic filter, for a shared subscription with its `$share/<name>/` in front. */
  readonly filter: string;
  /** The largest QoS wanted. */
  readonly qos: Qos;
  /** Whether what the subscriber itself publishes is left out. */
  readonly noLocal: boolean;
  /** Whether messages keep their retain flag. */
  readonly retainAsPublished: boolean;
  /** Retained messages are sent: 0 always, 1 for a new subscription only, 2 never. */
  readonly retainHandling: 0 | 1 | 2;
}

export interface Subscribe {
  readonly type: 'subscribe';
  readonly packetId: number;
  /** One to `FILTERS_PER_PACKET_MAX`, in the order of the packet. */
  readonly subscriptions: readonly Subscription[];
  readonly properties: SubscribeProperties;
}

export interface Suback {
  readonly type: 'suback';
  readonly packetId: number;
  /**
   * One for each filter of the SUBSCRIBE, in its order: the granted QoS, or from 0x80 on why it
   * was refused. [MQTT-3.9.3-1]
   */
  readonly reasonCodes: readonly number[];
  readonly properties: ReasonProperties;
}

export interface Unsubscribe {
  readonly type: 'unsubscribe';
  readonly packetId: number;
  /** One to `FILTERS_PER_PACKET_MAX`, in the order of the packet. */
  readonly filters: readonly string[];
  readonly userProperties: readonly UserProperty[];
}

export interface Unsuback {
  readonly type: 'unsuback';
  readonly packetId: number;
  /** One for each filter of the UNSUBSCRIBE; none in MQTT 3.1.1. */
  readonly reasonCodes: readonly number[];
  readonly properties: ReasonProperties;
}

/** In MQTT 3.1.1 only a client sends it, without reason or properties. */
export interface Disconnect {
  readonly type: 'disconnect';
  readonly reasonCode: number;
  readonly properties: DisconnectProperties;
}

/** A step of an enhanced authentication; only in MQTT 5. */
export interface Auth {
  readonly type: 'auth';
  /** 0x00 done, 0x18 go on, 0x19 authenticate again. */
  readonly reasonCode: number;
  readonly properties: AuthenticationProperties & ReasonProperties;
}

/** The packets that consist of their first two bytes. */
export interface Bare<T extends 'pingreq' | 'pingresp'> {
  readonly type: T;
}

type BothWays =
  | Publish
  | Ack<'puback'>
  | Ack<'pubrec'>
  | Ack<'pubrel'>
  | Ack<'pubcomp'>
  | Disconnect
  | Auth;

/** What a client may send. */
export type ClientPacket =
  | BothWays
  | Connect
  | ConnectUnsupported
  | Subscribe
  | Unsubscribe
  | Bare<'pingreq'>;

/** What a server may send. */
export type ServerPacket = BothWays | Connack | Suback | Unsuback | Bare<'pingresp'>;
