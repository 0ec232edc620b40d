/** A connection of a device that does what no SDK would: it publishes any bytes on any topic. @module */
import { isIP } from 'node:net';
import { type TLSSocket, connect } from 'node:tls';
import type { Bundle } from '@holdfast/device';
import { Refusal } from '@holdfast/protocol';
import {
  FrameSplitter,
  decodeFromServer,
  encodeConnect,
  encodeDisconnect,
  encodePublish,
} from '@holdfast/protocol/mqtt';
import { BARE_ANSWER_MS_MAX } from './limits.ts';

/** Largest packet from the server, in bytes: acknowledgements alone are expected. */
const PACKET_BYTES_MAX = 4_096;
const KEEP_ALIVE_S = 60;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** MQTT 3.1.1 by the certificate of a device, and nothing else of the device. */
export class BareLink {
  readonly #socket: TLSSocket;
  readonly #splitter = new FrameSplitter({ packetBytesMax: PACKET_BYTES_MAX });
  /** By packet id; 0 waits for the CONNACK. */
  readonly #waiting = new Map<number, Waiting>();
  #packetId = 0;
  #isClosed = false;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setTimeout(BARE_ANSWER_MS_MAX, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // What went wrong is told by the close that follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
  }

  /** Connects. Rejects when the server cannot be reached, or refuses the connection. */
  static async open(bundle: Bundle): Promise<BareLink> {
    const { host, port } = bundle.broker;
    const socket = connect({
      host,
      port,
      // Server name indication has no form for an address. RFC 6066 §3
      ...(isIP(host) === 0 && { servername: host }),
      ca: bundle.anchorPem,
      cert: bundle.certificatePem,
      ...bundle.tlsKey(),
      minVersion: 'TLSv1.3',
      rejectUnauthorized: true,
    });
    const link = new BareLink(socket);
    const answered = link.#answerTo(0);
    socket.once('secureConnect', () => socket.write(connectOf(bundle.device)));
    await answered;
    return link;
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Publishes with QoS 1; resolves when the server has answered, rejects when it hangs up. */
  publish(topic: string, payload: Uint8Array): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('the server has closed the connection'));
    this.#packetId = (this.#packetId % 65_535) + 1;
    const packetId = this.#packetId;
    const answered = this.#answerTo(packetId);
    this.#socket.write(encodePublish(topic, payload, { qos: 1, packetId }));
    return answered;
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.end(encodeDisconnect());
    this.#socket.setTimeout(2_000, () => this.#socket.destroy());
    await closed;
  }

  #answerTo(packetId: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.set(packetId, { resolve, reject }));
  }

  #receive(chunk: Buffer): void {
    this.#splitter.push(chunk);
    while (this.#splitter.next() === true) {
      const { first, buf, start, end } = this.#splitter;
      const packet = decodeFromServer(first, buf, start, end, 4);
      if (packet instanceof Refusal) return void this.#socket.destroy();
      if (packet.type === 'connack' && packet.reasonCode === 0) this.#answered(0);
      else if (packet.type === 'connack') return void this.#socket.destroy();
      else if (packet.type === 'puback') this.#answered(packet.packetId);
    }
  }

  #answered(packetId: number): void {
    this.#waiting.get(packetId)?.resolve();
    this.#waiting.delete(packetId);
  }

  #closed(): void {
    this.#isClosed = true;
    const error = new Error('the server has closed the connection');
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function connectOf(clientId: string): Uint8Array {
  return encodeConnect({
    protocolLevel: 4,
    clientId,
    cleanStart: true,
    keepAliveS: KEEP_ALIVE_S,
    will: undefined,
    userName: undefined,
    password: undefined,
    properties: {},
  });
}
