/** One device of a large fleet: connects, comes back by itself, publishes signed readings. @module */
import { type KeyObject, createHmac, createSecretKey } from 'node:crypto';
import { type SecureContext, type TLSSocket, connect, createSecureContext } from 'node:tls';
import { prepareSignedJson } from '@holdfast/protocol';
import { FrameScanner, TYPE, connectFrame, publishFrame, subscribeFrame } from '../load/frames.ts';
import type { Member } from './fleet.ts';

/** First and longest pause before a device tries again, as clients usually do it. */
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 16_000;
const PACKET_ID_MAX = 65_535;

/** All devices of a process read into the same memory: what they get is taken at once. */
const readBuffer = Buffer.allocUnsafeSlow(16_384);
const NO_PROPERTIES = Buffer.alloc(0);

/** What a device needs to know. */
export interface FleetDeviceOptions {
  readonly member: Member;
  readonly port: number;
  readonly anchorPem: string;
  /** The address it comes from. */
  readonly localAddress: string;
}

/** A device. */
export class FleetDevice {
  isOpen = false;
  isResumed = false;
  /** Connections that ended before CONNACK. */
  retries = 0;
  /** Connections that ended after it, and not by our own {@link drop}. */
  lost = 0;
  /** When the message was due whose PUBACK is waited for; 0 for none. */
  waitingSinceMs = 0;
  problem: string | undefined;
  onOpen: () => void = () => {};
  /** The connection has ended, and not by our own {@link drop}. */
  onLost: () => void = () => {};
  onAcknowledged: (dueMs: number) => void = () => {};
  onSubscribed: (isGranted: boolean) => void = () => {};
  readonly #options: FleetDeviceOptions;
  readonly #context: SecureContext;
  readonly #key: KeyObject;
  readonly #topic: string;
  #socket: TLSSocket | undefined;
  #ticket: Buffer | undefined;
  #isWanted = false;
  #retryMs = RETRY_MS;
  #counter = 0;

  constructor(options: FleetDeviceOptions) {
    const { member, anchorPem: ca } = options;
    this.#options = options;
    this.#key = createSecretKey(Buffer.from(member.payloadKeyHex, 'hex'));
    this.#topic = `d/${member.id}/telemetry`;
    const { certificatePem: cert, keyPem: key } = member;
    this.#context = createSecureContext({ ca, cert, key, minVersion: 'TLSv1.3' });
  }

  /** Connects, by the ticket of before if there is one, until it is in. */
  connect(): void {
    this.#isWanted = true;
    this.#retryMs = RETRY_MS;
    this.#connect();
  }

  /** Ends the connection without a goodbye of MQTT. */
  drop(): void {
    this.#isWanted = false;
    this.#socket?.destroy();
  }

  /** Publishes a reading with QoS 1. */
  publish(dueMs: number): void {
    this.waitingSinceMs = dueMs;
    this.#counter += 1;
    const { signedBytes, finish } = prepareSignedJson({
      ctr: this.#counter,
      ts: Date.now(),
      temp: 20 + (this.#counter % 10),
    });
    const payload = finish(createHmac('sha256', this.#key).update(signedBytes).digest('hex'));
    const packetId = (this.#counter % PACKET_ID_MAX) + 1;
    const options = { qos: 1, packetId, properties: NO_PROPERTIES } as const;
    this.#socket?.write(publishFrame(this.#topic, Buffer.from(payload), options));
  }

  /** Subscribes to its commands. */
  subscribe(): void {
    const filter = `d/${this.#options.member.id}/cmd/#`;
    this.#socket?.write(subscribeFrame(filter, { qos: 1, level: 4 }));
  }

  #connect(): void {
    const { port, localAddress, member } = this.#options;
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      secureContext: this.#context,
      ...(this.#ticket !== undefined && { session: this.#ticket }),
      ...netOptions(localAddress, (chunk) => scanner.push(chunk)),
    });
    const scanner = new FrameScanner((first, bytes, start) => this.#take(first, bytes, start));
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('session', (ticket: Buffer) => (this.#ticket = ticket));
    socket.on('error', (error) => (this.problem = String(error)));
    socket.on('close', () => this.#closed());
    socket.once('secureConnect', () => {
      this.isResumed = socket.isSessionReused();
      socket.write(connectFrame(member.id, 4));
    });
  }

  #take(first: number, bytes: Buffer, start: number): void {
    switch (first >> 4) {
      case TYPE.connack:
        if (bytes[start + 1] !== 0) this.problem = `CONNACK ${bytes[start + 1]}`;
        else {
          this.isOpen = true;
          this.onOpen();
        }
        break;
      case TYPE.suback:
        this.onSubscribed(bytes[start + 2] !== 0x80);
        break;
      case TYPE.puback: {
        const dueMs = this.waitingSinceMs;
        this.waitingSinceMs = 0;
        this.onAcknowledged(dueMs);
        break;
      }
      default:
        this.problem = `packet 0x${first.toString(16)}`;
    }
  }

  #closed(): void {
    const wasOpen = this.isOpen;
    this.isOpen = false;
    this.waitingSinceMs = 0;
    if (!this.#isWanted) return;
    if (wasOpen) {
      this.lost += 1;
      this.onLost();
    } else this.retries += 1;
    const pauseMs = this.#retryMs * (0.5 + Math.random() / 2);
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX);
    setTimeout(() => this.#isWanted && this.#connect(), pauseMs);
  }
}

/** The types of Node know these for plain sockets only; TLS sockets have them all the same. */
function netOptions(localAddress: string, take: (chunk: Buffer) => void): object {
  const callback = (count: number): boolean => {
    take(readBuffer.subarray(0, count));
    return true;
  };
  return { localAddress, onread: { buffer: readBuffer, callback } };
}
