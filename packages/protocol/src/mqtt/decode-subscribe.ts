/** Decodes SUBSCRIBE and UNSUBSCRIBE. @module */
import { checkTopicFilter, parseShared } from '../topics.ts';
import { NO_PROPERTIES, readProperties } from './decode-properties.ts';
import { FILTERS_PER_PACKET_MAX } from './limits.ts';
import { PacketRefusal, beyondLimit, malformed, protocolError } from './packet-refusal.ts';
import type { ProtocolLevel, Subscribe, Subscription, Unsubscribe } from './packets.ts';
import { PLACE } from './property-table.ts';
import type { Reader } from './reader.ts';
import { REASON } from './reason-codes.ts';

/** Decodes the body of a SUBSCRIBE. @see MQTT 3.1.1 §3.8, MQTT 5 §3.8 */
export function decodeSubscribe(reader: Reader, level: ProtocolLevel): Subscribe | PacketRefusal {
  const packetId = reader.packetId(malformed);
  if (typeof packetId !== 'number') return packetId;
  const properties = level === 5 ? readProperties(reader, PLACE.subscribe) : NO_PROPERTIES;
  if (properties instanceof PacketRefusal) return properties;
  const subscriptions: Subscription[] = [];
  while (!reader.isAtEnd) {
    if (subscriptions.length === FILTERS_PER_PACKET_MAX) return tooMany();
    const subscription = decodeSubscription(reader, level);
    if (subscription instanceof PacketRefusal) return subscription;
    subscriptions.push(subscription);
  }
  if (subscriptions.length === 0) {
    return malformed(
      'SUBSCRIBE without a topic filter (MQTT 3.1.1 [MQTT-3.8.3-3], MQTT 5 [MQTT-3.8.3-2])',
    );
  }
  return { type: 'subscribe', packetId, subscriptions, properties };
}

/** Decodes the body of an UNSUBSCRIBE. @see MQTT 3.1.1 §3.10, MQTT 5 §3.10 */
export function decodeUnsubscribe(
  reader: Reader,
  level: ProtocolLevel,
): Unsubscribe | PacketRefusal {
  const packetId = reader.packetId(malformed);
  if (typeof packetId !== 'number') return packetId;
  const properties = level === 5 ? readProperties(reader, PLACE.unsubscribe) : NO_PROPERTIES;
  if (properties instanceof PacketRefusal) return properties;
  const filters: string[] = [];
  while (!reader.isAtEnd) {
    if (filters.length === FILTERS_PER_PACKET_MAX) return tooMany();
    const filter = decodeFilter(reader, '[MQTT-3.10.3-1]');
    if (typeof filter !== 'string') return filter;
    filters.push(filter);
  }
  if (filters.length === 0) {
    return malformed('UNSUBSCRIBE without a topic filter [MQTT-3.10.3-2]');
  }
  const userProperties = properties.userProperties ?? [];
  return { type: 'unsubscribe', packetId, filters, userProperties };
}

function decodeSubscription(reader: Reader, level: ProtocolLevel): Subscription | PacketRefusal {
  const filter = decodeFilter(reader, '[MQTT-3.8.3-1]');
  if (typeof filter !== 'string') return filter;
  const options = reader.byte('options', 'MQTT 3.1.1 [MQTT-3.8.3-3], MQTT 5 [MQTT-3.8.3-2]');
  if (typeof options !== 'number') return options;
  const qos = options & 0b11;
  const retainHandling = (options >> 4) & 0b11;
  if (qos === 3 || (level !== 5 && options > 2)) {
    return malformed('requested QoS is not 0, 1 or 2 (MQTT 3.1.1 [MQTT-3-8.3-4], MQTT 5 §3.8.3.1)');
  }
  if (options > 0x3f) return malformed('reserved subscription options (MQTT 5 [MQTT-3.8.3-5])');
  if (retainHandling === 3) return malformed('retain handling 3 (MQTT 5 §3.8.3.1)');
  const noLocal = (options & 0b100) !== 0;
  if (noLocal && parseShared(filter) !== undefined) {
    return protocolError('no local with a shared subscription (MQTT 5 [MQTT-3.8.3-4])');
  }
  return {
    filter,
    qos: qos === 1 || qos === 2 ? qos : 0,
    noLocal,
    retainAsPublished: (options & 0b1000) !== 0,
    retainHandling: retainHandling === 1 || retainHandling === 2 ? retainHandling : 0,
  };
}

function decodeFilter(reader: Reader, rule: string): string | PacketRefusal {
  const filter = reader.text('topic filter', rule);
  if (typeof filter !== 'string') return filter;
  return checkTopicFilter(filter) ?? filter;
}

function tooMany(): PacketRefusal {
  return beyondLimit(
    `more than ${FILTERS_PER_PACKET_MAX} topic filters in one packet`,
    REASON.quotaExceeded,
  );
}
