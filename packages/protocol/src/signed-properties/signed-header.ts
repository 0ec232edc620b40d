/** What the signature of form 2 covers in front of the payload. @module */
import type { MessageProperties } from '../mqtt/packets.ts';

/** What makes a signature good for one message, at one time, under one key. */
export interface SignedStamp {
  /** Key id, `epoch.generation`. */
  readonly kid: string;
  /** "ctr": 0 to 2^53 - 1, each one once. */
  readonly counter: number;
  /** "ts" in milliseconds since 1970; undefined when the message carries none. */
  readonly timeMs: number | undefined;
}

/** The message that is signed, without its payload. */
export interface SignedMessage {
  readonly topic: string;
  readonly retain: boolean;
  readonly properties: MessageProperties;
}

/** The user properties of the signature itself: they have lines of their own, or none. */
export const SIGNATURE_PROPERTIES: readonly string[] = ['kid', 'ctr', 'ts', 'sig'];

/**
 * The header of a message of form 2. The signature is the HMAC-SHA256 over this text in UTF-8 and
 * the payload, byte for byte, behind it.
 *
 * Lines end with a line feed and stand in this order; a line in brackets only stands there when
 * the message has what it tells. An empty line ends the header:
 * ```text
 * holdfast-2
 * topic=<topic>
 * kid=<key id>
 * ctr=<decimal>
 * [ts=<decimal>]
 * [retain=1]
 * [payload-format=<0 or 1>]
 * [content-type=<text>]
 * [response-topic=<topic>]
 * [correlation-data=<lower-case hexadecimal>]
 * [property=<name><tab><value>]   for each other user property, in the order of the message
 * ```
 * - **One text, one message.** MQTT texts hold no control characters (the codec refuses them), so
 *   neither a line feed nor a tab can come from a value.
 * - **Apart from form 1**, whose signed text begins with `{`: neither verifies as the other.
 * - **Covered is all that tells receivers what the message is**: nobody on the way can move it to
 *   another topic, turn its answer elsewhere or make it stay as a retained message.
 * - **Not covered is how it travels**: QoS, DUP and topic alias belong to one hop, and each server
 *   on the way counts the message expiry down [MQTT-3.3.2-6]; age is what "ts" tells.
 *
 * @see MQTT 5 §1.5.4, §3.3.2.3; RFC 2104
 */
export function signedHeader(message: SignedMessage, stamp: SignedStamp): string {
  let header = `holdfast-2\ntopic=${message.topic}\nkid=${stamp.kid}\nctr=${stamp.counter}\n`;
  if (stamp.timeMs !== undefined) header += `ts=${stamp.timeMs}\n`;
  if (message.retain) header += 'retain=1\n';
  const { payloadFormat, contentType, responseTopic, correlationData } = message.properties;
  if (payloadFormat !== undefined) header += `payload-format=${payloadFormat}\n`;
  if (contentType !== undefined) header += `content-type=${contentType}\n`;
  if (responseTopic !== undefined) header += `response-topic=${responseTopic}\n`;
  if (correlationData !== undefined) header += `correlation-data=${correlationData.toHex()}\n`;
  for (const [name, value] of message.properties.userProperties ?? []) {
    if (!SIGNATURE_PROPERTIES.includes(name)) header += `property=${name}\t${value}\n`;
  }
  return `${header}\n`;
}
