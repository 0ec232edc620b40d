/** Brings durable messages to their subscribers. @module */
import { type Refusal, parseShared } from '@holdfast/protocol';
import type { JournaledMessage } from '../journal/index.ts';
import type { Clock } from '../kernel/index.ts';
import type {
  Receiver,
  RoutedMessage,
  SubscriptionOptions,
  Subscriptions,
} from '../session/index.ts';
import { RetainedHandovers } from './retained-handovers.ts';
import {
  RETAINED_LIMITS,
  type RetainedLimits,
  type RetainedStore,
  RetainedTable,
} from './retained.ts';
import { SubscriptionTable } from './subscription-table.ts';

/** What routing needs. */
export interface RouterDeps {
  readonly clock: Clock;
  readonly store: RetainedStore;
  readonly limits?: RetainedLimits;
}

/** What became of a message. */
export interface Routed {
  /** Deliveries that were handed to sessions. */
  readonly receivers: number;
  /** `E_ROUTE_RETAINED` when the message was to be retained and could not be. */
  readonly refusal: Refusal | undefined;
}

/** Subscriptions and retained messages of the whole broker. */
export class Router implements Subscriptions {
  readonly #clock: Clock;
  readonly #subscriptions = new SubscriptionTable();
  readonly #retained: RetainedTable;
  readonly #handovers: RetainedHandovers;
  #lastIndex = -1;

  constructor({ clock, store, limits = RETAINED_LIMITS }: RouterDeps) {
    this.#clock = clock;
    this.#retained = new RetainedTable({ nowMs: () => clock.nowMs(), store, limits });
    this.#handovers = new RetainedHandovers({ clock, table: this.#retained });
  }

  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Number of subscriptions of all sessions. */
  get subscriptionCount(): number {
    return this.#subscriptions.count;
  }

  /** Number of shared subscriptions, each with one member or more. */
  get sharedCount(): number {
    return this.#subscriptions.groupCount;
  }

  get retainedCount(): number {
    return this.#retained.count;
  }

  /** Payload bytes of all retained messages. */
  get retainedBytes(): number {
    return this.#retained.bytes;
  }

  /** Whether it holds nothing of anybody. */
  get isEmpty(): boolean {
    return this.#subscriptions.isEmpty && this.#retained.isEmpty && this.#handovers.count === 0;
  }

  subscribe(filter: string, receiver: Receiver, options: SubscriptionOptions): boolean {
    return this.#subscriptions.add(filter, receiver, options);
  }

  unsubscribe(filter: string, receiver: Receiver): boolean {
    this.#handovers.stop(filter, receiver);
    return this.#subscriptions.remove(filter, receiver);
  }

  /**
   * Hands over what is retained for a new subscription, with the retain flag set: the first
   * messages before it returns, and if they are many, the others soon.
   */
  deliverRetained(filter: string, receiver: Receiver, options: SubscriptionOptions): void {
    // MQTT 3.1.1 [MQTT-3.3.1-8]
    // A shared subscription gets none. MQTT 5 §4.8.2
    if (parseShared(filter) === undefined) this.#handovers.start(filter, receiver, options);
  }

  /** Whether a message on this topic would be delivered to anybody. */
  hasSubscribers(topic: string): boolean {
    return !this.#subscriptions.planOf(topic).isEmpty;
  }

  /** Whether a message on this topic would be delivered to this principal, now or later. */
  reaches(topic: string, principal: string): boolean {
    return this.#subscriptions.planOf(topic).reaches(principal);
  }

  /** Delivers a durable message to all who subscribed to its topic, and keeps it if it asks so. */
  route(journaled: JournaledMessage): Routed {
    return this.routeMessage(journaled);
  }

  /** As {@link route}, for the messages of the server itself too, which are in no journal. */
  routeMessage(message: RoutedMessage): Routed {
    const { retain, topic, expiresAtMs, index } = message;
    // One that is not to be retained leaves the retained one alone. [MQTT-3.3.1-8]
    const refusal = retain ? this.#retained.set(message) : undefined;
    const isOver = expiresAtMs !== Number.POSITIVE_INFINITY && expiresAtMs <= this.#clock.nowMs();
    // [MQTT-3.3.2-5]
    const receivers = isOver ? 0 : this.#subscriptions.planOf(topic).deliver(message);
    // Only now: a session that is saved in between must not seem to have it.
    if (index > this.#lastIndex) this.#lastIndex = index;
    return { receivers, refusal };
  }

  /**
   * Routes a message of the journal again after a restart, in the order of the journal and to its
   * end. Sessions pass over what is on their record; so do retained messages.
   */
  replay(message: RoutedMessage): void {
    this.routeMessage(message);
  }

  /** Notes after a restart that all entries up to this index were routed before. */
  resumeAfter(index: number): void {
    if (index > this.#lastIndex) this.#lastIndex = index;
  }

  /** Removes what is retained on the topics that match; nobody is told. */
  forgetRetained(filter: string): void {
    this.#retained.removeAll(filter);
  }

  /** Takes back a retained message after a restart, before {@link replay}; one for each topic. */
  restoreRetained(message: RoutedMessage): void {
    this.#retained.restore(message);
  }
}
