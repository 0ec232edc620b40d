/** Encodes PUBLISH, for one receiver or for many. @module */
import { PACKET_TYPE, type Qos } from './packets.ts';
import { encodeUtf8Briefly } from './utf8.ts';
import { allocate, assertPacketId, Writer, writeUint16 } from './writer.ts';

/** How a PUBLISH is sent: without a packet id at QoS 0, with one otherwise. */
export type PublishOptions =
  | { readonly qos: 0; readonly retain?: boolean }
  | {
      readonly qos: 1 | 2;
      readonly packetId: number;
      /** Whether it was sent before. MQTT 3.1.1 §3.3.1.1 */
      readonly dup?: boolean;
      readonly retain?: boolean;
    };

/**
 * Encodes PUBLISH. At QoS 0 the same bytes may be written to any number of receivers; for QoS 1
 * and 2 see {@link encodePublishTemplate}.
 *
 * @param topic - A topic name, checked before.
 * @throws RangeError for a packet id or a size that has no encoding.
 * @see MQTT 3.1.1 §3.3
 */
export function encodePublish(
  topic: string,
  payload: Uint8Array,
  options: PublishOptions,
): Uint8Array {
  const retain = options.retain ?? false;
  const { bytes, packetIdAt } = write(topic, payload, { qos: options.qos, retain });
  if (options.qos !== 0) setPacketId(bytes, packetIdAt, options);
  return bytes;
}

/** A PUBLISH with QoS 1 or 2 whose packet id is still open. Not to be written as it is. */
export interface PublishTemplate {
  readonly bytes: Uint8Array;
  /** Offset in {@link bytes} of the two bytes of the packet id. */
  readonly packetIdAt: number;
}

/** Encodes what is the same for all receivers of a PUBLISH with QoS 1 or 2. */
export function encodePublishTemplate(
  topic: string,
  payload: Uint8Array,
  options: { readonly qos: 1 | 2; readonly retain?: boolean },
): PublishTemplate {
  return write(topic, payload, { qos: options.qos, retain: options.retain ?? false });
}

/** Gives the PUBLISH for one receiver: a copy of the template with the packet id filled in. */
export function fillPublishTemplate(
  template: PublishTemplate,
  options: { readonly packetId: number; readonly dup?: boolean },
): Uint8Array {
  const bytes = allocate(template.bytes.length);
  bytes.set(template.bytes);
  setPacketId(bytes, template.packetIdAt, options);
  return bytes;
}

function write(
  topic: string,
  payload: Uint8Array,
  options: { readonly qos: Qos; readonly retain: boolean },
): PublishTemplate {
  const topicBytes = encodeUtf8Briefly(topic);
  const packetIdBytes = options.qos === 0 ? 0 : 2;
  const flags = (options.qos << 1) | (options.retain ? 1 : 0);
  const writer = new Writer(
    (PACKET_TYPE.publish << 4) | flags,
    2 + topicBytes.length + packetIdBytes + payload.length,
  );
  writer.field(topicBytes);
  const packetIdAt = writer.at;
  if (packetIdBytes > 0) writer.uint16(0);
  writer.raw(payload);
  return { bytes: writer.bytes, packetIdAt };
}

function setPacketId(
  bytes: Uint8Array,
  at: number,
  options: { readonly packetId: number; readonly dup?: boolean },
): void {
  assertPacketId(options.packetId);
  writeUint16(bytes, at, options.packetId);
  if (options.dup === true) bytes[0] = (bytes[0] ?? 0) | 0b1000;
}
