/** One MQTT connection of an admitted peer, from its TLS handshake to its end. @module */
import { REFUSAL_CODES, Refusal, refuse } from '@holdfast/protocol';
import {
  type Auth,
  CONNACK_REASONS,
  type ClientPacket,
  type Connect,
  type Disconnect,
  FrameSplitter,
  type PacketRefusal,
  type ProtocolLevel,
  type Publish,
  REASON,
  TopicReader,
  decodeFromClient,
  encodeAuth,
  encodeConnack,
  encodeConnackUnsupported,
  encodeDisconnect,
} from '@holdfast/protocol/mqtt';
import type { CancelTimer, Clock, RefusalReport } from '../kernel/index.ts';
import { type PeerSocket, transportFacts } from '../wire/index.ts';
import type { Authenticated, Authentication } from './authentication.ts';
import type { ConnectionFacts } from './connection-facts.ts';
import { Conversation } from './conversation.ts';
import type { AdmittedPeer } from './gate.ts';
import type { SessionHandler } from './handler.ts';
import type { Intake } from './intake.ts';
import {
  AUTHENTICATION_TIMEOUT_MS,
  CLOSE_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  EXPEL_TIMEOUT_MS,
  OUTBOUND_ALIAS_MAX,
  RATE_PATIENCE_MS,
  RATE_PAUSE_MS,
  SLOW_TIMEOUT_MS,
} from './limits.ts';
import {
  type LeftWill,
  type Opened,
  Opening,
  type OpeningDeps,
  RefusedOpening,
} from './opening.ts';
import { type FrameCache, PeerLink } from './peer-link.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { reasonOf } from './reason.ts';
import type { ShownApiKey } from './second-factor.ts';
import type { Session } from './session.ts';
import { OutboundAliases } from './topic-aliases.ts';
import { type FlushScheduler, WriteBatch } from './write-batch.ts';

/** What a connection needs. */
export interface ConnectionDeps extends OpeningDeps {
  readonly clock: Clock;
  /** That of the peer, whichever of its connections a packet comes on. */
  readonly rate: RateLimiter;
  readonly scheduler: FlushScheduler;
  readonly frames: FrameCache;
  readonly intake: Intake;
  readonly report: (report: RefusalReport) => void;
  /** The peer has shown all that it owes: notes the first use of its certificate. */
  readonly useCertificate: (peer: AdmittedPeer) => Refusal | undefined;
  /** The CONNECT is accepted: gives the session, and ends an older connection to it. */
  readonly takeSession: (connection: MqttConnection, opened: Opened) => TakenSession;
  readonly onClose: (connection: MqttConnection, session: Session | undefined) => void;
}

/** The session that a connection gets. */
export interface TakenSession {
  readonly session: Session;
  /** Whether it was there before. [MQTT-3.2.2-3] */
  readonly isPresent: boolean;
}

/** How people call the protocol levels. */
const PROTOCOL_NAMES: Readonly<Record<ProtocolLevel, string>> = {
  3: 'MQTT 3.1',
  4: 'MQTT 3.1.1',
  5: 'MQTT 5',
};

type State = 'awaiting-connect' | 'opening' | 'open' | 'closed';

/** A return code of MQTT 3.1.1 for what MQTT 5 says with a reason. */
const RETURN_CODES: ReadonlyMap<number, number> = new Map<number, number>([
  [REASON.clientIdNotValid, 2],
  [REASON.serverUnavailable, 3],
  [REASON.badUserNameOrPassword, 4],
]);
const RETURN_NOT_AUTHORIZED = 5;

