/**
 * All live connections and all sessions: take-over, time-outs, expiry, and the registry's word
 * carried out.
 * @module
 */
import { type Refusal, parseShared, refuse } from '@holdfast/protocol';
import { type CancelTimer, type Clock, HoldOff, type RefusalReport } from '../kernel/index.ts';
import type { DeviceRegistry } from '../registry/index.ts';
import type { PeerSocket } from '../wire/index.ts';
import type { Authenticators } from './authentication.ts';
import { type NameSession, nameSession } from './client-id.ts';
import {
  type ConnectionFacts,
  type EndedConnection,
  EndedConnections,
  type SessionFacts,
} from './connection-facts.ts';
import { MqttConnection, type TakenSession } from './connection.ts';
import type { AdmittedPeer, Gate } from './gate.ts';
import type { OpenHandler, SessionStore, Subscriptions } from './handler.ts';
import { Intake } from './intake.ts';
import {
  CONNECTIONS_PER_DEVICE_MAX,
  FLAPPING_COUNT_MAX,
  FLAPPING_FORGIVE_MS,
  FLAPPING_HOLD_MS,
  FLAPPING_HOLD_MS_MAX,
  SESSION_LIMITS,
  SWEEP_INTERVAL_MS,
  type SessionLimits,
} from './limits.ts';
import type { Opened } from './opening.ts';
import { FrameCache } from './peer-link.ts';
import { RateLimiter, type RateLimits } from './rate-limiter.ts';
import type { SecondFactor } from './second-factor.ts';
import { type DropReason, Session } from './session.ts';
import { SubscriptionCheck } from './subscription-check.ts';
import { FlushScheduler } from './write-batch.ts';

/** When a device counts as flapping. */
const FLAPPING = {
  failuresMax: FLAPPING_COUNT_MAX,
  forgiveMs: FLAPPING_FORGIVE_MS,
  holdMs: FLAPPING_HOLD_MS,
  holdMsMax: FLAPPING_HOLD_MS_MAX,
  forgetMs: 2 * FLAPPING_HOLD_MS_MAX,
  keysMax: 20_000,
};

/** What the table needs. */
export interface SessionTableDeps {
  readonly clock: Clock;
  readonly registry: Pick<DeviceRegistry, 'onChange'>;
  readonly gate: Pick<Gate, 'recheck' | 'recheckDevice' | 'use'>;
  readonly openHandler: OpenHandler;
  readonly store: SessionStore;
  readonly subscriptions: Subscriptions;
  readonly report: (report: RefusalReport) => void;
  /** What a peer may send. */
  readonly ratesOf: (peer: AdmittedPeer) => RateLimits;
  readonly onDrop: (why: DropReason) => void;
  readonly authenticators?: Authenticators;
  /** Without it, the certificate is all that counts. */
  readonly secondFactor?: SecondFactor;
  readonly nameSession?: NameSession;
  /**
   * Whether a device that is not connected may go on to be subscribed to a filter, without
   * `$share/<name>/`; without it, it may.
   */
  readonly maySubscribe?: (deviceId: string, filter: string) => boolean;
  /** Calls back when another policy is in force, until the returned function is called. */
  readonly onPolicyChange?: (listener: () => void) => () => void;
  /**
   * Hears of a peer when its CONNECT is accepted, and when such a connection has ended, with
   * whether it is connected then: another connection may have taken its place.
   */
  readonly onPresence?: (peer: AdmittedPeer, isConnected: boolean) => void;
  /** The limits of a principal; without it, they are the same for all. */
  readonly limitsOf?: (principal: string) => SessionLimits;
}

/** The connections and sessions of the broker. */
export class SessionTable {
  readonly #deps: SessionTableDeps;
  readonly #scheduler = new FlushScheduler();
  readonly #frames = new FrameCache();
  readonly #intake = new Intake();
  readonly #holdOff: HoldOff;
  readonly #all = new Set<MqttConnection>();
  readonly #byPrincipal = new Map<string, Set<MqttConnection>>();
  /** The open connection of each session. */
  readonly #open = new Map<string, MqttConnection>();
  readonly #sessions = new Map<string, Session>();
  readonly #ended = new EndedConnections();
  /** By principal: who connects again must not have a new burst. */
  readonly #rates = new Map<string, RateLimiter>();
  readonly #subscriptionCheck: SubscriptionCheck;
  readonly #stopWatching: () => void;
  #cancelSweep: CancelTimer = () => {};
  #isPressed = false;
  #isFull = false;

