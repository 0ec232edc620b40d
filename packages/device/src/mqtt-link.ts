/** One MQTT connection, from dialing to its end. It knows nothing of what comes before or after. @module */
import type { TLSSocket } from 'node:tls';
import { Refusal } from '@holdfast/protocol';
import {
  type Auth,
  type Connack,
  type Publish,
  FrameSplitter,
  type ProtocolLevel,
  REASON,
  type ServerPacket,
  type Suback,
  decodeFromServer,
  encodeAuth,
  encodeConnect,
  encodeDisconnect,
  encodePingreq,
} from '@holdfast/protocol/mqtt';
import { acceptedPins } from './bundle-settings.ts';
import type { DeviceBundle } from './bundle.ts';
import type { CancelTimer, Clock } from './clock.ts';
import { connectionError } from './connection-error.ts';
import type { DeviceError } from './device-error.ts';
import type { DeviceIdentity } from './identity-files.ts';
import { CLOSE_MS_MAX, CONNECT_MS_MAX, PACKET_BYTES_MAX, PING_ANSWER_MS_MAX } from './limits.ts';
import {
  closedByServer,
  explainExpired,
  protocolError,
  refusedConnection,
  saidGoodbye,
} from './link-failures.ts';
import { openPinnedSocket } from './pinned-socket.ts';
import { SCRAM_METHOD, ScramClient } from './scram.ts';

/** The version that a device speaks: 5 for the exchange that proves an API key, else 3.1.1. */
export function protocolLevelOf({ apiKey }: Pick<DeviceBundle, 'apiKey'>): ProtocolLevel {
  return apiKey === undefined ? 4 : 5;
}

/** As whom and how to connect. */
export interface LinkOptions {
  readonly clock: Clock;
  /** Longest silence toward the server, in seconds; a server of MQTT 5 may ask for less. */
  readonly keepAliveS: number;
  /** One of those of the bundle. */
  readonly identity: DeviceIdentity;
}

/** What a link tells its owner. */
export interface LinkEvents {
  /**
   * The server accepted the connection: packets may be written.
   * @param receiveMax - QoS 1 messages that the server takes at a time
   */
  onOpen(receiveMax: number): void;
  onPublish(publish: Publish): void;
  /** @param reasonCode - from 0x80 on, the server did not take the message */
  onPuback(packetId: number, reasonCode: number): void;
  onSuback(suback: Suback): void;
  /** What was written is on its way, after {@link MqttLink.isFull}. */
  onDrain(): void;
  /** Nothing follows. Called once, and not after {@link MqttLink.close}. */
  onEnd(error: DeviceError): void;
}

/** A connection to the broker. */
export class MqttLink {
  readonly #bundle: DeviceBundle;
  readonly #clock: Clock;
  readonly #identity: DeviceIdentity;
  readonly #level: ProtocolLevel;
  readonly #scram: ScramClient | undefined;
  readonly #events: LinkEvents;
  readonly #socket: TLSSocket;
  readonly #splitter = new FrameSplitter({ packetBytesMax: PACKET_BYTES_MAX });
  #state: 'dialing' | 'greeting' | 'open' | 'ended' = 'dialing';
  /** Set while the server owes an answer. */
  #cancelDeadline: CancelTimer | undefined;
  #cancelPing: CancelTimer = () => {};
  #keepAliveS: number;

