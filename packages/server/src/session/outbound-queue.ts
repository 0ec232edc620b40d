/** QoS 1 and 2 messages on their way to one session, whether it is connected or not. @module */
import { PACKET_ID_MAX, encodePubrel } from '@holdfast/protocol/mqtt';
import { Fifo } from '../kernel/index.ts';
import type { Delivery, MessageRef, RoutedMessage, SessionStore } from './handler.ts';
import { FETCH_COUNT, type SessionLimits } from './limits.ts';
import type { PeerLink } from './peer-link.ts';

/** A message of the queue. Its payload may have to be read back from the journal. */
export interface QueuedMessage extends MessageRef {
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[];
  readonly expiresAtMs: number;
  /** Bytes of its payload. */
  readonly bytes: number;
  /** 0 until it is sent for the first time. */
  readonly packetId: number;
  /** Whether PUBREC came: then the message itself is never sent again. [MQTT-4.3.3-6] */
  readonly isReleased: boolean;
}

/** What the queue needs of its session. */
export interface OutboundQueueDeps {
  readonly store: SessionStore;
  readonly limits: SessionLimits;
  readonly nowMs: () => number;
  /** Whether the session survives its connection, and with it this queue. */
  readonly isDurable: () => boolean;
  /** The queue has changed. `now` when the peer is about to rely on it. */
  readonly onChange: (when: 'now' | 'soon') => void;
  /** A message is dropped: the queue was full, or the peer does not take its size. */
  readonly onDrop: (why: 'full' | 'too large' | 'expired' | 'gone') => void;
}

interface Item {
  readonly ref: MessageRef;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIds: readonly number[];
  readonly expiresAtMs: number;
  readonly bytes: number;
  /** There while the payload is in memory. */
  delivery: Delivery | undefined;
  packetId: number;
  isReleased: boolean;
}

/**
 * Sends as many messages as the peer takes at a time, in their order, and keeps the others.
 * @see MQTT 5 §4.3, §4.4, §4.6, §4.9
 */
export class OutboundQueue {
  readonly #deps: OutboundQueueDeps;
  /** Sent and not acknowledged, by packet id, in the order of sending. */
  readonly #inFlight = new Map<number, Item>();
  readonly #waiting = new Fifo<Item>();
  #waitingBytes = 0;
  #memoryBytes = 0;
  /** In flight before this connection began, to be sent again. [MQTT-4.4.0-1] */
  #resend = new Fifo<Item>();
  #link: PeerLink | undefined;
  /** How many more may be sent before one is acknowledged. MQTT 5 §4.9 */
  #quota = 0;
  #packetId = 0;
  #fetching: object | undefined;

  constructor(deps: OutboundQueueDeps) {
    this.#deps = deps;
  }

  /** Messages that wait or are in flight. */
  get count(): number {
    return this.#waiting.length + this.#inFlight.size;
  }

  /** Whether an acknowledgement with this id is waited for. */
  has(packetId: number): boolean {
    return this.#inFlight.has(packetId);
  }

  /** Takes a message of QoS 1 or 2. */
  push(delivery: Delivery): void {
    if (delivery.qos === 0) return;
    const { message, qos, retain, subscriptionIds } = delivery;
    const item: Item = {
      ref: message,
      qos,
      retain,
      subscriptionIds,
      expiresAtMs: message.expiresAtMs,
      bytes: message.payload.length,
      delivery,
      packetId: 0,
      isReleased: false,
    };
    // One queue for all topics: what came first goes first. MQTT 5 [MQTT-4.6.0-5] [MQTT-4.6.0-6],
    // MQTT 3.1.1 [MQTT-4.6.0-5] [MQTT-4.6.0-6]
    if (this.#link !== undefined && this.#waiting.length === 0 && this.#canSend(this.#link)) {
      this.#send(item, this.#link);
    } else {
      this.#wait(item);
    }
  }

