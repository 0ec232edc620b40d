/** One MQTT 3.1.1 connection of an admitted peer. @module */
import type { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import {
  type ClientPacket,
  type Connect,
  FrameSplitter,
  type Publish,
  type SubackCode,
  type Subscribe,
  type Will,
  decodeFromClient,
  encodeConnack,
  encodeConnackUnsupported,
  encodePingresp,
  encodePuback,
  encodeSuback,
  encodeUnsuback,
} from '@holdfast/protocol/mqtt';
import type { Clock, RefusalReport } from '../kernel/index.ts';
import type { AdmittedPeer } from './gate.ts';
import type { OpenHandler, OutboundMessage, SessionHandler } from './handler.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  PACKET_BYTES_MAX,
  SUBSCRIPTIONS_MAX,
  UNACKNOWLEDGED_COUNT_MAX,
} from './limits.ts';
import { Outbound } from './outbound.ts';
import { type FlushScheduler, WriteBatch } from './write-batch.ts';

/** What a connection needs. */
export interface ConnectionDeps {
  readonly clock: Clock;
  readonly scheduler: FlushScheduler;
  readonly openHandler: OpenHandler;
  readonly report: (report: RefusalReport) => void;
  /** The CONNECT is accepted: an older connection of the same device ends now. */
  readonly onOpen: (connection: MqttConnection) => void;
  readonly onClose: (connection: MqttConnection) => void;
}

const CONNACK_ACCEPTED = 0;
const CONNACK_IDENTIFIER_REJECTED = 2;
const CONNACK_UNAVAILABLE = 3;
const CONNACK_NOT_AUTHORIZED = 5;
const REFUSED_FILTER = 0x80;

/** A connection from its TLS handshake to its end. */
export class MqttConnection {
  readonly peer: AdmittedPeer;
  readonly #socket: TLSSocket;
  readonly #deps: ConnectionDeps;
  readonly #splitter = new FrameSplitter({ packetBytesMax: PACKET_BYTES_MAX });
  readonly #writes: WriteBatch;
  readonly #outbound: Outbound;
  readonly #filters = new Set<string>();
  #handler: SessionHandler | undefined;
  #state: 'awaiting-connect' | 'opening' | 'open' | 'closed' = 'awaiting-connect';
  #will: Will | undefined;
  #unacknowledged = 0;
  #isPressed = false;
  #silentMaxMs = CONNECT_TIMEOUT_MS;
  #lastHeardMs: number;

  constructor(peer: AdmittedPeer, socket: TLSSocket, deps: ConnectionDeps) {
    this.peer = peer;
    this.#socket = socket;
    this.#deps = deps;
    this.#lastHeardMs = deps.clock.monotonicMs();
    this.#writes = new WriteBatch(socket, deps.scheduler);
    this.#outbound = new Outbound(this.#writes);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A broken connection is an everyday end; 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#finish());
  }

  /** Pauses or resumes reading while the journal is behind. */
  setPressed(isPressed: boolean): void {
    this.#isPressed = isPressed;
    this.#process();
  }

