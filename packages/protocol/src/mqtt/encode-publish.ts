/** Encodes PUBLISH, for one receiver or for many. @module */
import { PACKET_TYPE, type ProtocolLevel, type Qos } from './packets.ts';
import { encodeUtf8Briefly } from './utf8.ts';
import { Writer, allocate, assertPacketId, variableBytes, writeUint16 } from './writer.ts';

/** What one hop of a message carries; all but `retain` is left out below MQTT 5. */
export interface HopOptions {
  readonly retain?: boolean;
  /** The properties of the message, from `encodeForwarded`. */
  readonly forwarded?: Uint8Array;
  /** Rest of its life in seconds, rounded up. [MQTT-3.3.2-6] */
  readonly messageExpiryS?: number | undefined;
  /** Number that stands for the topic; with an empty topic, the one given before. Never 0. */
  readonly topicAlias?: number | undefined;
  /** The subscriptions that matched; only from a server. [MQTT-3.3.4-3] */
  readonly subscriptionIds?: readonly number[];
}

/** How a PUBLISH is sent: without a packet id at QoS 0, with one otherwise. */
export type PublishOptions = HopOptions &
  (
    | { readonly qos: 0 }
    | {
        readonly qos: 1 | 2;
        readonly packetId: number;
        /** Whether it was sent before. [MQTT-3.3.1-1] */
        readonly dup?: boolean;
      }
  );

/**
 * Encodes PUBLISH. At QoS 0 the same bytes may be written to any number of receivers; for QoS 1
 * and 2 see {@link encodePublishTemplate}.
 *
 * @param topic - A topic name, checked before.
 * @throws RangeError for a packet id or a size that has no encoding.
 * @see MQTT 3.1.1 §3.3, MQTT 5 §3.3
 */
export function encodePublish(
  topic: string,
  payload: Uint8Array,
  options: PublishOptions,
  level: ProtocolLevel = 4,
): Uint8Array {
  const { bytes, packetIdAt } = write(topic, payload, options, level);
  if (options.qos !== 0) setPacketId(bytes, packetIdAt, options);
  return bytes;
}

/** What is the same for all receivers of a PUBLISH with QoS 1 or 2. */
export type TemplateOptions = HopOptions & { readonly qos: 1 | 2 };

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
  options: TemplateOptions,
  level: ProtocolLevel = 4,
): PublishTemplate {
  return write(topic, payload, options, level);
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
  options: HopOptions & { readonly qos: Qos },
  level: ProtocolLevel,
): PublishTemplate {
  const topicBytes = encodeUtf8Briefly(topic);
  const propertyBytes = level === 5 ? propertyListBytes(options) : 0;
  const sizes = { options, level, propertyBytes };
  const flags = (options.qos << 1) | (options.retain === true ? 1 : 0);
  const writer = new Writer(
    (PACKET_TYPE.publish << 4) | flags,
    remainingBytes(topicBytes.length, payload, sizes),
  );
  writer.field(topicBytes);
  const packetIdAt = writer.at;
  if (options.qos > 0) writer.uint16(0);
  if (level === 5) {
    writer.variable(propertyBytes);
    if (propertyBytes > 0) writePropertyList(writer, options);
  }
  writer.raw(payload);
  return { bytes: writer.bytes, packetIdAt };
}

function remainingBytes(
  topicBytes: number,
  payload: Uint8Array,
  {
    options,
    level,
    propertyBytes,
  }: {
    readonly options: { readonly qos: Qos };
    readonly level: ProtocolLevel;
    readonly propertyBytes: number;
  },
): number {
  const packetIdBytes = options.qos === 0 ? 0 : 2;
  const lengthBytes = level === 5 ? variableBytes(propertyBytes) : 0;
  return 2 + topicBytes + packetIdBytes + lengthBytes + propertyBytes + payload.length;
}

function propertyListBytes(options: HopOptions): number {
  let bytes = options.forwarded?.length ?? 0;
  if (options.messageExpiryS !== undefined) bytes += 5;
  if (options.topicAlias !== undefined) bytes += 3;
  for (const id of options.subscriptionIds ?? []) bytes += 1 + variableBytes(id);
  return bytes;
}

/** Identifiers as in `PROPERTIES`; written by hand, as this is done for every message. */
function writePropertyList(writer: Writer, options: HopOptions): void {
  if (options.messageExpiryS !== undefined) {
    writer.byte(0x02);
    writer.uint32(options.messageExpiryS);
  }
  if (options.topicAlias !== undefined) {
    writer.byte(0x23);
    writer.uint16(options.topicAlias);
  }
  for (const id of options.subscriptionIds ?? []) {
    writer.byte(0x0b);
    writer.variable(id);
  }
  if (options.forwarded !== undefined) writer.raw(options.forwarded);
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