/** A connection: its bytes, its state, its limits of time and rate. */
export class MqttConnection {
  readonly peer: AdmittedPeer;
  readonly #socket: PeerSocket;
  readonly #deps: ConnectionDeps;
  readonly #splitter: FrameSplitter;
  readonly #topics = new TopicReader();
  readonly #writes: WriteBatch;
  readonly #rate: RateLimiter;
  #state: State = 'awaiting-connect';
  #level: ProtocolLevel = 4;
  #session: Session | undefined;
  #conversation: Conversation | undefined;
  #handler: SessionHandler | undefined;
  #opening: Opening | undefined;
  #shown: ShownApiKey | undefined;
  #will: LeftWill | undefined;
  #isPressed = false;
  #isFull = false;
  #held: { readonly packet: Publish; readonly bytes: number } | undefined;
  #cancelDelay: CancelTimer | undefined;
  #isDelayed = false;
  #delayedSinceMs: number | undefined;
  #delayEndsMs = 0;
  #slowSinceMs: number | undefined;
  #silentMaxMs = CONNECT_TIMEOUT_MS;
  #lastHeardMs: number;
  #acceptedMs: number | undefined;
  #keepAliveS = 0;
  #why = 'The connection was lost, without a word of the device.';

  constructor(peer: AdmittedPeer, socket: PeerSocket, deps: ConnectionDeps) {
    this.peer = peer;
    this.#socket = socket;
    this.#deps = deps;
    this.#lastHeardMs = deps.clock.monotonicMs();
    this.#splitter = new FrameSplitter({ packetBytesMax: deps.limits.packetBytesMax });
    this.#writes = new WriteBatch(socket, deps.scheduler);
    this.#rate = deps.rate;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.#session?.queue.resume());
    // A broken connection is an everyday end; 'close' follows.
    socket.on('error', () => {});
    socket.on('close', () => this.#finish());
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** What people are shown of it; undefined before it was accepted. */
  get facts(): ConnectionFacts | undefined {
    if (this.#acceptedMs === undefined) return undefined;
    const { address, fingerprint } = this.peer;
    return {
      address,
      sinceMs: this.#acceptedMs,
      protocol: PROTOCOL_NAMES[this.#level],
      transport: transportFacts(this.#socket),
      fingerprint,
      keepAliveS: this.#keepAliveS,
    };
  }

  /** Why it has ended, in one sentence. */
  get why(): string {
    return this.#why;
  }

  /** Pauses or resumes reading while the journal is behind. */
  setPressed(isPressed: boolean): void {
    this.#isPressed = isPressed;
    this.#process();
  }

  /**
   * Whether messages are refused for want of room. MQTT 5 can say so; who speaks 3.1.1 gets no
   * answer, and is not read from behind its first message, until there is room.
   */
  setFull(isFull: boolean): void {
    this.#isFull = isFull;
    const held = this.#held;
    if (isFull || held === undefined) return;
    this.#held = undefined;
    if (this.#state === 'open') this.#handle(held.packet, held.bytes);
    this.#process();
  }

  /** What the peer has shown beside its certificate may have ended, or be asked for by now. */
  recheckSecondFactor(): void {
    // Before that it is still being shown; what came of it is looked at once more then.
    if (this.#state !== 'open') return;
    const refusal = this.#deps.secondFactor?.recheck(this.peer, this.#shown);
    if (refusal !== undefined) this.expel(refusal);
  }

  /** Looks at time-outs; called about once a second. */
  sweep({ monotonicMs, nowMs }: { monotonicMs: number; nowMs: number }): void {
    this.recheckSecondFactor();
    // A peer that we do not read from is not silent: it waits for us.
    if (!this.#mayProcess()) this.#lastHeardMs = monotonicMs;
    if (nowMs >= this.peer.notAfterMs) {
      this.expel(refuse('E_SESSION_EXPIRED', 'its certificate ended while it was connected'));
    } else if (monotonicMs - this.#lastHeardMs > this.#silentMaxMs) {
      const seconds = Math.round(this.#silentMaxMs / 1_000);
      this.refuse(refuse('E_SESSION_TIMEOUT', `silent in state ${this.#state} for ${seconds} s`));
    } else {
      this.#sweepSlowness(monotonicMs);
    }
  }

  /** Whether it may be subscribed to a filter, without `$share/<name>/`, as things stand now. */
  maySubscribe(filter: string): boolean {
    return this.#handler?.permitSubscription(filter) === true;
  }

  /** Reports a refusal, tells the peer its reason code and closes. */
  refuse(refusal: Refusal): void {
    if (this.#state === 'closed') return;
    this.#why = REFUSAL_CODES[refusal.code].what;
    this.#report(refusal);
    this.#endWith(reasonOf(refusal));
  }

  /** As {@link refuse}, for a peer that is admitted no longer: it has no will any more. */
  expel(refusal: Refusal): void {
    if (this.#state === 'closed') return;
    this.#why = REFUSAL_CODES[refusal.code].what;
    this.#will = undefined;
    this.#report(refusal);
    this.#endWith(REASON.administrativeAction, EXPEL_TIMEOUT_MS);
  }

  /** Another connection took the session over. [MQTT-3.1.4-3] */
  endTakenOver(): void {
    this.#why = 'A newer connection of the device took its place.';
    this.#endWith(REASON.sessionTakenOver);
  }

  /** Its certificate was superseded: the device has a newer one, and is not lost. */
  endSuperseded(): void {
    this.#why = 'The device has a newer certificate, and connects by that.';
    this.#will = undefined;
    this.#endWith(REASON.sessionTakenOver, EXPEL_TIMEOUT_MS);
  }

  /** The server stops. */
  endForShutdown(): void {
    this.#why = 'The server stopped.';
    this.#endWith(REASON.serverShuttingDown, EXPEL_TIMEOUT_MS);
  }

  #receive(chunk: Buffer): void {
    // MQTT 5 [MQTT-3.1.4-6], MQTT 3.1.1 [MQTT-3.1.4-5]
    if (this.#state === 'closed') return;
    // What a peer asks for without reading the answers would pile up here without end.
    if (this.#writes.pendingBytes > 2 * this.#outboundBytesMax) return this.#refuseSlow();
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
      if (found !== true) return this.#refusePacket(found);
      const { first, buf, start, end } = splitter;
      const packet = decodeFromClient(first, buf, start, end, this.#level, this.#topics);
      if (packet instanceof Refusal) return this.#refusePacket(packet);
      this.#handle(packet, end - start);
    }
    if (this.#state !== 'closed' && !this.#socket.isPaused()) this.#socket.pause();
  }

  #mayProcess(): boolean {
    if (this.#state === 'awaiting-connect') return true;
    if (this.#state === 'opening') return this.#authentication?.isWaiting ?? false;
    const conversation = this.#conversation;
    if (this.#state !== 'open' || conversation === undefined) return false;
    if (this.#isPressed || this.#isDelayed || this.#held !== undefined) return false;
    return conversation.unstoredCount < this.#deps.intake.share;
  }

  /** Who speaks MQTT 5 is told, in a CONNACK if it is the CONNECT that is broken. [MQTT-3.1.4-1] */
  #refusePacket(refusal: PacketRefusal): void {
    if (refusal.isSilent) return this.#refuseSilently(refusal);
    if (this.#state === 'awaiting-connect') {
      if (refusal.protocolLevel !== 5) return this.#refuseSilently(refusal);
      this.#level = 5;
    }
    return this.refuse(refusal);
  }

  #handle(packet: ClientPacket, bytes: number): void {
    const nowMs = this.#deps.clock.monotonicMs();
    // Whole packets count, not bytes: a peer could drip these for ever. [MQTT-3.1.2-22]
    this.#lastHeardMs = nowMs;
    if (this.#state === 'awaiting-connect') return this.#handleFirst(packet);
    if (packet.type === 'auth') return this.#handleAuth(packet);
    const conversation = this.#conversation;
    if (conversation === undefined) {
      if (packet.type === 'disconnect') return this.#end(CLOSE_TIMEOUT_MS);
      return this.refuse(refuse('E_SESSION_PROTOCOL', `${packet.type} before CONNACK`));
    }
    if (packet.type === 'disconnect') return this.#disconnect(packet);
    if (packet.type === 'connect' || packet.type === 'connectUnsupported') {
      return this.refuse(refuse('E_SESSION_PROTOCOL', 'a second CONNECT [MQTT-3.1.0-2]'));
    }
    if (this.#isFull && this.#level !== 5 && packet.type === 'publish' && packet.qos > 0) {
      this.#held = { packet, bytes };
      return undefined;
    }
    // Answers are never delayed for a client that sends too much. MQTT 5 [MQTT-3.3.4-10]
    if (!conversation.isAnswer(packet)) this.#limitRate(bytes, nowMs);
    const refusal = conversation.handle(packet);
    if (refusal !== undefined) this.refuse(refusal);
    return undefined;
  }

  #handleFirst(packet: ClientPacket): void {
    if (packet.type === 'connect') return this.#connect(packet);
    if (packet.type === 'connectUnsupported') {
      const level = packet.protocolLevel;
      this.#report(refuse('E_SESSION_PROTOCOL', `protocol level ${level}; 3, 4 and 5 are spoken`));
      this.#writes.write(encodeConnackUnsupported()); // [MQTT-3.1.2-2]
      return this.#end(CLOSE_TIMEOUT_MS);
    }
    return this.#refuseSilently(refuse('E_SESSION_PROTOCOL', 'no CONNECT first [MQTT-3.1.0-1]'));
  }

  #connect(connect: Connect): void {
    this.#level = connect.protocolLevel;
    this.#splitter.requiresMinimalLength = connect.protocolLevel === 5;
    this.#state = 'opening';
    this.#silentMaxMs = AUTHENTICATION_TIMEOUT_MS;
    const write = (bytes: Uint8Array): void => {
      this.#writes.write(bytes);
      // What is written here is a question: the answer has to be read.
      queueMicrotask(() => this.#process());
    };
    this.#opening = new Opening(this.peer, write, this.#deps);
    this.#opening.open(connect).then(
      (result) => this.#answerConnect(result),
      (error: unknown) => {
        const detail = `the session cannot be opened: ${String(error)}`;
        const refusal = refuse('E_JOURNAL_UNAVAILABLE', detail);
        this.#answerConnect(new RefusedOpening(refusal, REASON.serverUnavailable));
      },
    );
  }

  get #outboundBytesMax(): number {
    return this.#deps.limits.outboundBytesMax;
  }

  get #authentication(): Authentication | undefined {
    return this.#opening?.authentication;
  }

  #handleAuth(auth: Auth): void {
    const authentication = this.#authentication;
    if (authentication === undefined) {
      return this.refuse(refuse('E_SESSION_PROTOCOL', 'AUTH without a method in CONNECT'));
    }
    const answer = authentication.take(auth);
    if (answer instanceof Refusal) return this.refuse(answer);
    if (answer === 'again') this.#authenticateAgain(authentication, auth);
    return undefined;
  }

  #authenticateAgain(authentication: Authentication, { properties }: Auth): void {
    const answer = (result: Authenticated | Refusal): void => {
      if (this.#state !== 'open') return;
      if (result instanceof Refusal) return this.refuse(result); // [MQTT-4.12.1-2]
      this.#shown = result.shown;
      const granted = { authMethod: authentication.method, authData: result.data };
      this.#writes.write(encodeAuth({ reasonCode: REASON.success, properties: granted }));
      return undefined;
    };
    authentication
      .run(properties.authData)
      .then(answer, (error: unknown) => answer(refuse('E_JOURNAL_UNAVAILABLE', String(error))));
  }

  #answerConnect(result: Opened | RefusedOpening): void {
    if (this.#state !== 'opening') return;
    if (result instanceof RefusedOpening) {
      const { refusal, reasonCode, claimed } = result;
      if (refusal !== undefined) this.#report(refusal, { claimed });
      this.#refuseConnect(reasonCode);
      return;
    }
    const { secondFactor, useCertificate } = this.#deps;
    const refusal = secondFactor?.recheck(this.peer, result.shown) ?? useCertificate(this.peer);
    if (refusal === undefined) return this.#join(result);
    this.#report(refusal);
    this.#refuseConnect(reasonOf(refusal));
  }

  #join(opened: Opened): void {
    const { connect, handler, will, expiryS, keepAliveS, properties } = opened;
    const { session, isPresent } = this.#deps.takeSession(this, opened);
    this.#will = will;
    this.#shown = opened.shown;
    this.#session = session;
    this.#handler = handler;
    this.#state = 'open';
    this.#acceptedMs = this.#deps.clock.nowMs();
    this.#keepAliveS = keepAliveS;
    this.#silentMaxMs = keepAliveS === 0 ? Number.POSITIVE_INFINITY : keepAliveS * 1_500;
    const link = this.#linkOf(connect);
    session.open(expiryS);
    // A session present is a promise that it is on the disk, where it has to be.
    session.whenDurable(() => {
      if (this.#state !== 'open') return;
      // The one CONNACK of this connection. MQTT 5 [MQTT-3.1.4-5] [MQTT-3.2.0-2],
      // MQTT 3.1.1 [MQTT-3.1.4-4]
      const connack = encodeConnack(
        { sessionPresent: isPresent, reasonCode: REASON.success, properties },
        this.#level,
      );
      // A peer that does not even take a CONNACK can be told nothing. [MQTT-3.1.2-24]
      if (connack.length > (connect.properties.packetBytesMax ?? Number.POSITIVE_INFINITY)) {
        const detail = `its largest packet is smaller than CONNACK, ${connack.length} bytes`;
        return this.#refuseSilently(refuse('E_SESSION_PROTOCOL', detail));
      }
      this.#writes.write(connack);
      this.#conversation = new Conversation({
        session,
        handler,
        link,
        limits: this.#deps.limits,
        intake: this.#deps.intake,
        report: (refusal, topic) => this.#report(refusal, { topic }),
        refuse: (refusal) => this.refuse(refusal),
        onStored: () => {
          if (this.#socket.isPaused()) this.#process();
        },
      });
      session.attach(link);
      this.#process();
    });
  }

  #linkOf({ properties }: Connect): PeerLink {
    const { clock, frames } = this.#deps;
    const aliasMax = Math.min(properties.topicAliasMax ?? 0, OUTBOUND_ALIAS_MAX);
    return new PeerLink({
      clock,
      frames,
      writes: this.#writes,
      level: this.#level,
      receiveMax: properties.receiveMax ?? 65_535,
      packetBytesMax: properties.packetBytesMax ?? Number.POSITIVE_INFINITY,
      outboundBytesMax: this.#outboundBytesMax,
      aliases: aliasMax === 0 ? undefined : new OutboundAliases(aliasMax),
    });
  }

  #disconnect({ reasonCode, properties }: Disconnect): void {
    const session = this.#session;
    const { sessionExpiryS } = properties;
    if (session !== undefined && sessionExpiryS !== undefined) {
      // MQTT 5 §3.14.2.2.2
      if (session.expiryS === 0 && sessionExpiryS !== 0) {
        return this.refuse(refuse('E_SESSION_PROTOCOL', 'a session expiry after none in CONNECT'));
      }
      session.setExpiry(Math.min(sessionExpiryS, this.#deps.limits.sessionExpiryMaxS));
    }
    if (reasonCode === REASON.success) this.#will = undefined; // [MQTT-3.14.4-3] [MQTT-3.1.2-10]
    this.#why = 'The device said goodbye.';
    return this.#endWith(undefined);
  }

  /** Delays a peer that sends more than its class may; after a minute of that, it has to go. */
  #limitRate(bytes: number, nowMs: number): void {
    const delayMs = this.#rate.take(bytes, nowMs);
    if (delayMs === 0) return;
    this.#isDelayed = true;
    this.#delayedSinceMs ??= nowMs;
    this.#delayEndsMs = nowMs + delayMs;
    this.#cancelDelay?.();
    this.#cancelDelay = this.#deps.clock.after(delayMs, () => {
      this.#isDelayed = false;
      this.#process();
    });
  }

  #sweepSlowness(monotonicMs: number): void {
    const isFull = this.#writes.pendingBytes > this.#outboundBytesMax;
    this.#slowSinceMs = isFull ? (this.#slowSinceMs ?? monotonicMs) : undefined;
    if (this.#slowSinceMs !== undefined && monotonicMs - this.#slowSinceMs > SLOW_TIMEOUT_MS) {
      return this.#refuseSlow();
    }
    // That what was read is used up says nothing yet: the next chunk may be waiting in the socket.
    const hasPaused = !this.#isDelayed && monotonicMs - this.#delayEndsMs > RATE_PAUSE_MS;
    if (hasPaused) this.#delayedSinceMs = undefined;
    const delayedMs = monotonicMs - (this.#delayedSinceMs ?? monotonicMs);
    if (delayedMs <= RATE_PATIENCE_MS) return undefined;
    const seconds = RATE_PATIENCE_MS / 1_000;
    return this.refuse(refuse('E_SESSION_RATE', `above the rate of its class for ${seconds} s`));
  }

  #refuseSlow(): void {
    const detail = `more than ${this.#outboundBytesMax} bytes wait for it`;
    this.refuse(refuse('E_SESSION_SLOW', detail));
  }

  /** For bytes that are no CONNECT: who speaks no MQTT gets no answer in it. */
  #refuseSilently(refusal: Refusal): void {
    // No code says it. MQTT 3.1.1 [MQTT-3.2.2-6]
    this.#report(refusal);
    this.#socket.destroy();
    this.#finish();
  }

  /**
   * Answers CONNECT with a reason and closes, also when it is only we who cannot.
   * MQTT 5 [MQTT-3.1.4-2] [MQTT-3.2.2-7], MQTT 3.1.1 [MQTT-4.8.0-2]
   */
  #refuseConnect(reasonCode: number): void {
    const returnCode = RETURN_CODES.get(reasonCode) ?? RETURN_NOT_AUTHORIZED;
    // Some reasons are for DISCONNECT alone. [MQTT-3.2.2-8]
    const reason = CONNACK_REASONS.has(reasonCode) ? reasonCode : REASON.notAuthorized;
    const connack = {
      sessionPresent: false,
      reasonCode: this.#level === 5 ? reason : returnCode,
      properties: {},
    };
    this.#writes.write(encodeConnack(connack, this.#level));
    this.#end(CLOSE_TIMEOUT_MS);
  }

  /** Closes with a word to those that understand one. [MQTT-4.13.1-1] [MQTT-4.13.2-1] */
  #endWith(reasonCode: number | undefined, timeoutMs: number = CLOSE_TIMEOUT_MS): void {
    if (this.#state === 'closed') return undefined;
    if (reasonCode !== undefined) {
      // Only after a CONNACK; nothing is sent behind it, and we close. MQTT 5 [MQTT-3.14.0-1]
      // MQTT 5 [MQTT-3.14.4-1] [MQTT-3.14.4-2]
      if (this.#level === 5 && this.#state === 'open') {
        this.#writes.write(encodeDisconnect({ reasonCode }));
      } else if (this.#level === 5 && reasonCode >= 0x80) {
        return this.#refuseConnect(reasonCode);
      }
    }
    return this.#end(timeoutMs);
  }

  /** Sends out what is queued, then closes; nothing more is read. */
  #end(timeoutMs: number): void {
    this.#writes.flush();
    this.#socket.end();
    // A peer that keeps its own side open, or does not read, must not keep the connection.
    const cancel = this.#deps.clock.after(timeoutMs, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
    // Whatever still comes is thrown away, or the end of the stream would never be seen.
    this.#socket.resume();
    this.#finish();
  }

  #finish(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#cancelDelay?.();
    this.#conversation?.end();
    this.#session?.detach(this.#will);
    this.#deps.onClose(this, this.#session);
  }

  #report(refusal: Refusal, more: Partial<RefusalReport> = {}): void {
    const { principal, address } = this.peer;
    this.#deps.report({ refusal, principal, address, ...more });
  }
}