  /** Looks at time-outs; called about once a second. */
  sweep({ monotonicMs, nowMs }: { monotonicMs: number; nowMs: number }): void {
    // A peer that we do not read from is not silent: it waits for us.
    if (!this.#mayProcess()) this.#lastHeardMs = monotonicMs;
    if (nowMs >= this.peer.notAfterMs) {
      this.expel(refuse('E_SESSION_EXPIRED', 'its certificate ended while it was connected'));
    } else if (monotonicMs - this.#lastHeardMs > this.#silentMaxMs) {
      const seconds = Math.round(this.#silentMaxMs / 1_000);
      this.refuse(refuse('E_SESSION_TIMEOUT', `silent in state ${this.#state} for ${seconds} s`));
    }
  }

  /** Reports a refusal and closes at once, without a word to the peer. */
  refuse(refusal: Refusal): void {
    if (this.#state === 'closed') return;
    this.#report(refusal);
    this.close();
  }

  /** As {@link refuse}, for a peer that is admitted no longer: it has no will any more. */
  expel(refusal: Refusal): void {
    this.#will = undefined;
    this.refuse(refusal);
  }

  /** Closes at once. The will, if any, is published: the peer did not say goodbye. */
  close(): void {
    this.#socket.destroy();
    this.#finish();
  }

  /** Sends out what is queued, then closes; nothing more is read. */
  end(): void {
    this.#writes.flush();
    this.#socket.end();
    // A peer that keeps its own side open, or does not read, must not keep the connection.
    const cancel = this.#deps.clock.after(CLOSE_TIMEOUT_MS, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
    this.#finish();
  }

  #receive(chunk: Buffer): void {
    if (this.#state === 'closed') return;
    // What a peer asks for without reading the answers would pile up here without end.
    const refusal = this.#outbound.checkPending();
    if (refusal !== undefined) return this.refuse(refusal);
    this.#splitter.push(chunk);
    this.#process();
  }

  /** Handles frames until they are used up or somebody behind has to catch up. */
  #process(): void {
    const splitter = this.#splitter;
    while (this.#mayProcess()) {
      const found = splitter.next();
      if (found === false) {
        if (this.#socket.isPaused()) this.#socket.resume();
        return;
      }
      if (found !== true) return this.refuse(found);
      const { first, buf, start, end } = splitter;
      const packet = decodeFromClient(first, buf, start, end);
      if (packet instanceof Refusal) return this.refuse(packet);
      this.#handle(packet);
    }
    if (this.#state !== 'closed' && !this.#socket.isPaused()) this.#socket.pause();
  }

  #mayProcess(): boolean {
    if (this.#state === 'awaiting-connect') return true;
    const isBehind = this.#isPressed || this.#unacknowledged >= UNACKNOWLEDGED_COUNT_MAX;
    return this.#state === 'open' && !isBehind;
  }

  #handle(packet: ClientPacket): void {
    // Whole packets count, not bytes: a peer could drip these for ever. [MQTT-3.1.2-24]
    this.#lastHeardMs = this.#deps.clock.monotonicMs();
    if (this.#state === 'awaiting-connect') {
      if (packet.type === 'connect') this.#startOpening(packet);
      else if (packet.type === 'connectUnsupported') this.#answerUnsupported(packet.protocolLevel);
      else this.refuse(refuse('E_SESSION_PROTOCOL', 'no CONNECT first [MQTT-3.1.0-1]'));
      return;
    }
    switch (packet.type) {
      case 'publish':
        this.#publish(packet);
        break;
      case 'puback':
        // An unknown id is a late answer from before a reconnect; it means nothing.
        this.#outbound.acknowledge(packet.packetId);
        break;
      case 'subscribe':
        this.#subscribe(packet);
        break;
      case 'unsubscribe':
        for (const filter of packet.filters) this.#unsubscribe(filter);
        this.#writes.write(encodeUnsuback(packet.packetId));
        break;
      case 'pingreq':
        this.#writes.write(encodePingresp());
        break;
      case 'disconnect':
        this.#will = undefined; // [MQTT-3.14.4-3]
        this.end();
        break;
      case 'connect':
      case 'connectUnsupported':
        this.refuse(refuse('E_SESSION_PROTOCOL', 'a second CONNECT [MQTT-3.1.0-2]'));
        break;
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
        this.refuse(refuse('E_SESSION_PROTOCOL', `${packet.type}: QoS 2 is not offered`));
        break;
    }
  }

  #answerUnsupported(level: number): void {
    this.#report(refuse('E_SESSION_PROTOCOL', `protocol level ${level}; 4 (MQTT 3.1.1) is spoken`));
    this.#writes.write(encodeConnackUnsupported(level));
    this.end();
  }

  #startOpening(connect: Connect): void {
    const { clientId, keepAliveS, will } = connect;
    if (clientId !== this.peer.deviceId) {
      const detail = `the client id must be ${this.peer.deviceId}`;
      this.#report(refuse('E_SESSION_CLIENT_ID', detail), { claimed: clientId });
      // [MQTT-3.1.3-8] [MQTT-3.1.3-9]
      this.#answerConnect(clientId === '' ? CONNACK_IDENTIFIER_REJECTED : CONNACK_NOT_AUTHORIZED);
      this.end();
      return;
    }
    this.#state = 'opening';
    this.#silentMaxMs = keepAliveS === 0 ? Number.POSITIVE_INFINITY : keepAliveS * 1_500;
    // The payload is a view of a chunk that would otherwise be kept as long as the connection.
    this.#will = will && { ...will, payload: will.payload.slice() };
    const receiver = { deliver: (message: OutboundMessage) => this.#deliver(message) };
    void this.#deps.openHandler(this.peer, receiver).then(
      (handler) => this.#open(handler),
      (error: unknown) => this.#failOpening(error),
    );
  }

  #failOpening(error: unknown): void {
    if (this.#state !== 'opening') return;
    this.#report(refuse('E_JOURNAL_UNAVAILABLE', `the session cannot be opened: ${String(error)}`));
    this.#answerConnect(CONNACK_UNAVAILABLE);
    this.end();
  }

  #open(handler: SessionHandler): void {
    if (this.#state !== 'opening') return handler.close();
    this.#handler = handler;
    this.#state = 'open';
    this.#deps.onOpen(this);
    this.#answerConnect(CONNACK_ACCEPTED);
    this.#process();
  }

  #answerConnect(returnCode: 0 | 2 | 3 | 5): void {
    this.#writes.write(encodeConnack({ sessionPresent: false, returnCode }));
  }

