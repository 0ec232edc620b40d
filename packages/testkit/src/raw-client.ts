/** An MQTT client that does what a test says, right or wrong, byte for byte. @module */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TLSSocket, connect } from 'node:tls';
import type { Bundle } from '@holdfast/device';
import { Refusal, prepareSignedJson } from '@holdfast/protocol';
import {
  type Connect,
  FrameSplitter,
  type ProtocolLevel,
  type ServerPacket,
  type Subscription,
  decodeFromServer,
  encodeConnect,
  encodeSubscribe,
  encodeUnsubscribe,
} from '@holdfast/protocol/mqtt';

/** How long a test waits for what must come, on a machine that is slow and busy. */
const WAIT_MS = 60_000;

/** What it takes to connect as a device. */
export type DeviceIdentity = Pick<
  Bundle,
  'device' | 'broker' | 'anchorPem' | 'certificatePem' | 'privateKey'
>;

/** Members of a CONNECT that differ from the usual: MQTT 3.1.1, and nothing kept. */
export type ConnectFields = Partial<Omit<Connect, 'type'>>;

/** The CONNECT of a device, as bytes. */
export function connectPacket(
  { device }: { readonly device: string },
  fields: ConnectFields = {},
): Uint8Array {
  return encodeConnect({
    protocolLevel: 4,
    clientId: device,
    cleanStart: true,
    keepAliveS: 60,
    will: undefined,
    userName: undefined,
    password: undefined,
    properties: {},
    ...fields,
  });
}

/** A SUBSCRIBE, as bytes. */
export function subscribePacket(
  packetId: number,
  subscriptions: readonly Pick<Subscription, 'filter' | 'qos'>[],
  level: ProtocolLevel = 4,
): Uint8Array {
  const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const lines = subscriptions.map((subscription) => ({ ...subscription, ...options }));
  return encodeSubscribe({ packetId, subscriptions: lines, properties: {} }, level);
}

/** An UNSUBSCRIBE of MQTT 3.1.1, as bytes. */
export function unsubscribePacket(packetId: number, filters: readonly string[]): Uint8Array {
  return encodeUnsubscribe({ packetId, filters, userProperties: [] }, 4);
}

/** A payload as a device signs it; `members` carry the counter. */
export function signedPayload(bundle: Bundle, members: Record<string, unknown>): Buffer {
  const { signedBytes, finish } = prepareSignedJson(members);
  return Buffer.from(
    finish(createHmac('sha256', bundle.payloadKey).update(signedBytes).digest('hex')),
  );
}

/** A TLS connection to the broker. It ends at the latest with the server. */
export class RawClient {
  readonly socket: TLSSocket;
  readonly #level: ProtocolLevel;
  readonly #splitter = new FrameSplitter({ packetBytesMax: 1_000_000 });
  readonly #chunks: Buffer[] = [];
  readonly #closed: Promise<void>;
  #isClosed = false;
  #wake: () => void = () => {};

  private constructor(socket: TLSSocket, level: ProtocolLevel) {
    this.socket = socket;
    this.#level = level;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#splitter.push(chunk);
      this.#wake();
    });
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  /**
   * Connects with TLS; no MQTT yet. Resolves when the client's side of the handshake is done.
   * @param level - Of the CONNECT that is going to be sent.
   */
  static open(identity: DeviceIdentity, level: ProtocolLevel = 4): Promise<RawClient> {
    const { host, port } = identity.broker;
    const socket = connect({
      host,
      port,
      servername: host,
      ca: identity.anchorPem,
      cert: identity.certificatePem,
      key: identity.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      minVersion: 'TLSv1.3',
    });
    socket.setNoDelay(true);
    const client = new RawClient(socket, level);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('secureConnect', () => resolve(client));
    });
  }

  /** Connects with TLS and MQTT. */
  static async connect(identity: DeviceIdentity, fields: ConnectFields = {}): Promise<RawClient> {
    const client = await RawClient.open(identity, fields.protocolLevel);
    client.send(connectPacket(identity, fields));
    const { reasonCode } = await client.expect('connack');
    assert.equal(reasonCode, 0);
    return client;
  }

  /** All bytes that came so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Writes packets, or any bytes, in one go. */
  send(...packets: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(packets));
  }

  /** The next packet. Rejects when none comes, or none can. */
  async next(timeoutMs = WAIT_MS): Promise<ServerPacket> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const found = this.#splitter.next();
      if (found === true) return this.#decode();
      if (found !== false) throw new Error(`the server sent no frame: ${found.detail}`);
      if (this.#isClosed) throw new Error('the server closed the connection');
      await this.#waitForData(endMs - performance.now());
    }
  }

  /** The next packet, which must be of this type. */
  async expect<T extends ServerPacket['type']>(
    type: T,
  ): Promise<Extract<ServerPacket, { type: T }>> {
    const packet = await this.next();
    assert.equal(packet.type, type, JSON.stringify(packet));
    return packet as Extract<ServerPacket, { type: T }>;
  }

  /** Resolves when the connection is closed; rejects when it stays open. */
  async closed(timeoutMs = WAIT_MS): Promise<void> {
    this.socket.resume();
    await withTimeout(this.#closed, timeoutMs, 'the connection to be closed');
  }

  /** Closes without a goodbye. */
  async abort(): Promise<void> {
    this.socket.destroy();
    await this.#closed;
  }

  #decode(): ServerPacket {
    const { first, buf, start, end } = this.#splitter;
    const packet = decodeFromServer(first, buf, start, end, this.#level);
    if (packet instanceof Refusal) throw new Error(`the server sent ${packet.detail}`);
    return packet;
  }

  #waitForData(timeoutMs: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return withTimeout(woken, timeoutMs, 'a packet');
  }
}

async function withTimeout<T>(wanted: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const fail = (): void => reject(new Error(`waited in vain for ${what}`));
    timer = setTimeout(fail, Math.max(0, timeoutMs));
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    clearTimeout(timer);
  }
}
