/** The properties of a message in the form in which they are stored and sent on. @module */
import { readPropertyList } from './decode-properties.ts';
import { encodePropertyList } from './encode-properties.ts';
import type { PacketRefusal } from './packet-refusal.ts';
import type { MessageProperties } from './packets.ts';
import { PLACE } from './property-table.ts';
import { Reader } from './reader.ts';

/**
 * Encodes what every receiver of a message gets unaltered, once for all of them: all but the
 * expiry, which is a life that shrinks. User properties keep their order. [MQTT-3.3.2-4]
 * [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
 *
 * @returns bytes for `encodePublish`; one shared empty array when there is nothing.
 */
export function encodeForwarded(properties: MessageProperties): Uint8Array {
  return encodePropertyList(properties, PLACE.forwarded);
}

/** Reads back what {@link encodeForwarded} gave. */
export function decodeForwarded(bytes: Uint8Array): MessageProperties | PacketRefusal {
  return readPropertyList(new Reader(bytes, 0, bytes.length), PLACE.forwarded);
}
