/** The state of a client that outlives its connections. @see MQTT 5 §4.1 @module */
import type { Subscription } from '@holdfast/protocol/mqtt';
import type { SessionFacts } from './connection-facts.ts';
import type {
  Delivery,
  Receiver,
  SessionStore,
  SubscriptionOptions,
  Subscriptions,
  VerifiedWill,
} from './handler.ts';
import type { SessionLimits } from './limits.ts';
import { OutboundQueue } from './outbound-queue.ts';
import type { PeerLink } from './peer-link.ts';
import { type SessionRecord, decodeSession, encodeSession } from './session-record.ts';

/** What the broker did not bring to a subscriber, for the metrics. */
export type DropReason = 'slow' | 'full' | 'too large' | 'expired' | 'gone';

/** What a session needs. */
export interface SessionDeps {
  readonly store: SessionStore;
  readonly subscriptions: Subscriptions;
  readonly limits: SessionLimits;
  readonly nowMs: () => number;
  readonly onDrop: (session: Session, why: DropReason) => void;
}

/** `expiryS` of a session without an end. MQTT 5 §3.1.2.11.2 */
const EXPIRY_NEVER_S = 0xff_ff_ff_ff;

/** Subscriptions, messages in both directions, and the will of one client. */
export class Session implements Receiver {
  /** Under which it is kept: the device id, or what stands for it. */
  // MQTT 5 [MQTT-3.1.3-2], MQTT 3.1.1 [MQTT-3.1.3-2]
  readonly id: string;
  readonly principal: string;
  readonly queue: OutboundQueue;
  readonly #deps: SessionDeps;
  readonly #filters = new Map<string, SubscriptionOptions>();
  /** QoS 2 messages that were received and not released. [MQTT-4.3.3-10] */
  readonly #receivedIds = new Set<number>();
  #expiryS = 0;
  #endsAtMs: number | undefined;
  #will: { readonly will: VerifiedWill; readonly dueAtMs: number } | undefined;
  #link: PeerLink | undefined;
  /** While the journal is replayed: what is on record up to here was routed before. */
  #replayedIndex = -1;
  #isEnded = false;

  constructor(id: string, { principal, ...deps }: SessionDeps & { readonly principal: string }) {
    this.id = id;
    this.principal = principal;
    this.#deps = deps;
    this.queue = new OutboundQueue({
      ...deps,
      isDurable: () => this.isDurable,
      onChange: (when) => this.#save(when),
      onDrop: (why) => deps.onDrop(this, why),
    });
  }

  /** Whether it survives its connection, and a restart of the server. */
  get isDurable(): boolean {
    return this.#expiryS > 0;
  }

  get isConnected(): boolean {
    return this.#link !== undefined;
  }