  constructor(deps: SessionTableDeps) {
    this.#deps = deps;
    this.#holdOff = new HoldOff(deps.clock, FLAPPING);
    this.#subscriptionCheck = new SubscriptionCheck({
      clock: deps.clock,
      sessions: () => this.#sessions.values(),
      check: (session) => this.#checkSubscriptions(session),
    });
    const stopRegistry = deps.registry.onChange((device) => this.#recheck(device.id));
    const stopPolicy = deps.onPolicyChange?.(() => this.#subscriptionCheck.checkAll());
    const stopFactor = deps.secondFactor?.onChange((deviceId) => {
      const affected = deviceId === undefined ? this.#all : this.#byPrincipal.get(deviceId);
      for (const connection of affected ?? []) connection.recheckSecondFactor();
    });
    this.#stopWatching = () => {
      stopRegistry();
      stopPolicy?.();
      stopFactor?.();
      this.#subscriptionCheck.close();
    };
    this.#scheduleSweep();
  }

  /** Connections, from the handshake on. */
  get count(): number {
    return this.#all.size;
  }

  /** Sessions, connected or not. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Messages that wait in all sessions. */
  get queuedCount(): number {
    let sum = 0;
    for (const { queue } of this.#sessions.values()) sum += queue.count;
    return sum;
  }

  /** Whether a device is connected now. */
  isConnected(deviceId: string): boolean {
    return this.#open.has(deviceId);
  }

  /** Ids of the sessions that are connected now: of a device, its own. */
  get connectedIds(): Iterable<string> {
    return this.#open.keys();
  }

  /** What people are shown of the connection of a device. */
  connectionOf(deviceId: string): ConnectionFacts | undefined {
    return this.#open.get(deviceId)?.facts;
  }

  /** What is kept for a device, whether it is connected or not. */
  sessionOf(deviceId: string): SessionFacts | undefined {
    return this.#sessions.get(deviceId)?.facts;
  }

  /** Connections of a device that ended since the start, newest first, as far as they are kept. */
  endedOf(deviceId: string, limit: number): EndedConnection[] {
    return this.#ended.of(deviceId, limit);
  }

  /** Takes a connection of an admitted peer. */
  add(peer: AdmittedPeer, socket: PeerSocket): void {
    const { clock, openHandler, report, authenticators } = this.#deps;
    const connection = new MqttConnection(peer, socket, {
      clock,
      limits: this.#limitsOf(peer.principal),
      rate: this.rateOf(peer),
      scheduler: this.#scheduler,
      frames: this.#frames,
      intake: this.#intake,
      authenticators: authenticators ?? new Map(),
      secondFactor: this.#deps.secondFactor,
      nameSession: this.#deps.nameSession ?? nameSession,
      openHandler,
      report,
      useCertificate: (one) => this.#deps.gate.use(one),
      takeSession: (joining, opened) => this.#takeSession(joining, opened),
      onClose: (closed, session) => this.#forget(closed, session),
    });
    this.#all.add(connection);
    const siblings = this.#byPrincipal.get(peer.principal);
    if (siblings === undefined) this.#byPrincipal.set(peer.principal, new Set([connection]));
    else siblings.add(connection);
    const refusal = this.#checkCount(peer, siblings?.size ?? 1);
    if (refusal !== undefined) return connection.refuse(refusal);
    connection.setFull(this.#isFull);
    connection.setPressed(this.#isPressed);
  }

  /** A device was reset: its connections and its session end, with the commands queued in it. */
  endReset(deviceId: string): void {
    const refusal = refuse('E_SESSION_STATE', `${deviceId} was reset; it may connect again`);
    for (const one of this.#byPrincipal.get(deviceId) ?? []) one.expel(refusal);
    const session = this.#sessions.get(deviceId);
    if (session !== undefined) this.#end(session, { publishesWill: false });
  }

  /**
   * An app has lost a right: its connections and its session end at once, with all that is queued
   * in it. MQTT has no word for a subscription that the server takes away.
   */
  endApp(principal: string): void {
    const gone = this.#deps.gate.recheckDevice(principal);
    const detail = 'it has lost a device of its owner, or its owner has removed it';
    const refusal = gone ?? refuse('E_AUTHORIZE_SUBSCRIBE', detail);
    for (const connection of this.#byPrincipal.get(principal) ?? []) connection.refuse(refusal);
    const session = this.#sessions.get(principal);
    if (session !== undefined) this.#end(session, { publishesWill: false });
  }

  /** An app has renewed: what it has open by the certificate before this one ends. */
  endRenewedApp(principal: string): void {
    for (const connection of this.#byPrincipal.get(principal) ?? []) {
      if (this.#deps.gate.recheck(connection.peer) !== undefined) connection.endSuperseded();
    }
  }

  /** Pauses or resumes reading from all peers. */
  setPressed(isPressed: boolean): void {
    this.#isPressed = isPressed;
    for (const connection of this.#all) connection.setPressed(isPressed);
  }

  /** Tells whether messages are refused for want of room. */
  setFull(isFull: boolean): void {
    this.#isFull = isFull;
    for (const connection of this.#all) connection.setFull(isFull);
  }

  /** Takes up a session that was on the disk when the server started. */
  restore(id: string, record: Uint8Array): void {
    const session = this.#newSession(id, id);
    session.restore(record);
    this.#sessions.set(id, session);
    // It was revoked, but the server went before its session did.
    if (this.#deps.gate.recheckDevice(id) !== undefined) {
      return this.#end(session, { publishesWill: false });
    }
    // A new release may have brought another policy.
    return this.#checkSubscriptions(session);
  }

  /** Closes every connection; sessions stay on the disk. */
  close(): void {
    this.#cancelSweep();
    this.#stopWatching();
    for (const connection of this.#all) connection.endForShutdown();
  }

  /** What speaks against one more connection of a peer that is admitted. */
  #checkCount({ principal }: AdmittedPeer, count: number): Refusal | undefined {
    const heldMs = this.#holdOff.heldMs(principal);
    if (heldMs > 0) {
      return refuse('E_SESSION_FLAPPING', `it is held off for ${Math.ceil(heldMs / 1_000)} s`);
    }
    this.#holdOff.fail(principal);
    if (count <= CONNECTIONS_PER_DEVICE_MAX) return undefined;
    return refuse('E_SESSION_LIMIT', `it has ${CONNECTIONS_PER_DEVICE_MAX} connections already`);
  }

  #limitsOf(principal: string): SessionLimits {
    return this.#deps.limitsOf?.(principal) ?? SESSION_LIMITS;
  }

  /** What this peer may send, over whichever of its connections. */
  rateOf(peer: AdmittedPeer): RateLimiter {
    const known = this.#rates.get(peer.principal);
    if (known !== undefined) return known;
    const rate = new RateLimiter(this.#deps.ratesOf(peer), this.#deps.clock.monotonicMs());
    this.#rates.set(peer.principal, rate);
    return rate;
  }

  #takeSession(connection: MqttConnection, opened: Opened): TakenSession {
    const { id } = opened.name;
    // A newer connection ends the older one. [MQTT-3.1.4-3]
    this.#open.get(id)?.endTakenOver();
    this.#open.set(id, connection);
    this.#deps.onPresence?.(connection.peer, true);
    const known = this.#sessions.get(id);
    if (
      known !== undefined &&
      !opened.connect.cleanStart &&
      mayKeep(known, (filter) => opened.handler.permitSubscription(filter) === true)
    ) {
      // MQTT 5 [MQTT-3.1.4-4], MQTT 3.1.1 [MQTT-3.1.4-3]
      return { session: known, isPresent: true }; // [MQTT-3.1.2-5]
    }
    known?.end({ publishesWill: true }); // [MQTT-3.1.2-4]
    // MQTT 5 [MQTT-3.1.2-6] [MQTT-3.2.2-2], MQTT 3.1.1 [MQTT-3.2.2-1]; what it had retained
    // stays. MQTT 3.1.1 [MQTT-3.1.2-7]
    const session = this.#newSession(id, connection.peer.principal);
    this.#sessions.set(id, session);
    return { session, isPresent: false };
  }

  #newSession(id: string, principal: string): Session {
    const { store, subscriptions, clock, onDrop } = this.#deps;
    return new Session(id, {
      principal,
      store,
      subscriptions,
      limits: this.#limitsOf(principal),
      nowMs: () => clock.nowMs(),
      onDrop: (_, why) => onDrop(why),
    });
  }

  #forget(connection: MqttConnection, session: Session | undefined): void {
    this.#all.delete(connection);
    const { principal } = connection.peer;
    const siblings = this.#byPrincipal.get(principal);
    siblings?.delete(connection);
    if (siblings?.size === 0) this.#byPrincipal.delete(principal);
    const hadSession = session !== undefined && this.#open.get(session.id) === connection;
    if (hadSession) this.#open.delete(session.id);
    this.#noteEnd(connection);
    if (hadSession && !session.isDurable) this.#end(session, { publishesWill: true });
  }

  #noteEnd({ peer, facts, why }: MqttConnection): void {
    if (facts === undefined) return;
    const { principal } = peer;
    const { address, sinceMs, protocol } = facts;
    const untilMs = this.#deps.clock.nowMs();
    this.#ended.add({ principal, address, sinceMs, untilMs, protocol, why });
    this.#deps.onPresence?.(peer, this.isConnected(principal));
  }

  #end(session: Session, options: { readonly publishesWill: boolean }): void {
    session.end(options);
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
  }

  /** The registry changed its mind about a device: its connections and its session obey at once. */
  #recheck(deviceId: string): void {
    for (const connection of this.#byPrincipal.get(deviceId) ?? []) {
      const refusal = this.#deps.gate.recheck(connection.peer);
      // Who has just renewed is no finding; whoever comes back by the old certificate is one.
      if (refusal?.code === 'E_SESSION_SUPERSEDED') connection.endSuperseded();
      else if (refusal !== undefined) connection.expel(refusal);
    }
    this.#subscriptionCheck.checkForeign();
    const session = this.#sessions.get(deviceId);
    if (session === undefined) return;
    if (this.#deps.gate.recheckDevice(deviceId) === undefined) this.#checkSubscriptions(session);
    else this.#end(session, { publishesWill: false });
  }

  /**
   * A session that lost a permission ends, with its connection: MQTT has no word for a subscription
   * that the server takes away, and a client that is not told would wait for ever.
   */
  #checkSubscriptions(session: Session): void {
    const connection = this.#open.get(session.id);
    const { maySubscribe } = this.#deps;
    const isPermitted = (filter: string): boolean =>
      connection === undefined
        ? (maySubscribe?.(session.principal, filter) ?? true)
        : connection.maySubscribe(filter);
    if (this.#sessions.get(session.id) !== session || mayKeep(session, isPermitted)) return;
    const detail = 'it is subscribed to what it may not hear any more';
    connection?.refuse(refuse('E_AUTHORIZE_SUBSCRIBE', detail));
    this.#end(session, { publishesWill: true });
  }

  #scheduleSweep(): void {
    const { clock } = this.#deps;
    this.#cancelSweep = clock.after(SWEEP_INTERVAL_MS, () => {
      const now = { monotonicMs: clock.monotonicMs(), nowMs: clock.nowMs() };
      for (const connection of this.#all) connection.sweep(now);
      for (const session of this.#sessions.values()) {
        if (session.sweep(now.nowMs)) this.#end(session, { publishesWill: true });
      }
      for (const [principal, rate] of this.#rates) {
        const isGone = !this.#byPrincipal.has(principal);
        if (isGone && rate.isFull(now.monotonicMs)) this.#rates.delete(principal);
      }
      this.#frames.clear();
      this.#scheduleSweep();
    });
  }
}

/** A peer that lost a permission loses the session that was built on it. */
function mayKeep(session: Session, isPermitted: (filter: string) => boolean): boolean {
  for (const filter of session.filters) {
    if (!isPermitted(parseShared(filter)?.filter ?? filter)) return false;
  }
  return true;
}