  /** The session is connected: what was in flight goes again, then what waited. */
  attach(link: PeerLink): void {
    this.#link = link;
    // MQTT 5 [MQTT-4.9.0-1], in the order of sending: MQTT 3.1.1 [MQTT-4.6.0-1]
    this.#quota = Math.min(link.receiveMax, this.#deps.limits.inFlightMax);
    this.#resend = new Fifo();
    for (const item of this.#inFlight.values()) this.#resend.push(item);
    this.#pump();
  }

  /** The connection has ended; payloads are read back from the journal when it is back. */
  detach(): void {
    this.#link = undefined;
    this.#resend = new Fifo();
    this.#fetching = undefined;
    for (const item of this.#waiting.all()) this.#forgetPayload(item);
  }

  /** Goes on sending; called when the peer has taken what was written. */
  resume(): void {
    this.#pump();
  }

  /** PUBACK. @returns false when no QoS 1 message has this id. */
  acknowledge(packetId: number): boolean {
    const item = this.#inFlight.get(packetId);
    // From here on the id means another message. MQTT 5 [MQTT-4.3.2-5]
    if (item === undefined || item.qos !== 1) return false;
    this.#finish(packetId);
    return true;
  }

  /**
   * PUBREC. A reason from 0x80 on ends the message.
   * @returns false when no QoS 2 message has this id.
   */
  receive(packetId: number, reasonCode: number): boolean {
    const item = this.#inFlight.get(packetId);
    if (item === undefined || item.qos !== 2) return false;
    // MQTT 5 [MQTT-4.3.3-9] [MQTT-4.4.0-2]
    if (reasonCode >= 0x80) {
      this.#finish(packetId);
      return true;
    }
    // PUBREL is open until PUBCOMP. MQTT 5 [MQTT-4.3.3-5], MQTT 3.1.1 [MQTT-4.6.0-4]
    item.isReleased = true;
    item.delivery = undefined;
    this.#whenDurable(() => this.#sendRelease(item));
    return true;
  }

  /** PUBCOMP. @returns false when no released message has this id. */
  complete(packetId: number): boolean {
    // MQTT 5 [MQTT-4.3.3-12]
    if (this.#inFlight.get(packetId)?.isReleased !== true) return false;
    this.#finish(packetId);
    return true;
  }

  /** What a restart needs, in the order of sending. */
  snapshot(): QueuedMessage[] {
    return [...this.#inFlight.values(), ...this.#waiting.all()].map((item) => ({
      index: item.ref.index,
      keyRef: item.ref.keyRef,
      qos: item.qos,
      retain: item.retain,
      subscriptionIds: item.subscriptionIds,
      expiresAtMs: item.expiresAtMs,
      bytes: item.bytes,
      packetId: item.packetId,
      isReleased: item.isReleased,
    }));
  }

  /** Takes back what {@link snapshot} gave. */
  restore(messages: readonly QueuedMessage[]): void {
    for (const { index, keyRef, packetId, isReleased, ...rest } of messages) {
      const ref = { index, keyRef };
      const item: Item = { ...rest, ref, packetId, isReleased, delivery: undefined };
      if (packetId !== 0) this.#inFlight.set(packetId, item);
      else this.#wait(item);
      this.#packetId = Math.max(this.#packetId, packetId);
    }
  }

  #canSend(link: PeerLink): boolean {
    // Acknowledgements and all else are written past this queue. MQTT 5 [MQTT-4.9.0-2] [MQTT-4.9.0-3]
    return this.#quota > 0 && this.#resend.length === 0 && !link.isFull;
  }

  #pump(): void {
    const link = this.#link;
    if (link === undefined) return;
    if (!this.#pumpResends(link)) return;
    while (this.#waiting.length > 0 && this.#canSend(link)) {
      const item = this.#waiting.peek();
      if (item === undefined) return;
      if (item.delivery === undefined) return this.#fetch(this.#waiting);
      this.#waiting.shift();
      this.#waitingBytes -= item.bytes;
      this.#memoryBytes -= item.bytes;
      // What was sent before is sent to its end, expired or not. MQTT 5 [MQTT-4.3.3-7]
      if (this.#isExpired(item)) this.#deps.onDrop('expired');
      else this.#send(item, link);
    }
  }

  /** @returns false when something that goes first has to wait. */
  #pumpResends(link: PeerLink): boolean {
    for (;;) {
      const item = this.#resend.peek();
      if (item === undefined) return true;
      const isOpen = this.#inFlight.get(item.packetId) === item;
      if (!isOpen) {
        this.#resend.shift();
        continue;
      }
      if (item.isReleased) this.#sendRelease(item);
      else if (this.#quota === 0 || link.isFull) return false;
      else if (item.delivery === undefined) {
        this.#fetch(this.#resend);
        return false;
      } else this.#write(item, link, true);
      this.#resend.shift();
    }
  }

  #send(item: Item, link: PeerLink): void {
    // MQTT 5 [MQTT-4.3.2-1] [MQTT-4.3.3-1]
    do this.#packetId = (this.#packetId % PACKET_ID_MAX) + 1;
    while (this.#inFlight.has(this.#packetId)); // [MQTT-2.2.1-4]
    item.packetId = this.#packetId;
    this.#inFlight.set(item.packetId, item);
    if (item.qos === 1) {
      this.#write(item, link, false);
      this.#deps.onChange('soon');
      return;
    }
    this.#quota -= 1;
    // After a crash the peer must not get the message again under another packet id.
    this.#whenDurable(() => {
      // Another connection sends it again by itself.
      if (this.#link !== link) return;
      this.#quota += 1;
      if (this.#inFlight.get(item.packetId) === item) this.#write(item, link, false);
    });
  }

  #write(item: Item, link: PeerLink, dup: boolean): void {
    const { delivery, packetId } = item;
    if (delivery === undefined) return;
    // DUP is ours, not that of the publisher. MQTT 5 [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2],
    // MQTT 3.1.1 [MQTT-3.3.1-3]
    this.#quota -= 1;
    if (!link.publish(delivery, { packetId, dup })) {
      this.#deps.onDrop('too large');
      this.#finish(packetId);
    } else if (item.ref.index >= 0) {
      // Within a connection it is never sent again, and for the next one the journal has it.
      item.delivery = undefined;
    }
  }

