/**
 * The control packets of MQTT 3.1.1 as types, named and cut as in the standard.
 * Views (`payload`, `password`) point into the bytes they were decoded from: no copy is made.
 * @see MQTT 3.1.1 §2.2.1, §3
 * @module
 */

/** Quality of service: at most once, at least once, exactly once. */
export type Qos = 0 | 1 | 2;

/** Number of each packet type: the upper four bits of the first byte. MQTT 3.1.1 §2.2.1 */
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
} as const;

/** The message that the server publishes when the client goes without a DISCONNECT. */
export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** CONNECT of the version that this codec speaks. Level 5 becomes another member of the union. */
export interface Connect {
  readonly type: 'connect';
  readonly protocolLevel: 4;
  /** May be empty: then the server makes one, or answers 0x02. [MQTT-3.1.3-8] */
  readonly clientId: string;
  readonly cleanSession: boolean;
  /** Seconds, 0 to 65,535; 0 switches the keep-alive off. */
  readonly keepAliveS: number;
  readonly will: Will | undefined;
  readonly userName: string | undefined;
  /** A secret: never log a whole CONNECT. */
  readonly password: Uint8Array | undefined;
}

/**
 * CONNECT of a version that this codec does not speak (3.1 as `MQIsdp`, 5, or unknown): only as
 * much of it is read as the answer needs, see {@link encodeConnackUnsupported}. [MQTT-3.1.2-2]
 */
export interface ConnectUnsupported {
  readonly type: 'connectUnsupported';
  readonly protocolName: 'MQTT' | 'MQIsdp';
  readonly protocolLevel: number;
}

/** 0 accepted · 1 version · 2 client id · 3 unavailable · 4 credentials · 5 not authorized. */
export type ConnackCode = 0 | 1 | 2 | 3 | 4 | 5;

export interface Connack {
  readonly type: 'connack';
  readonly sessionPresent: boolean;
  readonly returnCode: ConnackCode;
}

interface PublishFields {
  readonly type: 'publish';
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
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

/** The packets that consist of a packet id. */
export interface Ack<T extends 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'unsuback'> {
  readonly type: T;
  readonly packetId: number;
}

/** One line of a SUBSCRIBE: the topic filter and the largest QoS wanted. */
export interface Subscription {
  readonly filter: string;
  readonly qos: Qos;
}

export interface Subscribe {
  readonly type: 'subscribe';
  readonly packetId: number;
  /** One to `FILTERS_PER_PACKET_MAX`, in the order of the packet. */
  readonly subscriptions: readonly Subscription[];
}

/** The granted QoS, or 0x80 for a refused filter. [MQTT-3.9.3-2] */
export type SubackCode = Qos | 0x80;

export interface Suback {
  readonly type: 'suback';
  readonly packetId: number;
  /** One for each filter of the SUBSCRIBE, in its order. [MQTT-3.9.3-1] */
  readonly returnCodes: readonly SubackCode[];
}

export interface Unsubscribe {
  readonly type: 'unsubscribe';
  readonly packetId: number;
  /** One to `FILTERS_PER_PACKET_MAX`, in the order of the packet. */
  readonly filters: readonly string[];
}

/** The packets that consist of their first two bytes. */
export interface Bare<T extends 'pingreq' | 'pingresp' | 'disconnect'> {
  readonly type: T;
}

type BothWays = Publish | Ack<'puback'> | Ack<'pubrec'> | Ack<'pubrel'> | Ack<'pubcomp'>;

/** What a client may send. */
export type ClientPacket =
  | BothWays
  | Connect
  | ConnectUnsupported
  | Subscribe
  | Unsubscribe
  | Bare<'pingreq'>
  | Bare<'disconnect'>;

/** What a server may send. */
export type ServerPacket = BothWays | Connack | Suback | Ack<'unsuback'> | Bare<'pingresp'>;