  /** Dials at once. */
  constructor(
    bundle: DeviceBundle,
    { clock, keepAliveS, identity }: LinkOptions,
    events: LinkEvents,
  ) {
    const { device: userName, apiKey, broker: peer, anchorPem } = bundle;
    this.#bundle = bundle;
    this.#clock = clock;
    this.#keepAliveS = keepAliveS;
    this.#identity = identity;
    this.#level = protocolLevelOf(bundle);
    this.#scram = apiKey === undefined ? undefined : new ScramClient({ userName, apiKey });
    this.#events = events;
    this.#cancelDeadline = this.#clock.after(CONNECT_MS_MAX, () => this.#timeOut());
    const pins = acceptedPins(bundle);
    const socket = openPinnedSocket({ peer, anchorPem, pins, identity }, () => this.#greet());
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#events.onDrain());
    socket.on('error', (cause) => this.#end(this.#explain(connectionError(cause, peer))));
    socket.on('close', () =>
      this.#end(this.#explain(closedByServer(peer, this.#state === 'open'))),
    );
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
    const scram = this.#scram;
    const connect = encodeConnect({
      protocolLevel: this.#level,
      clientId: this.#bundle.device,
      cleanStart: true,
      keepAliveS: this.#keepAliveS,
      will: undefined,
      userName: undefined,
      password: undefined,
      properties:
        scram === undefined
          ? {}
          : {
              authMethod: SCRAM_METHOD,
              authData: scram.first,
              packetBytesMax: PACKET_BYTES_MAX,
            },
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
      const packet = found === true ? decodeFromServer(first, buf, start, end, this.#level) : found;
      if (packet instanceof Refusal) this.#end(protocolError(this.#bundle.broker, packet.detail));
      else this.#handle(packet);
    }
  }

  #handle(packet: ServerPacket): void {
    const isGreeting = packet.type === 'connack' || packet.type === 'auth';
    if (isGreeting !== (this.#state === 'greeting')) {
      this.#end(protocolError(this.#bundle.broker, `${packet.type} out of order [MQTT-3.2.0-1]`));
      return;
    }
    switch (packet.type) {
      case 'connack':
        this.#answered(packet);
        break;
      case 'auth':
        this.#challenged(packet);
        break;
      case 'publish':
        if (packet.qos === 2)
          this.#end(protocolError(this.#bundle.broker, 'PUBLISH with QoS 2, not asked for'));
        else this.#events.onPublish(packet);
        break;
      case 'puback':
        this.#events.onPuback(packet.packetId, packet.reasonCode);
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
        this.#end(protocolError(this.#bundle.broker, `${packet.type}, which answers nothing`));
        break;
      case 'disconnect':
        this.#end(saidGoodbye(this.#bundle.broker, packet.reasonCode));
        break;
    }
  }

  /** A step of the exchange that proves the API key. MQTT 5 §4.12 */
  #challenged({ reasonCode, properties }: Auth): void {
    const scram = this.#scram;
    const isStep = reasonCode === REASON.continueAuthentication;
    if (scram === undefined || !isStep || properties.authMethod !== SCRAM_METHOD) {
      this.#end(protocolError(this.#bundle.broker, 'AUTH that was not asked for'));
      return;
    }
    // The data is a view into what the next chunk overwrites.
    const challenge = properties.authData?.slice();
    void this.#prove(scram, challenge);
  }

  async #prove(scram: ScramClient, challenge: Uint8Array | undefined): Promise<void> {
    try {
      const properties = { authMethod: SCRAM_METHOD, authData: await scram.final(challenge) };
      if (this.#state !== 'greeting') return;
      const reasonCode = REASON.continueAuthentication;
      this.#socket.write(encodeAuth({ reasonCode, properties }));
    } catch (error) {
      this.#end(connectionError(error, this.#bundle.broker));
    }
  }

  #answered({ reasonCode, properties }: Connack): void {
    if (reasonCode !== 0) {
      this.#end(refusedConnection(reasonCode, this.#level));
      return;
    }
    try {
      this.#scram?.verify(properties.authData);
    } catch (error) {
      this.#end(connectionError(error, this.#bundle.broker));
      return;
    }
    this.#keepAliveS = properties.serverKeepAliveS ?? this.#keepAliveS;
    this.#cancelAnswerDeadline();
    this.#state = 'open';
    this.#schedulePing();
    this.#events.onOpen(properties.receiveMax ?? RECEIVE_MAX_DEFAULT);
  }

  /** Well within the keep-alive, so that a ping which is late by a little is not too late. */
  #schedulePing(): void {
    // The server may say that it does not want any. MQTT 5 §3.1.2.10
    if (this.#keepAliveS === 0) return;
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

  #explain(error: DeviceError): DeviceError {
    if (this.#state === 'open') return error;
    return explainExpired(error, this.#identity.certificate, this.#clock.nowMs());
  }
}

/** MQTT 5 §3.2.2.3.3 */
const RECEIVE_MAX_DEFAULT = 65_535;