  #publish(publish: Publish): void {
    if (publish.qos === 2) {
      this.refuse(refuse('E_SESSION_PROTOCOL', 'PUBLISH with QoS 2, which is not offered'));
      return;
    }
    const { topic, payload, retain, qos } = publish;
    this.#unacknowledged += 1;
    this.#handler?.publish({ topic, payload, retain, qos }, () => {
      this.#unacknowledged -= 1;
      if (this.#state === 'closed') return;
      if (qos === 1) this.#writes.write(encodePuback(publish.packetId));
      if (this.#socket.isPaused()) this.#process();
    });
  }

  #subscribe({ packetId, subscriptions }: Subscribe): void {
    const granted: { filter: string; qos: 0 | 1 }[] = [];
    const codes: SubackCode[] = subscriptions.map(({ filter, qos: wanted }) => {
      const qos = wanted === 0 ? 0 : 1;
      if (!this.#mayAddFilter(filter)) return REFUSED_FILTER;
      if (this.#handler?.subscribe(filter, qos) !== 'granted') return REFUSED_FILTER;
      this.#filters.add(filter);
      granted.push({ filter, qos });
      return qos;
    });
    this.#writes.write(encodeSuback(packetId, codes));
    for (const { filter, qos } of granted) this.#handler?.deliverRetained(filter, qos);
  }

  #mayAddFilter(filter: string): boolean {
    if (this.#filters.size < SUBSCRIPTIONS_MAX || this.#filters.has(filter)) return true;
    const detail = `it has ${SUBSCRIPTIONS_MAX} subscriptions already`;
    this.#report(refuse('E_SESSION_LIMIT', detail), { topic: filter });
    return false;
  }

  #unsubscribe(filter: string): void {
    if (this.#filters.delete(filter)) this.#handler?.unsubscribe(filter);
  }

  #deliver(message: OutboundMessage): void {
    if (this.#state !== 'open') return;
    const refusal = this.#outbound.send(message);
    if (refusal !== undefined) this.refuse(refusal);
  }

  #finish(): void {
    if (this.#state === 'closed') return;
    const will = this.#will;
    this.#state = 'closed';
    if (will !== undefined)
      this.#handler?.publish({ ...will, qos: will.qos === 0 ? 0 : 1 }, () => {});
    this.#handler?.close();
    this.#deps.onClose(this);
  }

  #report(refusal: Refusal, more: Partial<RefusalReport> = {}): void {
    const { deviceId, address } = this.peer;
    this.#deps.report({ refusal, principal: deviceId, address, ...more });
  }
}
