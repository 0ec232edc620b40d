/** What is said between CONNACK and DISCONNECT: the packets of an open session. @module */
import { Refusal, parseShared, refuse } from '@holdfast/protocol';
import {
  type Ack,
  type ClientPacket,
  PacketRefusal,
  type Publish,
  REASON,
  type Subscribe,
  type Subscription,
  type Unsubscribe,
  encodePingresp,
  encodePuback,
  encodePubcomp,
  encodePubrec,
  encodePubrel,
  encodeSuback,
  encodeUnsuback,
} from '@holdfast/protocol/mqtt';
import type { SessionHandler } from './handler.ts';
import type { Intake } from './intake.ts';
import type { SessionLimits } from './limits.ts';
import type { PeerLink } from './peer-link.ts';
import { reasonOf } from './reason.ts';
import type { Session } from './session.ts';
import { InboundAliases } from './topic-aliases.ts';

/** What a conversation needs. */
export interface ConversationDeps {
  readonly session: Session;
  readonly handler: SessionHandler;
  readonly link: PeerLink;
  readonly limits: SessionLimits;
  /** Reports a refusal that does not end the connection. */
  readonly report: (refusal: Refusal, topic: string) => void;
  /** Ends the connection: an answer cannot be sent. */
  readonly refuse: (refusal: Refusal) => void;
  /** Counts the peer among those of which messages wait. */
  readonly intake: Intake;
  /** A message of the peer is stored: it may be read on. */
  readonly onStored: () => void;
}

/** The packets that a conversation consists of. */
export type ConversationPacket = Exclude<
  ClientPacket,
  { readonly type: 'connect' | 'connectUnsupported' | 'disconnect' | 'auth' }
>;

/** Reason codes from here on say that something was not done. MQTT 5 §2.4 */
const FAILURE_CODES = 0x80;

/** The reason for a filter that MQTT 3.1.1 knows. [MQTT-3.9.3-2] */
const REFUSED_FILTER = 0x80;

/** Handles the packets of one connection, in their order. */
export class Conversation {
  readonly #deps: ConversationDeps;
  readonly #aliases: InboundAliases;
  /** Packet ids that a new message used although they were in use: once may be a mistake. */
  readonly #reusedIds = new Set<number>();
  #unstored = 0;
  #unacknowledged = 0;
  #isOver = false;

  constructor(deps: ConversationDeps) {
    this.#deps = deps;
    this.#aliases = new InboundAliases(deps.limits.topicAliasMax);
  }

  /** Messages that wait for the disk. */
  get unstoredCount(): number {
    return this.#unstored;
  }

  /** Nothing is written any more. */
  end(): void {
    this.#isOver = true;
  }

  /** Whether a packet is an answer that we wait for: a peer sends these as often as we ask. */
  isAnswer(packet: ConversationPacket): boolean {
    const { session } = this.#deps;
    const { type } = packet;
    if (type === 'puback' || type === 'pubrec' || type === 'pubcomp') {
      return session.queue.has(packet.packetId);
    }
    return type === 'pubrel' && session.hasReceived(packet.packetId);
  }

  /** @returns a refusal when the connection has to end. */
  handle(packet: ConversationPacket): Refusal | undefined {
    const { session, link } = this.#deps;
    switch (packet.type) {
      case 'publish':
        return this.#publish(packet);
      case 'puback':
        // An unknown id is a late answer from before a reconnect; it means nothing.
        return session.queue.acknowledge(packet.packetId) ? undefined : this.#checkUnknown(packet);
      case 'pubrec':
        return this.#receive(packet);
      case 'pubrel':
        this.#release(packet);
        return undefined;
      case 'pubcomp':
        return session.queue.complete(packet.packetId) ? undefined : this.#checkUnknown(packet);
      case 'subscribe':
        this.#subscribe(packet);
        return undefined;
      case 'unsubscribe':
        this.#unsubscribe(packet);
        return undefined;
      case 'pingreq':
        link.write(encodePingresp()); // [MQTT-3.12.4-1]
        return undefined;
    }
  }

