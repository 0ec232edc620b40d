/** The few MQTT frames that the load writes and reads: the same bytes for every broker. @module */

/** Protocol level in CONNECT: 4 is MQTT 3.1.1, 5 is MQTT 5. */
export type Level = 4 | 5;
export type Qos = 0 | 1;

/** First bytes of the packets that the load meets, without their flags. */
export const TYPE = { connack: 2, publish: 3, puback: 4, suback: 9, disconnect: 14 } as const;

const KEEP_ALIVE_S = 600;
const RECEIVE_MAXIMUM = 65_535;

/** CONNECT with a clean session. At level 5 it allows as much in flight as there can be. */
export function connectFrame(clientId: string, level: Level): Buffer {
  const receiveMaximum = [0x21, RECEIVE_MAXIMUM >> 8, RECEIVE_MAXIMUM & 0xff];
  const properties = level === 5 ? [receiveMaximum.length, ...receiveMaximum] : [];
  return frame(0x10, [
    text('MQTT'),
    Buffer.from([level, 0x02, KEEP_ALIVE_S >> 8, KEEP_ALIVE_S & 0xff, ...properties]),
    text(clientId),
  ]);
}

/** SUBSCRIBE with packet id 1. */
export function subscribeFrame(filter: string, options: { qos: Qos; level: Level }): Buffer {
  const properties = options.level === 5 ? [0] : [];
  const end = Buffer.from([options.qos]);
  return frame(0x82, [Buffer.from([0, 1, ...properties]), text(filter), end]);
}

/** DISCONNECT. */
export function disconnectFrame(): Buffer {
  return Buffer.from([0xe0, 0]);
}

/** Properties of a PUBLISH at level 5: pairs of user properties. */
export function userProperties(pairs: readonly (readonly [string, string])[]): Buffer {
  const body = Buffer.concat(
    pairs.flatMap(([name, value]) => [Buffer.from([0x26]), text(name), text(value)]),
  );
  return Buffer.concat([varint(body.length), body]);
}

/** PUBLISH; `properties` is what {@link userProperties} gives, empty at level 4. */
export function publishFrame(
  topic: string,
  payload: Buffer,
  options: { qos: Qos; packetId: number; properties: Buffer },
): Buffer {
  const { qos, packetId, properties } = options;
  const id = qos === 0 ? Buffer.alloc(0) : Buffer.from([packetId >> 8, packetId & 0xff]);
  return frame(0x30 | (qos << 1), [text(topic), id, properties, payload]);
}

/** Takes one packet: its first byte, and where its variable header starts and the packet ends. */
export type TakePacket = (first: number, bytes: Buffer, start: number, end: number) => void;

/** Cuts a stream into packets without copying, but for the one that a chunk ends within. */
export class FrameScanner {
  readonly #take: TakePacket;
  #rest: Buffer = Buffer.alloc(0);

  constructor(take: TakePacket) {
    this.#take = take;
  }

  /** Scans a chunk. The bytes are read before this returns, so the caller may reuse them. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + 1 < bytes.length) {
      let length = 0;
      let shift = 0;
      let next = at + 1;
      let byte = 0x80;
      while (byte >= 0x80 && next < bytes.length) {
        byte = bytes[next] ?? 0;
        next += 1;
        length += (byte & 0x7f) << shift;
        shift += 7;
      }
      if (byte >= 0x80 || next + length > bytes.length) break;
      this.#take(bytes[at] ?? 0, bytes, next, next + length);
      at = next + length;
    }
    // The chunk is reused by the next read: what is left of it must be copied.
    this.#rest = at === bytes.length ? EMPTY : Buffer.from(bytes.subarray(at));
  }
}

const EMPTY = Buffer.alloc(0);

function frame(first: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([first]), varint(length), ...parts]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const byte = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? byte | 0x80 : byte);
  } while (rest > 0);
  return Buffer.from(bytes);
}
