/** Decodes PUBLISH, the packet that counts: parsed in place, no copy of the payload. @module */
import { NO_PROPERTIES, readProperties } from './decode-properties.ts';
import { PacketRefusal, malformed, protocolError } from './packet-refusal.ts';
import type { ProtocolLevel, Publish } from './packets.ts';
import type { PLACE } from './property-table.ts';
import {
  PACKET_ID_RULE,
  PROTOCOL_VIOLATION,
  Reader,
  ZERO_PACKET_ID,
  readUint16,
} from './reader.ts';
import { type TopicReader, readTopic } from './topic-reader.ts';

/**
 * Decodes the body of a PUBLISH.
 *
 * @param first - First byte of the frame; DUP, QoS and RETAIN stand in its lower half.
 * @param place - Who sent it: only a server may name subscriptions.
 * @returns the packet, its payload a view into `buf`, or `E_WIRE_PACKET`, `E_WIRE_SIZE`.
 * @see MQTT 3.1.1 §3.3, MQTT 5 §3.3
 */
export function decodePublish(
  first: number,
  buf: Uint8Array,
  start: number,
  end: number,
  level: ProtocolLevel,
  place: typeof PLACE.publishFromClient | typeof PLACE.publishFromServer,
  topics: TopicReader | undefined,
): Publish | PacketRefusal {
  const qos = (first >> 1) & 0b11;
  const dup = (first & 0b1000) !== 0;
  const retain = (first & 1) !== 0;
  if (qos === 3) return malformed('PUBLISH with QoS 3 [MQTT-3.3.1-4]');
  if (qos === 0 && dup) return malformed('DUP with QoS 0 [MQTT-3.3.1-2]');

  const topicStart = start + 2;
  // Even a length that lies beyond the end cannot hide it: the topic would end further on.
  const topicEnd = topicStart + readUint16(buf, start);
  const afterId = qos === 0 ? topicEnd : topicEnd + 2;
  if (afterId > end) return tooShort(topicEnd > end);
  const topic =
    topicEnd === topicStart && level === 5
      ? ''
      : (topics?.read(buf, topicStart, topicEnd) ?? readTopic(buf, topicStart, topicEnd));
  if (typeof topic !== 'string') return topic;
  const packetId = qos === 0 ? 0 : readUint16(buf, topicEnd);
  if (qos !== 0 && packetId === 0) return protocolError(ZERO_PACKET_ID);

  let payloadStart = afterId;
  let properties = NO_PROPERTIES;
  if (level === 5) {
    if (buf[afterId] === 0 && afterId < end) {
      payloadStart += 1;
    } else {
      const reader = new Reader(buf, afterId, end);
      const found = readProperties(reader, place);
      if (found instanceof PacketRefusal) return found;
      properties = found;
      payloadStart = reader.at;
    }
    if (topic === '' && properties.topicAlias === undefined) return protocolError(NO_TOPIC);
  }
  const payload = buf.subarray(payloadStart, end);
  if (qos === 0) {
    return {
      type: 'publish',
      topic,
      payload,
      retain,
      properties,
      qos,
      dup: false,
      packetId: undefined,
    };
  }
  return {
    type: 'publish',
    topic,
    payload,
    retain,
    properties,
    qos: qos === 1 ? 1 : 2,
    dup,
    packetId,
  };
}

function tooShort(isWithinTopic: boolean): PacketRefusal {
  return isWithinTopic
    ? malformed(`PUBLISH ends within its topic (${PROTOCOL_VIOLATION}, MQTT 5 [MQTT-3.3.2-1])`)
    : malformed(`PUBLISH ends before its packet id (${PACKET_ID_RULE})`);
}

const NO_TOPIC = 'PUBLISH with neither topic nor topic alias (MQTT 5 §3.3.2.1, [MQTT-4.7.3-1])';
