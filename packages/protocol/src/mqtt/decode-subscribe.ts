/** Decodes SUBSCRIBE, UNSUBSCRIBE and SUBACK. @module */
import { type Refusal, refuse } from '../refusal.ts';
import { checkTopicFilter } from '../topics.ts';
import { FILTERS_PER_PACKET_MAX } from './limits.ts';
import type { Qos, Suback, SubackCode, Subscribe, Subscription, Unsubscribe } from './packets.ts';
import type { Reader } from './reader.ts';

/** Decodes the body of a SUBSCRIBE. @see MQTT 3.1.1 §3.8 */
export function decodeSubscribe(reader: Reader): Subscribe | Refusal {
  const packetId = reader.packetId();
  if (typeof packetId !== 'number') return packetId;
  const subscriptions: Subscription[] = [];
  while (!reader.isAtEnd) {
    if (subscriptions.length === FILTERS_PER_PACKET_MAX) return tooMany();
    const filter = decodeFilter(reader, '[MQTT-3.8.3-1]');
    if (typeof filter !== 'string') return filter;
    const qos = reader.byte('requested QoS', '[MQTT-3.8.3-3]');
    if (typeof qos !== 'number') return qos;
    if (!isQos(qos)) {
      return refuse('E_WIRE_PACKET', 'requested QoS is not 0, 1 or 2 [MQTT-3-8.3-4]');
    }
    subscriptions.push({ filter, qos });
  }
  if (subscriptions.length === 0) {
    return refuse('E_WIRE_PACKET', 'SUBSCRIBE without a topic filter [MQTT-3.8.3-3]');
  }
  return { type: 'subscribe', packetId, subscriptions };
}

/** Decodes the body of an UNSUBSCRIBE. @see MQTT 3.1.1 §3.10 */
export function decodeUnsubscribe(reader: Reader): Unsubscribe | Refusal {
  const packetId = reader.packetId();
  if (typeof packetId !== 'number') return packetId;
  const filters: string[] = [];
  while (!reader.isAtEnd) {
    if (filters.length === FILTERS_PER_PACKET_MAX) return tooMany();
    const filter = decodeFilter(reader, '[MQTT-3.10.3-1]');
    if (typeof filter !== 'string') return filter;
    filters.push(filter);
  }
  if (filters.length === 0) {
    return refuse('E_WIRE_PACKET', 'UNSUBSCRIBE without a topic filter [MQTT-3.10.3-2]');
  }
  return { type: 'unsubscribe', packetId, filters };
}

/** Decodes the body of a SUBACK. @see MQTT 3.1.1 §3.9 */
export function decodeSuback(reader: Reader): Suback | Refusal {
  const packetId = reader.packetId();
  if (typeof packetId !== 'number') return packetId;
  const returnCodes: SubackCode[] = [];
  while (!reader.isAtEnd) {
    if (returnCodes.length === FILTERS_PER_PACKET_MAX) return tooMany();
    const code = reader.byte('return code', '[MQTT-3.9.3-1]');
    if (typeof code !== 'number') return code;
    if (!isSubackCode(code)) {
      return refuse('E_WIRE_PACKET', 'reserved SUBACK return code [MQTT-3.9.3-2]');
    }
    returnCodes.push(code);
  }
  if (returnCodes.length === 0) {
    return refuse('E_WIRE_PACKET', 'SUBACK without a return code [MQTT-3.9.3-1]');
  }
  return { type: 'suback', packetId, returnCodes };
}

function decodeFilter(reader: Reader, rule: string): string | Refusal {
  const filter = reader.text('topic filter', rule);
  if (typeof filter !== 'string') return filter;
  return checkTopicFilter(filter) ?? filter;
}

function tooMany(): Refusal {
  return refuse('E_WIRE_SIZE', `more than ${FILTERS_PER_PACKET_MAX} topic filters in one packet`);
}

function isQos(value: number): value is Qos {
  return value <= 2;
}

function isSubackCode(code: number): code is SubackCode {
  return isQos(code) || code === 0x80;
}
