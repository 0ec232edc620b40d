/** Decodes CONNECT and its answer CONNACK. @module */
import { type Refusal, refuse } from '../refusal.ts';
import { checkTopicName } from '../topics.ts';
import type { Connack, ConnackCode, Connect, ConnectUnsupported, Will } from './packets.ts';
import { PROTOCOL_VIOLATION, type Reader } from './reader.ts';

/**
 * Decodes the body of a CONNECT. Of a version other than 3.1.1 only name and level are read.
 *
 * An empty client id without a clean session passes: its answer is a CONNACK. [MQTT-3.1.3-8]
 * @see MQTT 3.1.1 §3.1
 */
export function decodeConnect(reader: Reader): Connect | ConnectUnsupported | Refusal {
  const protocolName = reader.text('protocol name', '[MQTT-3.1.2-1]');
  if (protocolName !== 'MQTT' && protocolName !== 'MQIsdp') {
    if (typeof protocolName !== 'string') return protocolName;
    return refuse('E_WIRE_PACKET', 'the protocol name is not "MQTT" [MQTT-3.1.2-1]');
  }
  const protocolLevel = reader.byte('protocol level', '[MQTT-3.1.2-2]');
  if (typeof protocolLevel !== 'number') return protocolLevel;
  if (protocolName !== 'MQTT' || protocolLevel !== 4) {
    return { type: 'connectUnsupported', protocolName, protocolLevel };
  }
  const flags = reader.byte('connect flags', PROTOCOL_VIOLATION);
  if (typeof flags !== 'number') return flags;
  return checkConnectFlags(flags) ?? decodeConnectFields(flags, reader);
}

/** Decodes the body of a CONNACK. @see MQTT 3.1.1 §3.2 */
export function decodeConnack(reader: Reader): Connack | Refusal {
  const flags = reader.byte('acknowledge flags', PROTOCOL_VIOLATION);
  if (typeof flags !== 'number') return flags;
  const returnCode = reader.byte('return code', PROTOCOL_VIOLATION);
  if (typeof returnCode !== 'number') return returnCode;
  if (flags > 1) {
    return refuse('E_WIRE_PACKET', 'reserved CONNACK flags are set (MQTT 3.1.1 §3.2.2.1)');
  }
  if (!isConnackCode(returnCode)) {
    return refuse('E_WIRE_PACKET', 'reserved CONNACK return code (MQTT 3.1.1 §3.2.2.3)');
  }
  if (flags === 1 && returnCode !== 0) {
    return refuse('E_WIRE_PACKET', 'a refused CONNECT with a session present [MQTT-3.2.2-4]');
  }
  return reader.finish() ?? { type: 'connack', sessionPresent: flags === 1, returnCode };
}

function decodeConnectFields(flags: number, reader: Reader): Connect | Refusal {
  const keepAliveS = reader.uint16('keep-alive', PROTOCOL_VIOLATION);
  if (typeof keepAliveS !== 'number') return keepAliveS;
  const clientId = reader.text('client id', '[MQTT-3.1.3-3]');
  if (typeof clientId !== 'string') return clientId;
  const will = has(flags, FLAG.will) ? decodeWill(flags, reader) : undefined;
  if (will !== undefined && !('topic' in will)) return will;
  const userName = has(flags, FLAG.userName)
    ? reader.text('user name', '[MQTT-3.1.2-19]')
    : undefined;
  if (userName !== undefined && typeof userName !== 'string') return userName;
  const password = has(flags, FLAG.password)
    ? reader.binary('password', '[MQTT-3.1.2-21]')
    : undefined;
  if (password !== undefined && !(password instanceof Uint8Array)) return password;
  return (
    reader.finish('[MQTT-3.1.2-11] [MQTT-3.1.2-18] [MQTT-3.1.2-20]') ?? {
      type: 'connect',
      protocolLevel: 4,
      clientId,
      cleanSession: has(flags, FLAG.cleanSession),
      keepAliveS,
      will,
      userName,
      password,
    }
  );
}

function decodeWill(flags: number, reader: Reader): Will | Refusal {
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
  };
}

function checkConnectFlags(flags: number): Refusal | undefined {
  if (has(flags, FLAG.reserved)) {
    return refuse('E_WIRE_PACKET', 'the reserved connect flag is set [MQTT-3.1.2-3]');
  }
  const hasWill = has(flags, FLAG.will);
  if (!hasWill && willQos(flags) !== 0) {
    return refuse('E_WIRE_PACKET', 'will QoS without a will [MQTT-3.1.2-13]');
  }
  if (willQos(flags) === 3) return refuse('E_WIRE_PACKET', 'will QoS 3 [MQTT-3.1.2-14]');
  if (!hasWill && has(flags, FLAG.willRetain)) {
    return refuse('E_WIRE_PACKET', 'will retain without a will [MQTT-3.1.2-15]');
  }
  if (has(flags, FLAG.password) && !has(flags, FLAG.userName)) {
    return refuse('E_WIRE_PACKET', 'a password without a user name [MQTT-3.1.2-22]');
  }
  return undefined;
}

function has(flags: number, flag: number): boolean {
  return (flags & flag) !== 0;
}

function willQos(flags: number): number {
  return (flags >> 3) & 0b11;
}

function isConnackCode(code: number): code is ConnackCode {
  return code <= 5;
}

/** Connect flags. MQTT 3.1.1 §3.1.2.3 */
const FLAG = {
  reserved: 0x01,
  cleanSession: 0x02,
  will: 0x04,
  willRetain: 0x20,
  password: 0x40,
  userName: 0x80,
} as const;
