/**
 * Decodes frames into packets, strictly: whatever the standard forbids is a refusal. One function
 * for each direction, as what a peer may send depends on which end it is.
 * @see MQTT 3.1.1 §2, §3, MQTT 5 §2, §3
 * @module
 */
import { decodeAck, decodeConnack, decodeSuback, decodeUnsuback } from './decode-ack.ts';
import { decodeConnect } from './decode-connect.ts';
import { decodeAuth, decodeDisconnect } from './decode-disconnect.ts';
import { decodePublish } from './decode-publish.ts';
import { decodeSubscribe, decodeUnsubscribe } from './decode-subscribe.ts';
import { PacketRefusal, malformed, protocolError } from './packet-refusal.ts';
import {
  type Bare,
  type ClientPacket,
  PACKET_TYPE,
  type ProtocolLevel,
  type ServerPacket,
} from './packets.ts';
import { PLACE } from './property-table.ts';
import { Reader } from './reader.ts';
import type { TopicReader } from './topic-reader.ts';

/**
 * Decodes a packet that a client sent, from what `FrameSplitter.next` shows.
 *
 * @param first - First byte of the frame: packet type and flags.
 * @param start - Offset in `buf` of the first byte after the remaining length.
 * @param end - Offset in `buf` of the first byte after the frame.
 * @param level - What the CONNECT of this connection said; a CONNECT is decoded whatever it is.
 * @param topics - Memory of this connection's topics, to read them faster.
 * @returns the packet, with views into `buf`; or `E_WIRE_PACKET` with the rule that was broken;
 *   or `E_WIRE_SIZE` for a topic or a list beyond a limit of ours.
 */
export function decodeFromClient(
  first: number,
  buf: Uint8Array,
  start: number,
  end: number,
  level: ProtocolLevel = 4,
  topics?: TopicReader,
): ClientPacket | PacketRefusal {
  const type = first >> 4;
  if (type === PACKET_TYPE.publish) {
    return decodePublish(first, buf, start, end, level, PLACE.publishFromClient, topics);
  }
  const problem = checkFlags(first);
  if (problem !== undefined) return problem;
  const reader = new Reader(buf, start, end);
  switch (type) {
    case PACKET_TYPE.puback:
      return decodeAck('puback', reader, level);
    case PACKET_TYPE.pubrec:
      return decodeAck('pubrec', reader, level);
    case PACKET_TYPE.pubrel:
      return decodeAck('pubrel', reader, level);
    case PACKET_TYPE.pubcomp:
      return decodeAck('pubcomp', reader, level);
    case PACKET_TYPE.connect:
      return decodeConnect(reader);
    case PACKET_TYPE.subscribe:
      return decodeSubscribe(reader, level);
    case PACKET_TYPE.unsubscribe:
      return decodeUnsubscribe(reader, level);
    case PACKET_TYPE.pingreq:
      return decodeBare('pingreq', reader);
    case PACKET_TYPE.disconnect:
      return decodeDisconnect(reader, level, 'client');
    case PACKET_TYPE.auth:
      return level === 5 ? decodeAuth(reader, 'client') : notFrom('client', type);
    case PACKET_TYPE.pingresp: {
      const ping = decodeBare('pingresp', reader);
      return ping instanceof PacketRefusal ? ping : notFrom('client', type);
    }
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
  level: ProtocolLevel = 4,
  topics?: TopicReader,
): ServerPacket | PacketRefusal {
  const type = first >> 4;
  if (type === PACKET_TYPE.publish) {
    return decodePublish(first, buf, start, end, level, PLACE.publishFromServer, topics);
  }
  const problem = checkFlags(first);
  if (problem !== undefined) return problem;
  const reader = new Reader(buf, start, end);
  switch (type) {
    case PACKET_TYPE.puback:
      return decodeAck('puback', reader, level);
    case PACKET_TYPE.pubrec:
      return decodeAck('pubrec', reader, level);
    case PACKET_TYPE.pubrel:
      return decodeAck('pubrel', reader, level);
    case PACKET_TYPE.pubcomp:
      return decodeAck('pubcomp', reader, level);
    case PACKET_TYPE.connack:
      return decodeConnack(reader, level);
    case PACKET_TYPE.suback:
      return decodeSuback(reader, level);
    case PACKET_TYPE.unsuback:
      return decodeUnsuback(reader, level);
    case PACKET_TYPE.pingresp:
      return decodeBare('pingresp', reader);
    case PACKET_TYPE.disconnect:
      return level === 5 ? decodeDisconnect(reader, level, 'server') : notFrom('server', type);
    case PACKET_TYPE.auth:
      return level === 5 ? decodeAuth(reader, 'server') : notFrom('server', type);
    default:
      return notFrom('server', type);
  }
}

/** The flags of every packet but PUBLISH are fixed. MQTT 3.1.1 §2.2.2, MQTT 5 §2.1.3 */
function checkFlags(first: number): PacketRefusal | undefined {
  const type = first >> 4;
  const isSubscribe = type === PACKET_TYPE.subscribe;
  const isUnsubscribe = type === PACKET_TYPE.unsubscribe;
  const isPubrel = type === PACKET_TYPE.pubrel;
  const flags = isSubscribe || isUnsubscribe || isPubrel ? 0b0010 : 0;
  if ((first & 0x0f) === flags) return undefined;
  const detail =
    'wrong flags in the first byte ' +
    `(MQTT 3.1.1 [MQTT-2.2.2-2], MQTT 5 [MQTT-2.1.3-1]${FLAG_RULES.get(type) ?? ''})`;
  return FLAGS_PROTOCOL_ERROR.has(type) ? protocolError(detail) : malformed(detail);
}

function decodeBare<T extends 'pingreq' | 'pingresp'>(
  type: T,
  reader: Reader,
): Bare<T> | PacketRefusal {
  const problem = reader.finish();
  if (problem === undefined) return { type };
  const { code, detail, reasonCode } = problem;
  return new PacketRefusal(code, detail, { reasonCode, isSilent: true });
}

function notFrom(sender: 'client' | 'server', type: number): PacketRefusal {
  return protocolError(
    `packet type ${type} may not come from a ${sender} (MQTT 3.1.1 §2.2.1, MQTT 5 §2.1.2)`,
  );
}

/** Packets whose flags have a rule of their own besides the general one. */
const FLAG_RULES: ReadonlyMap<number, string> = new Map([
  [PACKET_TYPE.pubrel, ', [MQTT-3.6.1-1]'],
  [PACKET_TYPE.subscribe, ', [MQTT-3.8.1-1]'],
  [PACKET_TYPE.unsubscribe, ', [MQTT-3.10.1-1]'],
  [PACKET_TYPE.disconnect, ', [MQTT-3.14.1-1]'],
  [PACKET_TYPE.auth, ', [MQTT-3.15.1-1]'],
]);

/** The standard leaves open which reason wrong flags have; other servers say it of these. */
const FLAGS_PROTOCOL_ERROR: ReadonlySet<number> = new Set([
  0,
  PACKET_TYPE.connack,
  PACKET_TYPE.pubrel,
  PACKET_TYPE.disconnect,
  PACKET_TYPE.auth,
]);
