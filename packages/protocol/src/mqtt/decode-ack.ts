/** Decodes the answers: CONNACK, PUBACK and its kin, SUBACK, UNSUBACK. @module */
import { NO_PROPERTIES, readProperties } from './decode-properties.ts';
import { FILTERS_PER_PACKET_MAX } from './limits.ts';
import { PacketRefusal, beyondLimit, malformed, protocolError } from './packet-refusal.ts';
import type { Ack, AckType, Connack, ProtocolLevel, Suback, Unsuback } from './packets.ts';
import { PLACE } from './property-table.ts';
import { PROTOCOL_VIOLATION, type Reader } from './reader.ts';
import { REASON } from './reason-codes.ts';
import { ACK_REASONS, CONNACK_REASONS, SUBACK_REASONS, UNSUBACK_REASONS } from './reason-sets.ts';

/** Decodes the body of a CONNACK. @see MQTT 3.1.1 §3.2, MQTT 5 §3.2 */
export function decodeConnack(reader: Reader, level: ProtocolLevel): Connack | PacketRefusal {
  const flags = reader.byte('acknowledge flags', PROTOCOL_VIOLATION);
  if (typeof flags !== 'number') return flags;
  const reasonCode = reader.byte('reason code', PROTOCOL_VIOLATION);
  if (typeof reasonCode !== 'number') return reasonCode;
  if (flags > 1) {
    return malformed('reserved CONNACK flags (MQTT 3.1.1 §3.2.2.1, MQTT 5 [MQTT-3.2.2-1])');
  }
  if (!(level === 5 ? CONNACK_REASONS.has(reasonCode) : reasonCode <= 5)) {
    return protocolError('CONNACK code (MQTT 3.1.1 §3.2.2.3, MQTT 5 [MQTT-3.2.2-8])');
  }
  if (flags === 1 && reasonCode !== 0) {
    return protocolError(
      'a refused CONNECT with a session (MQTT 3.1.1 [MQTT-3.2.2-4], MQTT 5 [MQTT-3.2.2-6])',
    );
  }
  const properties = level === 5 ? readProperties(reader, PLACE.connack) : NO_PROPERTIES;
  if (properties instanceof PacketRefusal) return properties;
  return (
    reader.finish() ?? { type: 'connack', sessionPresent: flags === 1, reasonCode, properties }
  );
}

/**
 * Decodes the body of PUBACK, PUBREC, PUBREL or PUBCOMP. Reason code and properties may be left
 * out. MQTT 5 §3.4.2.1
 */
export function decodeAck<T extends AckType>(
  type: T,
  reader: Reader,
  level: ProtocolLevel,
): Ack<T> | PacketRefusal {
  const packetId = reader.packetId();
  if (typeof packetId !== 'number') return packetId;
  if (level !== 5 || reader.isAtEnd) {
    return reader.finish() ?? { type, packetId, reasonCode: 0, properties: NO_PROPERTIES };
  }
  const reasonCode = reader.byte('reason code', PROTOCOL_VIOLATION);
  if (typeof reasonCode !== 'number') return reasonCode;
  if (!ACK_REASONS[type].has(reasonCode)) {
    return protocolError(`a reason code that ${type} has not [MQTT-3.4.2-1] [MQTT-3.6.2-1]`);
  }
  const properties = reader.isAtEnd ? NO_PROPERTIES : readProperties(reader, PLACE.ack);
  if (properties instanceof PacketRefusal) return properties;
  return reader.finish() ?? { type, packetId, reasonCode, properties };
}

/** Decodes the body of a SUBACK. @see MQTT 3.1.1 §3.9, MQTT 5 §3.9 */
export function decodeSuback(reader: Reader, level: ProtocolLevel): Suback | PacketRefusal {
  const packetId = reader.packetId();
  if (typeof packetId !== 'number') return packetId;
  const properties = level === 5 ? readProperties(reader, PLACE.ack) : NO_PROPERTIES;
  if (properties instanceof PacketRefusal) return properties;
  const reasons = level === 5 ? SUBACK_REASONS : RETURN_CODES;
  const reasonCodes = decodeReasonCodes(reader, reasons, '[MQTT-3.9.3-1] [MQTT-3.9.3-2]');
  if (reasonCodes instanceof PacketRefusal) return reasonCodes;
  return { type: 'suback', packetId, reasonCodes, properties };
}

/** Decodes the body of an UNSUBACK. @see MQTT 3.1.1 §3.11, MQTT 5 §3.11 */
export function decodeUnsuback(reader: Reader, level: ProtocolLevel): Unsuback | PacketRefusal {
  const packetId = reader.packetId();
  if (typeof packetId !== 'number') return packetId;
  if (level !== 5) {
    const properties = NO_PROPERTIES;
    return reader.finish() ?? { type: 'unsuback', packetId, reasonCodes: [], properties };
  }
  const properties = readProperties(reader, PLACE.ack);
  if (properties instanceof PacketRefusal) return properties;
  const rule = '[MQTT-3.11.3-1] [MQTT-3.11.3-2]';
  const reasonCodes = decodeReasonCodes(reader, UNSUBACK_REASONS, rule);
  if (reasonCodes instanceof PacketRefusal) return reasonCodes;
  return { type: 'unsuback', packetId, reasonCodes, properties };
}

/** Reads one reason code at least, up to the end. */
function decodeReasonCodes(
  reader: Reader,
  allowed: ReadonlySet<number>,
  rule: string,
): number[] | PacketRefusal {
  const codes: number[] = [];
  do {
    if (codes.length === FILTERS_PER_PACKET_MAX) {
      return beyondLimit(`more than ${codes.length} reason codes`, REASON.quotaExceeded);
    }
    const code = reader.byte('reason code', rule);
    if (typeof code !== 'number') return code;
    if (!allowed.has(code)) return protocolError(`reserved reason code ${code} (${rule})`);
    codes.push(code);
  } while (!reader.isAtEnd);
  return codes;
}

/** SUBACK in MQTT 3.1.1. [MQTT-3.9.3-2] */
const RETURN_CODES: ReadonlySet<number> = new Set([0, 1, 2, 0x80]);
