/** Signs messages of any bytes, in their MQTT 5 user properties: payload form 2. @module */
import {
  Refusal,
  SIGNED_JSON_LIMITS,
  checkTopicName,
  parseSignedProperties,
  signedHeader,
} from '@holdfast/protocol';
import {
  type MessageProperties,
  type UserProperty,
  decodeForwarded,
  encodeForwarded,
} from '@holdfast/protocol/mqtt';
import { DeviceError } from './device-error.ts';
import { type MacKey, hmacSha256Hex } from './mac-key.ts';

/** A message as it will be published, but for its signature. */
export interface UnsignedMessage {
  /** The whole topic, `d/<device>/…`. */
  readonly topic: string;
  /** Any bytes, at most 65,536. */
  readonly payload: Uint8Array;
  /** False unless given. */
  readonly retain?: boolean;
  /** What else the PUBLISH will carry; the signature covers all of it but the message expiry. */
  readonly properties?: MessageProperties;
}

/** Under which key, and as which message, one is signed. */
export interface SigningOptions {
  /** `payloadKey` of the bundle. */
  readonly key: MacKey;
  /** `kid` of the bundle. */
  readonly kid: string;
  /** Never used before under this key, in either form: 0 to 2^53 - 1. */
  readonly ctr: number;
  /** Whole milliseconds since 1970; without it the server cannot tell how old the message is. */
  readonly ts?: number;
}

/**
 * Signs a message of form 2, for an MQTT 5 client of your own. {@link connect} speaks MQTT 3.1.1,
 * which has no user properties, and signs readings as JSON; do not use both with one bundle at a
 * time, or they take each other's counters.
 *
 * @returns all user properties of the message, to be sent in this order: those given, then "kid",
 *   "ctr", "ts" and "sig"
 * @throws DeviceError `E_DEVICE_READING` for a message or a counter that the server would refuse;
 *   RangeError for a property that is too large for any packet
 * @see {@link signedHeader} for what is signed
 */
export function signProperties(message: UnsignedMessage, options: SigningOptions): UserProperty[] {
  const { topic, payload, retain = false, properties = {} } = message;
  const { key, kid, ctr, ts } = options;
  const stamp: UserProperty[] = [
    ['kid', kid],
    ['ctr', `${ctr}`],
  ];
  if (ts !== undefined) stamp.push(['ts', `${ts}`]);
  const header = signedHeader({ topic, retain, properties }, { kid, counter: ctr, timeMs: ts });
  const sig = hmacSha256Hex(key, Buffer.concat([Buffer.from(header, 'utf8'), payload]));
  const userProperties = [...(properties.userProperties ?? []), ...stamp, ['sig', sig] as const];
  check({ topic, payload, properties: { ...properties, userProperties } });
  return userProperties;
}

/** A text with a line feed in it could make one signature fit two messages. */
function check({ topic, payload, properties }: Required<Omit<UnsignedMessage, 'retain'>>): void {
  const { bytesMax } = SIGNED_JSON_LIMITS;
  if (payload.length > bytesMax) throw messageError(`it has more than ${bytesMax} bytes`);
  const answers = [
    checkTopicName(topic),
    decodeForwarded(encodeForwarded(properties)),
    parseSignedProperties(properties),
  ];
  for (const answer of answers) if (answer instanceof Refusal) throw messageError(answer.detail);
}

function messageError(what: string): DeviceError {
  return new DeviceError('E_DEVICE_READING', {
    message: `The message cannot be signed: ${what.replace(/\.$/u, '')}.`,
    fix: 'Give a topic name, texts without control characters, and whole numbers from 0 on.',
  });
}
