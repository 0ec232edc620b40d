/** One MQTT connection, from dialing to its end. It knows nothing of what comes before or after. @module */
import type { TLSSocket } from 'node:tls';
import { Refusal } from '@holdfast/protocol';
import {
  type Publish,
  FrameSplitter,
  type ServerPacket,
  type Suback,
  decodeFromServer,
  encodeConnect,
  encodeDisconnect,
  encodePingreq,
} from '@holdfast/protocol/mqtt';
import type { Bundle } from './bundle.ts';
import type { CancelTimer, Clock } from './clock.ts';
import { connectionError } from './connection-error.ts';
import { DeviceError } from './device-error.ts';
import { CLOSE_MS_MAX, CONNECT_MS_MAX, PACKET_BYTES_MAX, PING_ANSWER_MS_MAX } from './limits.ts';
import { openPinnedSocket } from './pinned-socket.ts';

/** What a link tells its owner. */
export interface LinkEvents {
  /** The server accepted the connection: packets may be written. */
  onOpen(): void;
  onPublish(publish: Publish): void;
  onPuback(packetId: number): void;
  onSuback(suback: Suback): void;
  /** What was written is on its way, after {@link MqttLink.isFull}. */
  onDrain(): void;
  /** Nothing follows. Called once, and not after {@link MqttLink.close}. */
  onEnd(error: DeviceError): void;
}

/** A connection to the broker. */
export class MqttLink {
  readonly #bundle: Bundle;
  readonly #clock: Clock;
  readonly #keepAliveS: number;
  readonly #events: LinkEvents;
  readonly #socket: TLSSocket;
  readonly #splitter = new FrameSplitter({ packetBytesMax: PACKET_BYTES_MAX });
  #state: 'dialing' | 'greeting' | 'open' | 'ended' = 'dialing';
  /** Set while the server owes an answer. */
  #cancelDeadline: CancelTimer | undefined;
  #cancelPing: CancelTimer = () => {};

  /** Dials at once. @param options - `keepAliveS`: longest silence toward the server, in seconds */
  constructor(
    bundle: Bundle,
    options: { readonly clock: Clock; readonly keepAliveS: number },
    events: LinkEvents,
  ) {
    this.#bundle = bundle;
    this.#clock = options.clock;
    this.#keepAliveS = options.keepAliveS;
    this.#events = events;
    this.#cancelDeadline = this.#clock.after(CONNECT_MS_MAX, () => this.#timeOut());
    const socket = openPinnedSocket(bundle, () => this.#greet());
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#events.onDrain());
    socket.on('error', (cause) => this.#end(this.#explain(connectionError(cause, bundle.broker))));
    socket.on('close', () => this.#end(this.#explain(this.#closedByServer())));
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** True while the network does not take what was written. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Writes packets, as one chunk. Without effect unless the link is open. */
  write(packets: readonly Uint8Array[]): void {
    if (this.#state === 'open' && packets.length > 0) this.#socket.write(Buffer.concat(packets));
  }

  /** Says goodbye and resolves when the socket is closed, forced after `CLOSE_MS_MAX`. */
  close(): Promise<void> {
    const socket = this.#socket;
    const wasOpen = this.#state === 'open';
    this.#state = 'ended';
    this.#cancelTimers();
    if (socket.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#clock.after(CLOSE_MS_MAX, () => socket.destroy());
      socket.once('close', () => {
        cancel();
        resolve();
      });
      if (wasOpen) socket.end(encodeDisconnect());
      else socket.destroy();
    });
  }

  #greet(): void {
    if (this.#state !== 'dialing') return;
    this.#state = 'greeting';
    const connect = encodeConnect({
      protocolLevel: 4,
      clientId: this.#bundle.device,
      cleanStart: true,
      keepAliveS: this.#keepAliveS,
      will: undefined,
      userName: undefined,
      password: undefined,
      properties: {},
    });
    this.#socket.write(connect);
  }

  #receive(chunk: Buffer): void {
    // Whatever arrives shows that the server is there.
    if (this.#state === 'open') this.#cancelAnswerDeadline();
    this.#splitter.push(chunk);
    while (this.#state !== 'ended') {
      const found = this.#splitter.next();
      if (found === false) return;
      const { first, buf, start, end } = this.#splitter;
      const packet = found === true ? decodeFromServer(first, buf, start, end) : found;
      if (packet instanceof Refusal) this.#end(this.#protocolError(packet.detail));
      else this.#handle(packet);
    }
  }

  #handle(packet: ServerPacket): void {
    if ((packet.type === 'connack') !== (this.#state === 'greeting')) {
      this.#end(this.#protocolError(`${packet.type} out of order [MQTT-3.2.0-1]`));
      return;
    }
    switch (packet.type) {
      case 'connack':
        if (packet.reasonCode === 0) this.#open();
        else this.#end(this.#refused(packet.reasonCode));
        break;
      case 'publish':
        if (packet.qos === 2) this.#end(this.#protocolError('PUBLISH with QoS 2, not asked for'));
        else this.#events.onPublish(packet);
        break;
      case 'puback':
        this.#events.onPuback(packet.packetId);
        break;
      case 'suback':
        this.#events.onSuback(packet);
        break;
      case 'pingresp':
        break;
      case 'unsuback':
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
      case 'disconnect':
      case 'auth':
        this.#end(this.#protocolError(`${packet.type}, which answers nothing`));
        break;
    }
  }

  #open(): void {
    this.#cancelAnswerDeadline();
    this.#state = 'open';
    this.#schedulePing();
    this.#events.onOpen();
  }

  /** Well within the keep-alive, so that a ping which is late by a little is not too late. */
  #schedulePing(): void {
    this.#cancelPing = this.#clock.after(this.#keepAliveS * 750, () => {
      this.write([encodePingreq()]);
      // With a short keep-alive the next ping must not put off the deadline of this one.
      this.#cancelDeadline ??= this.#clock.after(PING_ANSWER_MS_MAX, () => this.#timeOut());
      this.#schedulePing();
    });
  }

