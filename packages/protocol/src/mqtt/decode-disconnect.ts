/** Decodes DISCONNECT and AUTH. @module */
import { NO_PROPERTIES, readProperties } from './decode-properties.ts';
import { PacketRefusal, protocolError } from './packet-refusal.ts';
import type { Auth, Disconnect, ProtocolLevel } from './packets.ts';
import { PLACE } from './property-table.ts';
import { PROTOCOL_VIOLATION, type Reader } from './reader.ts';
import {
  CLIENT_AUTH_REASONS,
  CLIENT_DISCONNECT_REASONS,
  SERVER_AUTH_REASONS,
  SERVER_DISCONNECT_REASONS,
} from './reason-sets.ts';

/**
 * Decodes the body of a DISCONNECT. Reason code and properties may be left out. MQTT 5 §3.14.2.1
 * @see MQTT 3.1.1 §3.14, MQTT 5 §3.14
 */
export function decodeDisconnect(
  reader: Reader,
  level: ProtocolLevel,
  sender: 'client' | 'server',
): Disconnect | PacketRefusal {
  if (level !== 5 || reader.isAtEnd) {
    return reader.finish() ?? { type: 'disconnect', reasonCode: 0, properties: NO_PROPERTIES };
  }
  const reasonCode = reader.byte('reason code', PROTOCOL_VIOLATION);
  if (typeof reasonCode !== 'number') return reasonCode;
  const [reasons, place] =
    sender === 'client'
      ? ([CLIENT_DISCONNECT_REASONS, PLACE.disconnectFromClient] as const)
      : ([SERVER_DISCONNECT_REASONS, PLACE.disconnectFromServer] as const);
  if (!reasons.has(reasonCode)) {
    return protocolError('a reason code that DISCONNECT has not [MQTT-3.14.2-1]');
  }
  const properties = reader.isAtEnd ? NO_PROPERTIES : readProperties(reader, place);
  if (properties instanceof PacketRefusal) return properties;
  return reader.finish() ?? { type: 'disconnect', reasonCode, properties };
}

/** Decodes the body of an AUTH. @see MQTT 5 §3.15 */
export function decodeAuth(reader: Reader, sender: 'client' | 'server'): Auth | PacketRefusal {
  // Only the success of a server may be left out, and with it all else. MQTT 5 §3.15.2.1
  const isEmpty = reader.isAtEnd;
  const reasonCode = isEmpty ? 0 : reader.byte('reason code', PROTOCOL_VIOLATION);
  if (typeof reasonCode !== 'number') return reasonCode;
  const reasons = sender === 'client' ? CLIENT_AUTH_REASONS : SERVER_AUTH_REASONS;
  if (!reasons.has(reasonCode)) {
    return protocolError(`a reason code that AUTH of a ${sender} has not [MQTT-3.15.2-1]`);
  }
  if (isEmpty) return { type: 'auth', reasonCode, properties: NO_PROPERTIES };
  const properties = readProperties(reader, PLACE.auth);
  if (properties instanceof PacketRefusal) return properties;
  if (properties.authMethod === undefined) {
    return protocolError('AUTH without an authentication method (MQTT 5 §3.15.2.2.2)');
  }
  return reader.finish() ?? { type: 'auth', reasonCode, properties };
}
