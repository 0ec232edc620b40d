/**
 * Decodes frames into packets, strictly: whatever the standard forbids is a refusal.
 *
 * One function for each direction, as what a peer may send depends on which end it is. The
 * version of a connection is fixed by its CONNECT; MQTT 5 becomes a second pair of functions that
 * shares the readers below and differs where properties and reason codes stand.
 * @see MQTT 3.1.1 §2, §3
 * @module
 */
import { type Refusal, refuse } from '../refusal.ts';
import { decodeConnack, decodeConnect } from './decode-connect.ts';
import { decodePublish } from './decode-publish.ts';
import { decodeSuback, decodeSubscribe, decodeUnsubscribe } from './decode-subscribe.ts';
import {
  type Ack,
  type Bare,
  type ClientPacket,
  PACKET_TYPE,
  type ServerPacket,
} from './packets.ts';
import { Reader } from './reader.ts';

/**
 * Decodes a packet that a client sent, from what `FrameSplitter.next` shows.
 *
 * @param first - First byte of the frame: packet type and flags.
 * @param start - Offset in `buf` of the first byte after the remaining length.
 * @param end - Offset in `buf` of the first byte after the frame.
 * @returns the packet, with views into `buf`; or `E_WIRE_PACKET` with the rule that was broken;
 *   or `E_WIRE_SIZE` for a topic or a list beyond a limit of ours.
 */
export function decodeFromClient(
  first: number,
  buf: Uint8Array,
  start: number,
  end: number,
): ClientPacket | Refusal {
  const type = first >> 4;
  if (type === PACKET_TYPE.publish) return decodePublish(first, buf, start, end);
  const problem = checkFlags(first);
  if (problem !== undefined) return problem;
  const reader = new Reader(buf, start, end);
  switch (type) {
    case PACKET_TYPE.puback:
      return decodeAck('puback', reader);
    case PACKET_TYPE.pubrec:
      return decodeAck('pubrec', reader);
    case PACKET_TYPE.pubrel:
      return decodeAck('pubrel', reader);
    case PACKET_TYPE.pubcomp:
      return decodeAck('pubcomp', reader);
    case PACKET_TYPE.connect:
      return decodeConnect(reader);
    case PACKET_TYPE.subscribe:
      return decodeSubscribe(reader);
    case PACKET_TYPE.unsubscribe:
      return decodeUnsubscribe(reader);
    case PACKET_TYPE.pingreq:
      return decodeBare('pingreq', reader);
    case PACKET_TYPE.disconnect:
      return decodeBare('disconnect', reader);
    default:
      return notFrom('client', type);
  }
}

/** Decodes a packet that a server sent. Otherwise as {@link decodeFromClient}. */
export function decodeFromServer(
  first: number,
  buf: Uint8Array,
  start: number,
  end: number,
): ServerPacket | Refusal {
  const type = first >> 4;
  if (type === PACKET_TYPE.publish) return decodePublish(first, buf, start, end);
  const problem = checkFlags(first);
  if (problem !== undefined) return problem;
  const reader = new Reader(buf, start, end);
  switch (type) {
    case PACKET_TYPE.puback:
      return decodeAck('puback', reader);
    case PACKET_TYPE.pubrec:
      return decodeAck('pubrec', reader);
    case PACKET_TYPE.pubrel:
      return decodeAck('pubrel', reader);
    case PACKET_TYPE.pubcomp:
      return decodeAck('pubcomp', reader);
    case PACKET_TYPE.connack:
      return decodeConnack(reader);
    case PACKET_TYPE.suback:
      return decodeSuback(reader);
    case PACKET_TYPE.unsuback:
      return decodeAck('unsuback', reader);
    case PACKET_TYPE.pingresp:
      return decodeBare('pingresp', reader);
    default:
      return notFrom('server', type);
  }
}

/** The flags of every packet but PUBLISH are fixed. MQTT 3.1.1 §2.2.2 */
function checkFlags(first: number): Refusal | undefined {
  const type = first >> 4;
  const isSubscribe = type === PACKET_TYPE.subscribe;
  const isUnsubscribe = type === PACKET_TYPE.unsubscribe;
  const isPubrel = type === PACKET_TYPE.pubrel;
  const flags = isSubscribe || isUnsubscribe || isPubrel ? 0b0010 : 0;
  if ((first & 0x0f) === flags) return undefined;
  const rule = FLAG_RULES.get(type) ?? '';
  return refuse('E_WIRE_PACKET', `wrong flags in the first byte [MQTT-2.2.2-2]${rule}`);
}

function decodeAck<T extends 'puback' | 'pubrec' | 'pubrel' | 'pubcomp' | 'unsuback'>(
  type: T,
  reader: Reader,
): Ack<T> | Refusal {
  const packetId = reader.packetId();
  if (typeof packetId !== 'number') return packetId;
  return reader.finish() ?? { type, packetId };
}

function decodeBare<T extends 'pingreq' | 'pingresp' | 'disconnect'>(
  type: T,
  reader: Reader,
): Bare<T> | Refusal {
  return reader.finish() ?? { type };
}

function notFrom(sender: 'client' | 'server', type: number): Refusal {
  return refuse(
    'E_WIRE_PACKET',
    `packet type ${type} may not come from a ${sender} (MQTT 3.1.1 §2.2.1)`,
  );
}

/** Packets whose flags have a rule of their own besides the general one. */
const FLAG_RULES: ReadonlyMap<number, string> = new Map([
  [PACKET_TYPE.pubrel, ' [MQTT-3.6.1-1]'],
  [PACKET_TYPE.subscribe, ' [MQTT-3.8.1-1]'],
  [PACKET_TYPE.unsubscribe, ' [MQTT-3.10.1-1]'],
  [PACKET_TYPE.disconnect, ' [MQTT-3.14.1-1]'],
]);