  #timeOut(): void {
    const cause = Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
    this.#end(connectionError(cause, this.#bundle.broker));
  }

  #end(error: DeviceError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cancelTimers();
    this.#socket.destroy();
    this.#events.onEnd(error);
  }

  #cancelTimers(): void {
    this.#cancelAnswerDeadline();
    this.#cancelPing();
  }

  #cancelAnswerDeadline(): void {
    this.#cancelDeadline?.();
    this.#cancelDeadline = undefined;
  }

  /** A server does not say why it closes; an expired certificate of ours is the usual reason. */
  #explain(error: DeviceError): DeviceError {
    const { certificate } = this.#bundle;
    const isExpired = this.#clock.nowMs() > certificate.validToDate.getTime();
    const isUnexplained = error.code === 'E_DEVICE_CONNECTION' || error.code === 'E_DEVICE_REFUSED';
    if (this.#state === 'open' || !isUnexplained || !isExpired) return error;
    return new DeviceError('E_DEVICE_CLOCK', {
      message: `The certificate of this device expired on ${certificate.validTo}.`,
      fix: 'Make a new claim and enroll again; or, if the clock is wrong, set it.',
      cause: error,
    });
  }

  #closedByServer(): DeviceError {
    const when = this.#state === 'open' ? '' : ' before it accepted the device';
    return this.#connectionEnded(`the server closed the connection${when}`);
  }

  #protocolError(detail: string): DeviceError {
    return this.#connectionEnded(`the server broke the rules of MQTT: ${detail}`);
  }

  #connectionEnded(what: string): DeviceError {
    const { host, port } = this.#bundle.broker;
    return new DeviceError('E_DEVICE_CONNECTION', {
      message: `${host}:${port}: ${what}.`,
      fix: 'Look at the refusals on the server; they name the reason.',
    });
  }

  #refused(returnCode: number): DeviceError {
    return new DeviceError('E_DEVICE_REFUSED', {
      message: `The server refused the connection: ${CONNACK_MEANINGS[returnCode] ?? 'unknown'}.`,
      fix: 'Look at the refusals on the server; they name the reason.',
    });
  }
}

/** MQTT 3.1.1, table 3.1 */
const CONNACK_MEANINGS: readonly string[] = [
  'accepted',
  'it does not speak this version of MQTT',
  'the client id is not accepted',
  'it is not available',
  'bad user name or password',
  'this device is not authorized',
];
