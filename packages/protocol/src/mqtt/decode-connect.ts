/** Decodes CONNECT. @module */
import { checkTopicName } from '../topics.ts';
import { NO_PROPERTIES, readProperties } from './decode-properties.ts';
import { PacketRefusal, malformed } from './packet-refusal.ts';
import type { Connect, ConnectUnsupported, ProtocolLevel, Will } from './packets.ts';
import { PLACE } from './property-table.ts';
import { PROTOCOL_VIOLATION, type Reader } from './reader.ts';
import { REASON, type ReasonCode } from './reason-codes.ts';

/**
 * Decodes the body of a CONNECT. Of a version that is not spoken here only name and level are
 * read. A refusal tells the level that was asked for.
 *
 * An empty client id passes, whatever comes with it: its answer is a CONNACK. [MQTT-3.1.3-8]
 * @see MQTT 3.1.1 §3.1, MQTT 5 §3.1
 */
export function decodeConnect(reader: Reader): Connect | ConnectUnsupported | PacketRefusal {
  const protocolName = reader.text('protocol name', '[MQTT-3.1.2-1]');
  if (protocolName !== 'MQTT' && protocolName !== 'MQIsdp') {
    if (typeof protocolName !== 'string') return protocolName;
    return malformed('the protocol name is not "MQTT" [MQTT-3.1.2-1]');
  }
  const number = reader.byte('protocol level', '[MQTT-3.1.2-2]');
  if (typeof number !== 'number') return number;
  const level = levelOf(protocolName, number);
  if (level === undefined) {
    return { type: 'connectUnsupported', protocolName, protocolLevel: number };
  }
  const connect = decodeFields(level, reader);
  return connect instanceof PacketRefusal ? explain(connect, { protocolLevel: level }) : connect;
}

function levelOf(protocolName: 'MQTT' | 'MQIsdp', number: number): ProtocolLevel | undefined {
  if (protocolName === 'MQIsdp') return number === 3 ? 3 : undefined;
  return number === 4 || number === 5 ? number : undefined;
}

function decodeFields(level: ProtocolLevel, reader: Reader): Connect | PacketRefusal {
  const flags = reader.byte('connect flags', PROTOCOL_VIOLATION);
  if (typeof flags !== 'number') return flags;
  const problem = checkFlags(flags, level);
  if (problem !== undefined) return explain(problem, { isSilent: true });
  // The fields in their order. MQTT 5 [MQTT-3.1.3-1], MQTT 3.1.1 [MQTT-3.1.3-1]
  const keepAliveS = reader.uint16('keep-alive', PROTOCOL_VIOLATION);
  if (typeof keepAliveS !== 'number') return keepAliveS;
  const properties = level === 5 ? readProperties(reader, PLACE.connect) : NO_PROPERTIES;
  if (properties instanceof PacketRefusal) return properties;
  const clientId = decodeClientId(reader);
  if (typeof clientId !== 'string') return clientId;
  const will = has(flags, FLAG.will) ? decodeWill(flags, level, reader) : undefined;
  if (will instanceof PacketRefusal) return will;
  const credentials = decodeCredentials(flags, reader);
  if (credentials instanceof PacketRefusal) return explain(credentials, { isSilent: true });
  return (
    reader.finish(NOT_FLAGGED) ?? {
      type: 'connect',
      protocolLevel: level,
      clientId,
      cleanStart: has(flags, FLAG.cleanStart),
      keepAliveS,
      will,
      ...credentials,
      properties,
    }
  );
}

function decodeClientId(reader: Reader): string | PacketRefusal {
  const clientId = reader.text('client id', CLIENT_ID_RULE);
  if (typeof clientId === 'string') return clientId;
  return explain(clientId, { reasonCode: REASON.clientIdNotValid });
}

function decodeWill(flags: number, level: ProtocolLevel, reader: Reader): Will | PacketRefusal {
  const properties = level === 5 ? readProperties(reader, PLACE.will) : NO_PROPERTIES;
  if (properties instanceof PacketRefusal) return properties;
  // MQTT 5 [MQTT-3.1.3-11], MQTT 3.1.1 [MQTT-3.1.3-10]; user properties keep their order:
  // MQTT 5 [MQTT-3.1.3-10]
  const topic = reader.text('will topic', '[MQTT-3.1.2-9]');
  if (typeof topic !== 'string') return topic;
  const problem = checkTopicName(topic);
  if (problem !== undefined) return problem;
  const payload = reader.binary('will message', '[MQTT-3.1.2-9]');
  if (!(payload instanceof Uint8Array)) return payload;
  const qos = willQos(flags);
  return {
    topic,
    payload,
    qos: qos === 1 || qos === 2 ? qos : 0,
    retain: has(flags, FLAG.willRetain),
    properties,
  };
}