  /** Half a queue is kept free for what comes in between. */
  get isReady(): boolean {
    if (this.#link === undefined || this.#link.isFull) return false;
    return this.queue.count < this.#deps.limits.queueCountMax / 2;
  }

  get recordedIndex(): number {
    return this.#replayedIndex;
  }

  get subscriptionCount(): number {
    return this.#filters.size;
  }

  /** The filters it is subscribed to. */
  get filters(): Iterable<string> {
    return this.#filters.keys();
  }

  /** What people are shown of it. */
  get facts(): SessionFacts {
    const subscriptions = [...this.#filters].map(([filter, { qos }]) => ({ filter, qos }));
    return { expiryS: this.#expiryS, subscriptions, queued: this.queue.count };
  }

  get expiryS(): number {
    return this.#expiryS;
  }

  /** QoS 2 messages that were received and not released. */
  get receivedCount(): number {
    return this.#receivedIds.size;
  }

  /** Sets how long it outlives its connection; 0 for not at all. */
  setExpiry(seconds: number): void {
    const wasDurable = this.isDurable;
    this.#expiryS = seconds;
    if (this.isDurable) this.#save('now');
    else if (wasDurable) this.#deps.store.save(this.id, () => undefined);
  }

  /**
   * A connection takes it up, for `expiryS` beyond its own end. A will that waited is not sent
   * [MQTT-3.1.3-9].
   */
  open(expiryS: number): void {
    this.#endsAtMs = undefined;
    this.#will = undefined;
    this.#replayedIndex = -1;
    // MQTT 5 [MQTT-4.1.0-1], MQTT 3.1.1 [MQTT-4.1.0-1] [MQTT-4.1.0-2]
    this.setExpiry(expiryS);
  }

  /** The connection is ready for messages. */
  attach(link: PeerLink): void {
    this.#link = link;
    this.queue.attach(link);
  }

  /** The connection has ended. @param will - To be published after its delay, if any. */
  detach(will: { readonly will: VerifiedWill; readonly delayS: number } | undefined): void {
    const nowMs = this.#deps.nowMs();
    this.#link = undefined;
    this.queue.detach();
    this.#endsAtMs =
      this.#expiryS === EXPIRY_NEVER_S ? Number.POSITIVE_INFINITY : nowMs + this.#expiryS * 1_000;
    if (this.isDurable) this.#save('now');
    if (will === undefined) return;
    // The will goes when its delay or the session is over, whichever is first. [MQTT-3.1.2-8]
    // It is kept with the session. MQTT 5 [MQTT-3.1.2-7]
    const delayS = Math.min(will.delayS, this.#expiryS);
    this.#will = { will: will.will, dueAtMs: nowMs + delayS * 1_000 };
    this.#publishDueWill(nowMs);
  }

  /** Looks at the time. @returns whether the session is over. */
  sweep(nowMs: number): boolean {
    this.#publishDueWill(nowMs);
    if (this.#link !== undefined) this.queue.resume();
    // MQTT 5 [MQTT-4.1.0-2]
    return this.#endsAtMs !== undefined && this.#endsAtMs <= nowMs;
  }

  /** Ends it: nothing of it stays. A will that waited is published, unless it is forgotten. */
  end(options: { readonly publishesWill: boolean }): void {
    this.#isEnded = true;
    if (options.publishesWill) this.#publishDueWill(Number.POSITIVE_INFINITY);
    for (const filter of this.#filters.keys()) this.#deps.subscriptions.unsubscribe(filter, this);
    this.#filters.clear();
    if (this.isDurable) this.#deps.store.save(this.id, () => undefined);
  }

  /** @returns whether the subscription is new. */
  subscribe(subscription: Subscription, subscriptionId: number | undefined): boolean {
    const { filter, qos, noLocal, retainAsPublished } = subscription;
    const options = { qos, noLocal, retainAsPublished, subscriptionId };
    this.#filters.set(filter, options);
    const isNew = this.#deps.subscriptions.subscribe(filter, this, options);
    this.#save('now');
    return isNew;
  }

  /** @returns whether it was subscribed. */
  unsubscribe(filter: string): boolean {
    // Nothing new is added, and what is queued goes on its way.
    // MQTT 5 [MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.10.4-3], MQTT 3.1.1 [MQTT-3.10.4-1]
    // MQTT 3.1.1 [MQTT-3.10.4-2] [MQTT-3.10.4-3]
    if (!this.#filters.delete(filter)) return false;
    this.#deps.subscriptions.unsubscribe(filter, this);
    this.#save('now');
    return true;
  }

  isSubscribed(filter: string): boolean {
    return this.#filters.has(filter);
  }

  deliverRetained(filter: string): void {
    const options = this.#filters.get(filter);
    if (options !== undefined) this.#deps.subscriptions.deliverRetained(filter, this, options);
  }

  /** PUBLISH with QoS 2. @returns false when it is a message that was received before. */
  receive(packetId: number): boolean {
    if (this.#receivedIds.has(packetId)) return false;
    this.#receivedIds.add(packetId);
    this.#save('now');
    return true;
  }

  hasReceived(packetId: number): boolean {
    return this.#receivedIds.has(packetId);
  }

  /** PUBREL. @returns whether such a message was received. */
  release(packetId: number): boolean {
    const wasThere = this.#receivedIds.delete(packetId);
    if (wasThere) this.#save('now');
    return wasThere;
  }

  /** Calls back when what was changed so far survives a crash, if the session is to. */
  whenDurable(then: () => void): void {
    if (this.isDurable) this.#deps.store.barrier(then);
    else then();
  }

  deliver(delivery: Delivery): void {
    const { index } = delivery.message;
    if (this.#isEnded || (index >= 0 && index <= this.#replayedIndex)) return;
    // Above QoS 0 it is kept also for a client that is away. MQTT 3.1.1 [MQTT-3.1.2-5]
    if (delivery.qos !== 0) return this.queue.push(delivery);
    // At most once: a message of QoS 0 waits for nobody.
    if (this.#link === undefined) return;
    if (this.#link.isFull) this.#deps.onDrop(this, 'slow');
    else if (!this.#link.publish(delivery, undefined)) this.#deps.onDrop(this, 'too large');
  }

  /** Takes up what was on the disk when the server started. */
  restore(bytes: Uint8Array): void {
    const record = decodeSession(bytes);
    const nowMs = this.#deps.nowMs();
    this.#expiryS = record.expiryS;
    // It was connected when the server went: its time begins now.
    this.#endsAtMs = record.endsAtMs ?? nowMs + record.expiryS * 1_000;
    this.#replayedIndex = record.lastIndex;
    for (const id of record.receivedIds) this.#receivedIds.add(id);
    for (const [filter, options] of record.subscriptions) {
      this.#filters.set(filter, options);
      this.#deps.subscriptions.subscribe(filter, this, options);
    }
    this.queue.restore(record.queue);
  }

  #publishDueWill(nowMs: number): void {
    const due = this.#will;
    if (due === undefined || due.dueAtMs > nowMs) return;
    this.#will = undefined;
    due.will.publish();
  }

  #save(when: 'now' | 'soon'): void {
    if (!this.isDurable || this.#isEnded) return;
    const encode = (): Uint8Array => encodeSession(this.#record());
    if (when === 'now') this.#deps.store.save(this.id, encode);
    else this.#deps.store.saveSoon(this.id, encode);
  }

  #record(): SessionRecord {
    const endsAtMs = this.#endsAtMs === Number.POSITIVE_INFINITY ? undefined : this.#endsAtMs;
    return {
      expiryS: this.#expiryS,
      endsAtMs,
      subscriptions: [...this.#filters],
      receivedIds: [...this.#receivedIds],
      queue: this.queue.snapshot(),
      // While it is restored, the router has not come as far as its record yet.
      lastIndex: Math.max(this.#replayedIndex, this.#deps.subscriptions.lastIndex),
    };
  }
}
