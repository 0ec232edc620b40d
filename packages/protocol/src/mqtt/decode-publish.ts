/** Decodes PUBLISH, the packet that counts: no reader, no copy of the payload. @module */
import { type Refusal, refuse } from '../refusal.ts';
import { checkTopicName } from '../topics.ts';
import type { Publish } from './packets.ts';
import { PROTOCOL_VIOLATION, readUint16, ZERO_PACKET_ID } from './reader.ts';
import { readUtf8 } from './utf8.ts';

/**
 * Decodes the body of a PUBLISH, which looks the same in both directions.
 *
 * @param first - First byte of the frame; DUP, QoS and RETAIN stand in its lower half.
 * @returns the packet, its payload a view into `buf`, or `E_WIRE_PACKET`, `E_WIRE_SIZE`.
 * @see MQTT 3.1.1 §3.3
 */
export function decodePublish(
  first: number,
  buf: Uint8Array,
  start: number,
  end: number,
): Publish | Refusal {
  const qos = (first >> 1) & 0b11;
  const dup = (first & 0b1000) !== 0;
  const retain = (first & 1) !== 0;
  if (qos === 3) return refuse('E_WIRE_PACKET', 'PUBLISH with QoS 3 [MQTT-3.3.1-4]');
  if (qos === 0 && dup) return refuse('E_WIRE_PACKET', 'DUP with QoS 0 [MQTT-3.3.1-2]');

  const topicStart = start + 2;
  // Even a length that lies beyond the end cannot hide it: the topic would end further on.
  const topicEnd = topicStart + readUint16(buf, start);
  const payloadStart = qos === 0 ? topicEnd : topicEnd + 2;
  if (payloadStart > end) return tooShort(topicEnd > end);
  const topic = readUtf8(buf, topicStart, topicEnd);
  if (typeof topic !== 'string') return topic;
  const problem = checkTopicName(topic);
  if (problem !== undefined) return problem;

  const payload = buf.subarray(payloadStart, end);
  if (qos === 0) {
    return { type: 'publish', topic, payload, retain, qos, dup: false, packetId: undefined };
  }
  const packetId = readUint16(buf, topicEnd);
  if (packetId === 0) return refuse('E_WIRE_PACKET', ZERO_PACKET_ID);
  return { type: 'publish', topic, payload, retain, qos: qos === 1 ? 1 : 2, dup, packetId };
}

function tooShort(isWithinTopic: boolean): Refusal {
  return isWithinTopic
    ? refuse('E_WIRE_PACKET', `PUBLISH ends within its topic ${PROTOCOL_VIOLATION}`)
    : refuse('E_WIRE_PACKET', 'PUBLISH ends before its packet id [MQTT-2.3.1-1]');
}