  #sendRelease({ packetId }: Item): void {
    if (this.#inFlight.has(packetId)) this.#link?.write(encodePubrel(packetId));
  }

  #finish(packetId: number): void {
    this.#inFlight.delete(packetId);
    const { inFlightMax } = this.#deps.limits;
    this.#quota = Math.min(this.#quota + 1, inFlightMax, this.#link?.receiveMax ?? inFlightMax);
    this.#deps.onChange('soon');
    this.#pump();
  }

  #wait(item: Item): void {
    this.#waiting.push(item);
    this.#waitingBytes += item.bytes;
    if (item.delivery !== undefined) {
      this.#memoryBytes += item.bytes;
      const isMemoryUsedUp = this.#memoryBytes > this.#deps.limits.queueMemoryBytesMax;
      if (this.#link === undefined || isMemoryUsedUp) this.#forgetPayload(item);
      else item.delivery.message.detach();
    }
    const { queueCountMax, queueBytesMax } = this.#deps.limits;
    while (this.#waiting.length > queueCountMax || this.#waitingBytes > queueBytesMax) {
      this.#dropOldest();
    }
    this.#deps.onChange('soon');
  }

  #dropOldest(): void {
    const item = this.#waiting.shift();
    if (item === undefined) return;
    this.#waitingBytes -= item.bytes;
    if (item.delivery !== undefined) this.#memoryBytes -= item.bytes;
    this.#deps.onDrop('full');
  }

  /** A message that the journal does not have keeps its payload. */
  #forgetPayload(item: Item): void {
    if (item.delivery === undefined || item.ref.index < 0) return;
    this.#memoryBytes -= item.bytes;
    item.delivery = undefined;
  }

  #isExpired({ expiresAtMs }: Item): boolean {
    return expiresAtMs <= this.#deps.nowMs();
  }

  /** Reads the payloads of the next messages back, then goes on. */
  #fetch(items: Fifo<Item>): void {
    if (this.#fetching !== undefined) return;
    const ticket = {};
    this.#fetching = ticket;
    const wanted = items.first(FETCH_COUNT).filter(({ delivery }) => delivery === undefined);
    const take = (messages: readonly (RoutedMessage | undefined)[] | undefined): void => {
      // The connection has changed meanwhile: the next one asks again.
      if (this.#fetching !== ticket) return;
      this.#fetching = undefined;
      // When the journal could not be read, the next sweep tries again.
      if (messages === undefined) return;
      for (const [at, item] of wanted.entries()) this.#takePayload(item, messages[at]);
      this.#pump();
    };
    this.#deps.store.fetch(wanted.map(({ ref }) => ref)).then(take, () => take(undefined));
  }

  #takePayload(item: Item, message: RoutedMessage | undefined): void {
    if (message !== undefined) {
      const { qos, retain, subscriptionIds } = item;
      item.delivery = { message, qos, retain, subscriptionIds };
      if (item.packetId === 0) this.#memoryBytes += item.bytes;
      return;
    }
    // Its data key was destroyed: an erased message is delivered to nobody.
    this.#deps.onDrop('gone');
    this.#resend.remove(item);
    if (item.packetId !== 0) this.#inFlight.delete(item.packetId);
    else {
      this.#waiting.remove(item);
      this.#waitingBytes -= item.bytes;
    }
  }

  #whenDurable(then: () => void): void {
    if (!this.#deps.isDurable()) return then();
    this.#deps.onChange('now');
    this.#deps.store.barrier(then);
  }
}
