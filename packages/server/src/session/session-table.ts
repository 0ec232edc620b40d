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
import { MqttConnection, type TakenSession } from './connection.ts';
import type { AdmittedPeer, Gate } from './gate.ts';
import type { OpenHandler, SessionHandler, SessionStore, Subscriptions } from './handler.ts';
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
import { type DropReason, Session } from './session.ts';
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
  readonly gate: Pick<Gate, 'recheck' | 'recheckDevice'>;
  readonly openHandler: OpenHandler;
  readonly store: SessionStore;
  readonly subscriptions: Subscriptions;
  readonly report: (report: RefusalReport) => void;
  /** What a peer may send. */
  readonly ratesOf: (peer: AdmittedPeer) => RateLimits;
  readonly onDrop: (why: DropReason) => void;
  readonly authenticators?: Authenticators;
  readonly nameSession?: NameSession;
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
  /** By principal: who connects again must not have a new burst. */
  readonly #rates = new Map<string, RateLimiter>();
  readonly #stopWatching: () => void;
  #cancelSweep: CancelTimer = () => {};
  #isPressed = false;

  constructor(deps: SessionTableDeps) {
    this.#deps = deps;
    this.#holdOff = new HoldOff(deps.clock, FLAPPING);
    this.#stopWatching = deps.registry.onChange((device) => this.#recheck(device.id));
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

  /** Takes a connection of an admitted peer. */
  add(peer: AdmittedPeer, socket: PeerSocket): void {
    const { clock, openHandler, report, authenticators } = this.#deps;
    const connection = new MqttConnection(peer, socket, {
      clock,
      limits: this.#limitsOf(peer.principal),
      rate: this.#rateOf(peer),
      scheduler: this.#scheduler,
      frames: this.#frames,
      intake: this.#intake,
      authenticators: authenticators ?? new Map(),
      nameSession: this.#deps.nameSession ?? nameSession,
      openHandler,
      report,
      takeSession: (joining, opened) => this.#takeSession(joining, opened),
      onClose: (closed, session) => this.#forget(closed, session),
    });
    this.#all.add(connection);
    const siblings = this.#byPrincipal.get(peer.principal);
    if (siblings === undefined) this.#byPrincipal.set(peer.principal, new Set([connection]));
    else siblings.add(connection);
    const refusal = this.#checkCount(peer, siblings?.size ?? 1);
    if (refusal !== undefined) return connection.refuse(refusal);
    connection.setPressed(this.#isPressed);
  }

  /** Pauses or resumes reading from all peers. */
  setPressed(isPressed: boolean): void {
    this.#isPressed = isPressed;
    for (const connection of this.#all) connection.setPressed(isPressed);
  }

  /** Takes up a session that was on the disk when the server started. */
  restore(id: string, record: Uint8Array): void {
    const session = this.#newSession(id, id);
    session.restore(record);
    this.#sessions.set(id, session);
    // It was revoked, but the server went before its session did.
    if (this.#deps.gate.recheckDevice(id) !== undefined) {
      this.#end(session, { publishesWill: false });
    }
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

  #rateOf(peer: AdmittedPeer): RateLimiter {
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
    const known = this.#sessions.get(id);
    if (known !== undefined && !opened.connect.cleanStart && mayKeep(known, opened.handler)) {
      return { session: known, isPresent: true }; // [MQTT-3.1.2-5]
    }
    known?.end({ publishesWill: true }); // [MQTT-3.1.2-4]
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
    if (session === undefined || this.#open.get(session.id) !== connection) return;
    this.#open.delete(session.id);
    if (!session.isDurable) this.#end(session, { publishesWill: true });
  }

  #end(session: Session, options: { readonly publishesWill: boolean }): void {
    session.end(options);
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
  }

  /** The registry changed its mind about a device: its connections and its session obey at once. */
  #recheck(deviceId: string): void {
    for (const connection of this.#byPrincipal.get(deviceId) ?? []) {
      const refusal = this.#deps.gate.recheck(connection.peer);
      if (refusal !== undefined) connection.expel(refusal);
    }
    const session = this.#sessions.get(deviceId);
    if (session === undefined || this.#deps.gate.recheckDevice(deviceId) === undefined) return;
    this.#end(session, { publishesWill: false });
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
function mayKeep(session: Session, handler: SessionHandler): boolean {
  for (const filter of session.filters) {
    const bare = parseShared(filter)?.filter ?? filter;
    if (handler.permitSubscription(bare) !== true) return false;
  }
  return true;
}