function decodeCredentials(
  flags: number,
  reader: Reader,
): Pick<Connect, 'userName' | 'password'> | PacketRefusal {
  // MQTT 5 [MQTT-3.1.3-12], MQTT 3.1.1 [MQTT-3.1.3-11]
  const userName = has(flags, FLAG.userName) ? reader.text('user name', USER_NAME_RULE) : undefined;
  if (userName instanceof PacketRefusal) return userName;
  const password = has(flags, FLAG.password) ? reader.binary('password', PASSWORD_RULE) : undefined;
  if (password instanceof PacketRefusal) return password;
  return { userName, password };
}

function checkFlags(flags: number, level: ProtocolLevel): PacketRefusal | undefined {
  // MQTT 3.1 leaves the reserved bit open.
  if (level !== 3 && has(flags, FLAG.reserved)) {
    return malformed('the reserved connect flag is set [MQTT-3.1.2-3]');
  }
  const hasWill = has(flags, FLAG.will);
  if (!hasWill && willQos(flags) !== 0) return malformed(`will QoS without a will (${QOS_RULE})`);
  if (willQos(flags) === 3) return malformed(`will QoS 3 (${QOS_3_RULE})`);
  if (!hasWill && has(flags, FLAG.willRetain)) {
    return malformed(`will retain without a will (${RETAIN_RULE})`);
  }
  // MQTT 5 takes a password as any secret, with or without a name. MQTT 5 §3.1.2.9
  if (level !== 5 && has(flags, FLAG.password) && !has(flags, FLAG.userName)) {
    return malformed('a password without a user name (MQTT 3.1.1 [MQTT-3.1.2-22])');
  }
  return undefined;
}

/** The same refusal, saying more. */
function explain(
  refusal: PacketRefusal,
  more: {
    readonly reasonCode?: ReasonCode;
    readonly protocolLevel?: ProtocolLevel;
    readonly isSilent?: boolean;
  },
): PacketRefusal {
  const { code, detail, reasonCode, protocolLevel, isSilent } = refusal;
  return new PacketRefusal(code, detail, { reasonCode, protocolLevel, isSilent, ...more });
}

function has(flags: number, flag: number): boolean {
  return (flags & flag) !== 0;
}

function willQos(flags: number): number {
  return (flags >> 3) & 0b11;
}

/** Connect flags. MQTT 3.1.1 §3.1.2.3, MQTT 5 §3.1.2.3 */
const FLAG = {
  reserved: 0x01,
  cleanStart: 0x02,
  will: 0x04,
  willRetain: 0x20,
  password: 0x40,
  userName: 0x80,
} as const;

const CLIENT_ID_RULE = '[MQTT-3.1.3-3], MQTT 5 [MQTT-3.1.3-4]';
const QOS_RULE = 'MQTT 3.1.1 [MQTT-3.1.2-13], MQTT 5 [MQTT-3.1.2-11]';
const QOS_3_RULE = 'MQTT 3.1.1 [MQTT-3.1.2-14], MQTT 5 [MQTT-3.1.2-12]';
const RETAIN_RULE = 'MQTT 3.1.1 [MQTT-3.1.2-15], MQTT 5 [MQTT-3.1.2-13]';
const USER_NAME_RULE = 'MQTT 3.1.1 [MQTT-3.1.2-19], MQTT 5 [MQTT-3.1.2-17]';
const PASSWORD_RULE = 'MQTT 3.1.1 [MQTT-3.1.2-21], MQTT 5 [MQTT-3.1.2-19]';
/** A will, a user name or a password that no flag announced. */
const NOT_FLAGGED =
  'MQTT 3.1.1 [MQTT-3.1.2-11] [MQTT-3.1.2-18] [MQTT-3.1.2-20], ' +
  'MQTT 5 [MQTT-3.1.2-16] [MQTT-3.1.2-18]';
