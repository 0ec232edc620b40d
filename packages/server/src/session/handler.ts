/** What sessions hand to the stages behind them, and what these hand back. @module */
import type { Refusal } from '@holdfast/protocol';
import type { MessageProperties, Qos } from '@holdfast/protocol/mqtt';
import type { AdmittedPeer } from './gate.ts';

/** A message that a peer publishes. */
export interface InboundPublish {
  readonly topic: string;
  /** Valid until the message is dropped; a view of what was received. */
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly qos: Qos;
  readonly properties: MessageProperties;
}

/** A will that passed authorization and verification when it was left. */
export interface VerifiedWill {
  /** Publishes it; the way from here is that of every verified message. */
  publish(): void;
}

/**
 * What is said of a message in the end. The refusal is for an edge that tells devices which of
 * their messages were refused, though never why; MQTT does not, but for `E_JOURNAL_DISK_FULL`:
 * such a message was not even looked at, and has to be sent again.
 */
export type PublishDone = (hasSubscribers: boolean, refusal?: Refusal) => void;

/** The stages behind one connection: authorize, verify, journal, route. */
export interface SessionHandler {
  /**
   * Takes a message. `done` is called once it is durable and, unless its QoS is 2, routed; or
   * once its refusal is durable: a peer cannot tell the two apart. It is told only whether anybody
   * is subscribed.
   */
  publish(publish: InboundPublish, done: PublishDone): void;
  /** Checks a will when it is left; a refusal is reported already. */
  verifyWill(will: InboundPublish): VerifiedWill | Refusal;
  /** Whether the peer may subscribe, to the filter without `$share/<name>/`. Reports nothing. */
  permitSubscription(filter: string): true | Refusal;
}

/** Opens the stages behind a connection, before CONNACK. */
export type OpenHandler = (peer: AdmittedPeer) => Promise<SessionHandler>;

/** Where a message stands in the journal, to be read again from there. */
export interface MessageRef {
  /** Index in the audit log; -1 for a message that is not stored, as those of the server are. */
  readonly index: number;
  /** Number of the data key that sealed it. */
  readonly keyRef: number;
}

/** A message on its way to subscribers; one object for all of them. */
export interface RoutedMessage extends MessageRef {
  /** Who published it. */
  readonly principal: string;
  readonly topic: string;
  /** May be a view of a chunk that was received: see {@link detach}. */
  readonly payload: Uint8Array;
  /** As it was published. */
  readonly qos: Qos;
  readonly retain: boolean;
  /** Encoded message properties, see `encodeForwarded`. */
  readonly forwarded: Uint8Array;
  /** When it ends, milliseconds since 1970; infinite when it does not. */
  readonly expiresAtMs: number;
  /** Gives the payload memory of its own, so that keeping it does not keep a whole chunk. */
  detach(): void;
}

/** What a subscriber asked for. */
export interface SubscriptionOptions {
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Undefined when the SUBSCRIBE carried none. */
  readonly subscriptionId: number | undefined;
}

/** How a message goes to one subscriber. */
export interface Delivery {
  readonly message: RoutedMessage;
  /** The smaller of what was published and what was asked for. [MQTT-3.8.4-8] */
  readonly qos: Qos;
  /** The retain flag that the subscriber sees. */
  readonly retain: boolean;
  /** The identifiers of all subscriptions that matched. [MQTT-3.3.4-3] */
  readonly subscriptionIds: readonly number[];
}

/** Takes messages for a subscriber: a session, whether it is connected or not. */
export interface Receiver {
  /** Who it is, for `noLocal`: compared with the principal of a message. */
  readonly principal: string;
  /** Whether it can take a message now: shared subscriptions prefer those who can. */
  readonly isReady: boolean;
  /**
   * Up to which index of the journal its record from before a restart goes, undefined for none: a
   * shared subscription does not give it such a message again, which it would ignore.
   */
  readonly recordedIndex?: number | undefined;
  deliver(delivery: Delivery): void;
}

/** The subscriptions of all sessions; `route` implements it. */
export interface Subscriptions {
  /** Index of the last message of the journal that was routed; -1 for none. */
  readonly lastIndex: number;
  /**
   * Adds a subscription, or replaces the options of the one with the same filter.
   * @param filter - With `$share/<name>/` in front for a shared one.
   * @returns whether it is new.
   */
  subscribe(filter: string, receiver: Receiver, options: SubscriptionOptions): boolean;
  /** @returns whether it was there. */
  unsubscribe(filter: string, receiver: Receiver): boolean;
  /** Hands over the retained messages that match; never for a shared filter. */
  deliverRetained(filter: string, receiver: Receiver, options: SubscriptionOptions): void;
}

/** Keeps sessions across restarts; `journal` implements it. */
export interface SessionStore {
  /**
   * Puts the session on the disk with the next group commit, as `encode` gives it at that time;
   * undefined removes it. What is to happen only then goes into {@link barrier}.
   */
  save(id: string, encode: () => Uint8Array | undefined): void;
  /** As {@link save}, but within a second: after a crash the journal makes up for the rest. */
  saveSoon(id: string, encode: () => Uint8Array | undefined): void;
  /** Calls back once everything saved and published before is durable. */
  barrier(done: () => void): void;
  /** Reads messages back, in the order of `refs`; undefined for those that are gone. */
  fetch(refs: readonly MessageRef[]): Promise<readonly (RoutedMessage | undefined)[]>;
}
