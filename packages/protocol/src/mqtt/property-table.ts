/** The properties of MQTT 5, as data. @see MQTT 5 §2.2.2.2, table 2-4 @module */
import type {
  ConnackProperties,
  ConnectProperties,
  DisconnectProperties,
  PublishProperties,
  SubscribeProperties,
  WillProperties,
} from './packets.ts';
import { REASON } from './reason-codes.ts';

/** Where properties stand; a property may stand in several places, so these are bits. */
export const PLACE = {
  connect: 0x001,
  will: 0x002,
  connack: 0x004,
  publishFromClient: 0x008,
  publishFromServer: 0x010,
  /** PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK. */
  ack: 0x020,
  subscribe: 0x040,
  unsubscribe: 0x080,
  disconnectFromClient: 0x100,
  disconnectFromServer: 0x200,
  auth: 0x400,
  /** What is kept of a message to be sent on, see `encodeForwarded`. */
  forwarded: 0x800,
} as const;

/** One place. */
export type Place = (typeof PLACE)[keyof typeof PLACE];

/** Every property there is. What a place does not allow is never in it. */
export type AnyProperties = ConnectProperties &
  ConnackProperties &
  PublishProperties &
  WillProperties &
  DisconnectProperties &
  SubscribeProperties;

/** What the bytes of a property are; `flag` is a byte that is 0 or 1. */
export type PropertyForm =
  | { readonly type: 'flag' | 'boolean' | 'text' | 'topic' | 'binary' | 'pair' }
  | {
      readonly type: 'uint16' | 'uint32' | 'variable';
      /** Smallest value that is allowed; 0 unless given. */
      readonly min?: 1;
      /** Why a smaller one is refused; a protocol error unless given. */
      readonly reasonCode?: typeof REASON.topicAliasInvalid;
      /** The statement that forbids it, if it has a number. */
      readonly rule?: string;
    };

/** One property. */
export interface Property {
  readonly id: number;
  readonly name: keyof AnyProperties;
  readonly form: PropertyForm;
  /** Bits of {@link PLACE}. */
  readonly places: number;
}

/** Identifier of the user property, the only one that may repeat in every packet. */
export const USER_PROPERTY_ID = 0x26;

/** Identifier of the subscription identifier, which may repeat in a PUBLISH. MQTT 5 §3.3.2.3.8 */
export const SUBSCRIPTION_ID_ID = 0x0b;

const DISCONNECT = PLACE.disconnectFromClient | PLACE.disconnectFromServer;
const PUBLISH = PLACE.publishFromClient | PLACE.publishFromServer;
const MESSAGE = PUBLISH | PLACE.will;
const AUTHENTICATION = PLACE.connect | PLACE.connack | PLACE.auth;
const TERMS = PLACE.connect | PLACE.connack;
const EVERYWHERE = (PLACE.forwarded << 1) - 1;

const FLAG = { type: 'flag' } as const;
const BOOLEAN = { type: 'boolean' } as const;
const TEXT = { type: 'text' } as const;
const BINARY = { type: 'binary' } as const;
const UINT16 = { type: 'uint16' } as const;
const UINT32 = { type: 'uint32' } as const;

/** All properties, by ascending identifier. */
export const PROPERTIES: readonly Property[] = [
  { id: 0x01, name: 'payloadFormat', form: FLAG, places: MESSAGE | PLACE.forwarded },
  { id: 0x02, name: 'messageExpiryS', form: UINT32, places: MESSAGE },
  // MQTT 5 [MQTT-3.3.2-19]
  { id: 0x03, name: 'contentType', form: TEXT, places: MESSAGE | PLACE.forwarded },
  { id: 0x08, name: 'responseTopic', form: { type: 'topic' }, places: MESSAGE | PLACE.forwarded },
  { id: 0x09, name: 'correlationData', form: BINARY, places: MESSAGE | PLACE.forwarded },
  {
    id: SUBSCRIPTION_ID_ID,
    name: 'subscriptionId',
    form: { type: 'variable', min: 1 },
    // A client must not send one in a PUBLISH. [MQTT-3.3.4-6]
    places: PLACE.publishFromServer | PLACE.subscribe,
  },
  {
    id: 0x11,
    name: 'sessionExpiryS',
    form: UINT32,
    // A server must not send it in a DISCONNECT. [MQTT-3.14.2-2]
    places: TERMS | PLACE.disconnectFromClient,
  },
  { id: 0x12, name: 'assignedClientId', form: TEXT, places: PLACE.connack },
  { id: 0x13, name: 'serverKeepAliveS', form: UINT16, places: PLACE.connack },
  { id: 0x15, name: 'authMethod', form: TEXT, places: AUTHENTICATION },
  { id: 0x16, name: 'authData', form: BINARY, places: AUTHENTICATION },
  { id: 0x17, name: 'requestProblemInformation', form: BOOLEAN, places: PLACE.connect },
  { id: 0x18, name: 'delayS', form: UINT32, places: PLACE.will },
  { id: 0x19, name: 'requestResponseInformation', form: BOOLEAN, places: PLACE.connect },
  { id: 0x1a, name: 'responseInformation', form: TEXT, places: PLACE.connack },
  { id: 0x1c, name: 'serverReference', form: TEXT, places: PLACE.connack | DISCONNECT },
  {
    id: 0x1f,
    name: 'reasonString',
    form: TEXT,
    places: PLACE.connack | PLACE.ack | DISCONNECT | PLACE.auth,
  },
  // In the order in which brokers usually announce them.
  { id: 0x22, name: 'topicAliasMax', form: UINT16, places: TERMS },
  { id: 0x27, name: 'packetBytesMax', form: { type: 'uint32', min: 1 }, places: TERMS },
  { id: 0x21, name: 'receiveMax', form: { type: 'uint16', min: 1 }, places: TERMS },
  {
    id: 0x23,
    name: 'topicAlias',
    form: {
      type: 'uint16',
      min: 1,
      reasonCode: REASON.topicAliasInvalid,
      rule: '[MQTT-3.3.2-8]',
    },
    places: PUBLISH,
  },
  { id: 0x24, name: 'qosMax', form: FLAG, places: PLACE.connack },
  { id: 0x25, name: 'isRetainAvailable', form: BOOLEAN, places: PLACE.connack },
  { id: USER_PROPERTY_ID, name: 'userProperties', form: { type: 'pair' }, places: EVERYWHERE },
  { id: 0x28, name: 'isWildcardAvailable', form: BOOLEAN, places: PLACE.connack },
  { id: 0x29, name: 'isSubscriptionIdAvailable', form: BOOLEAN, places: PLACE.connack },
  { id: 0x2a, name: 'isSharedAvailable', form: BOOLEAN, places: PLACE.connack },
];