  #publish(publish: Publish): Refusal | undefined {
    const topic = this.#aliases.resolve(publish);
    if (topic instanceof Refusal) return topic;
    // The answer is that of the QoS. MQTT 5 [MQTT-3.3.4-1], MQTT 3.1.1 [MQTT-3.3.4-1] [MQTT-3.3.5-2]
    if (publish.qos === 0) return this.#store(publish, topic, undefined);
    const { packetId } = publish;
    if (publish.qos === 1) {
      const refusal = this.#countUnacknowledged();
      if (refusal !== undefined) return refusal;
      return this.#store(publish, topic, (reasonCode) => {
        this.#unacknowledged -= 1;
        // Stored in the order of arrival, so acknowledged in it. MQTT 3.1.1 [MQTT-4.6.0-2]
        // MQTT 5 [MQTT-2.2.1-5], MQTT 3.1.1 [MQTT-2.3.1-6]
        this.#write(encodePuback(packetId, reasonCode)); // [MQTT-4.3.2-4]
      });
    }
    const { session } = this.#deps;
    if (session.receive(packetId)) {
      const refusal = this.#countUnacknowledged();
      if (refusal !== undefined) return refusal;
      // MQTT 5 [MQTT-4.3.3-8], MQTT 3.1.1 [MQTT-4.6.0-3]
      return this.#store(publish, topic, (reasonCode) => {
        if (reasonCode < FAILURE_CODES) return this.#write(encodePubrec(packetId));
        // The message ends here: its id is free. MQTT 5 [MQTT-4.3.3-9]
        session.release(packetId);
        this.#reusedIds.delete(packetId);
        this.#unacknowledged -= 1;
        return this.#write(encodePubrec(packetId, reasonCode));
      });
    }
    if (!publish.dup && this.#reusedIds.has(packetId)) {
      return refuse('E_SESSION_PROTOCOL', `packet id ${packetId} is in use [MQTT-2.2.1-3]`);
    }
    if (!publish.dup) this.#reusedIds.add(packetId);
    // A repetition of what is stored or about to be: it must not count twice. [MQTT-4.3.3-10]
    session.whenDurable(() => {
      // The first one may have been refused for want of room meanwhile.
      const reasonCode = session.hasReceived(packetId) ? REASON.success : REASON.quotaExceeded;
      this.#write(encodePubrec(packetId, reasonCode));
    });
    return undefined;
  }

  #store(
    publish: Publish,
    topic: string,
    acknowledge: ((reasonCode: number) => void) | undefined,
  ): undefined {
    const { payload, retain, qos, properties } = publish;
    const { intake } = this.#deps;
    if (this.#unstored === 0) intake.begin();
    this.#unstored += 1;
    const message = { topic, payload, retain, qos, properties };
    this.#deps.handler.publish(message, (hasSubscribers, refusal) => {
      this.#unstored -= 1;
      if (this.#unstored === 0) intake.end();
      if (refusal?.code === 'E_JOURNAL_DISK_FULL') acknowledge?.(reasonOf(refusal));
      else acknowledge?.(hasSubscribers ? REASON.success : this.#nobodySubscribed);
      if (!this.#isOver) this.#deps.onStored();
    });
    return undefined;
  }

  /** A peer that was told the receive maximum must keep to it. [MQTT-3.3.4-7] */
  #countUnacknowledged(): Refusal | undefined {
    const { session, limits } = this.#deps;
    this.#unacknowledged += 1;
    const open = Math.max(this.#unacknowledged, session.receivedCount);
    if (open <= limits.receiveMax) return undefined;
    const detail = `more than ${limits.receiveMax} messages without their acknowledgement`;
    const reasonCode = REASON.receiveMaximumExceeded;
    return new PacketRefusal('E_SESSION_PROTOCOL', detail, { reasonCode });
  }

  #receive(pubrec: Ack): Refusal | undefined {
    const { session, link } = this.#deps;
    const { packetId, reasonCode } = pubrec;
    if (session.queue.receive(packetId, reasonCode)) return undefined;
    const refusal = this.#checkUnknown(pubrec);
    // An error has ended the message: its id is free. MQTT 5 [MQTT-4.3.3-9] [MQTT-4.4.0-2]
    if (refusal !== undefined || reasonCode >= 0x80) return refusal;
    link.write(encodePubrel(packetId)); // [MQTT-4.3.3-4]
    return undefined;
  }

  /** An id of another QoS, or of another step, is no late answer. [MQTT-4.3.2-3] [MQTT-4.3.3-3] */
  #checkUnknown({ type, packetId }: Ack): Refusal | undefined {
    if (!this.#deps.session.queue.has(packetId)) return undefined;
    return refuse('E_SESSION_PROTOCOL', `${type} does not answer what was sent with its id`);
  }

  /** Goes on when the message itself has ended. MQTT 5 [MQTT-4.3.3-13] */
  #release({ packetId }: Ack): void {
    const { session } = this.#deps;
    if (!session.release(packetId)) return this.#write(encodePubcomp(packetId));
    this.#reusedIds.delete(packetId);
    this.#unacknowledged = Math.max(0, this.#unacknowledged - 1);
    // Until this is durable the id must not be used for another message. [MQTT-4.3.3-11]
    session.whenDurable(() => this.#write(encodePubcomp(packetId)));
  }

  #subscribe({ packetId, subscriptions, properties }: Subscribe): void {
    const { session, link } = this.#deps;
    // Each filter as if it had come alone. MQTT 5 [MQTT-3.8.4-5], MQTT 3.1.1 [MQTT-3.8.4-4]
    // Retained messages go out again, and what is queued stays. MQTT 5 [MQTT-3.8.4-4]
    const toDeliver: string[] = [];
    const reasonCodes = subscriptions.map((subscription) => {
      const refusal = this.#refuseSubscription(subscription);
      if (refusal !== undefined) {
        this.#deps.report(refusal, subscription.filter);
        return link.level === 5 ? reasonOf(refusal) : REFUSED_FILTER;
      }
      const isNew = session.subscribe(subscription, properties.subscriptionId);
      if (asksForRetained(subscription, isNew)) toDeliver.push(subscription.filter);
      // MQTT 5 [MQTT-3.8.4-6] [MQTT-3.8.4-7], MQTT 3.1.1 [MQTT-3.8.4-5]
      return subscription.qos;
    });
    session.whenDurable(() => {
      // MQTT 5 [MQTT-2.2.1-6] [MQTT-3.8.4-2], MQTT 3.1.1 [MQTT-2.3.1-7] [MQTT-3.8.4-2]
      const suback = { packetId, reasonCodes, properties: {} };
      this.#answer(encodeSuback(suback, link.level)); // [MQTT-3.8.4-1]
      if (this.#isOver) return;
      for (const filter of toDeliver) session.deliverRetained(filter);
    });
  }

  #refuseSubscription({ filter }: Subscription): Refusal | undefined {
    const { session, limits, handler } = this.#deps;
    const isFull = session.subscriptionCount >= limits.subscriptionsMax;
    if (isFull && !session.isSubscribed(filter)) {
      return refuse('E_SESSION_LIMIT', `it has ${limits.subscriptionsMax} subscriptions already`);
    }
    const permission = handler.permitSubscription(parseShared(filter)?.filter ?? filter);
    return permission === true ? undefined : permission;
  }

  #unsubscribe({ packetId, filters }: Unsubscribe): void {
    const { session, link } = this.#deps;
    // MQTT 5 [MQTT-3.10.4-6], MQTT 3.1.1 [MQTT-3.10.4-6]
    const reasonCodes = filters.map((filter) =>
      session.unsubscribe(filter) ? REASON.success : REASON.noSubscriptionExisted,
    );
    session.whenDurable(() => {
      // Also when nothing was deleted. MQTT 5 [MQTT-3.10.4-5], MQTT 3.1.1 [MQTT-3.10.4-5]
      const unsuback = { packetId, reasonCodes, properties: {} };
      this.#answer(encodeUnsuback(unsuback, link.level)); // [MQTT-3.10.4-4]
    });
  }

  /** Writes an answer that may be larger than the peer takes. [MQTT-3.1.2-24] */
  #answer(bytes: Uint8Array): void {
    if (this.#isOver || this.#deps.link.takes(bytes)) return this.#write(bytes);
    const detail = `an answer of ${bytes.length} bytes is more than it takes [MQTT-3.1.2-24]`;
    const reasonCode = REASON.packetTooLarge;
    return this.#deps.refuse(new PacketRefusal('E_SESSION_PROTOCOL', detail, { reasonCode }));
  }

  get #nobodySubscribed(): number {
    return this.#deps.link.level === 5 ? REASON.noMatchingSubscribers : REASON.success;
  }

  #write(bytes: Uint8Array): void {
    if (!this.#isOver) this.#deps.link.write(bytes);
  }
}

/** Retain handling. [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] */
function asksForRetained({ filter, retainHandling }: Subscription, isNew: boolean): boolean {
  if (parseShared(filter) !== undefined) return false;
  return retainHandling === 0 || (retainHandling === 1 && isNew);
}
