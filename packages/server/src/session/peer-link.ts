/** The sending side of one connection: what a message looks like for this peer. @module */
import {
  type ProtocolLevel,
  type PublishTemplate,
  type Qos,
  encodePublish,
  encodePublishTemplate,
  fillPublishTemplate,
} from '@holdfast/protocol/mqtt';
import type { Clock } from '../kernel/index.ts';
import type { Delivery } from './handler.ts';
import type { OutboundAliases } from './topic-aliases.ts';
import type { WriteBatch } from './write-batch.ts';

/** What a connection tells its session when it joins it. */
export interface PeerLinkOptions {
  readonly clock: Clock;
  readonly writes: WriteBatch;
  readonly level: ProtocolLevel;
  /** QoS 1 and 2 messages that the peer takes at a time. [MQTT-3.3.4-9] */
  readonly receiveMax: number;
  /** Largest packet in bytes that the peer takes. [MQTT-3.1.2-24] */
  readonly packetBytesMax: number;
  /** Bytes that may wait for the peer before it counts as slow. */
  readonly outboundBytesMax: number;
  /** Undefined when the peer allows none. */
  readonly aliases: OutboundAliases | undefined;
  readonly frames: FrameCache;
}

/** How a message is sent at QoS 1 and 2. */
export interface Acknowledged {
  readonly packetId: number;
  readonly dup: boolean;
}

/** Writes messages to one peer. */
export class PeerLink {
  readonly level: ProtocolLevel;
  readonly receiveMax: number;
  readonly #options: PeerLinkOptions;

  constructor(options: PeerLinkOptions) {
    this.level = options.level;
    this.receiveMax = options.receiveMax;
    this.#options = options;
  }

  /** Whether more than enough is written that the peer has not taken yet. */
  get isFull(): boolean {
    return this.#options.writes.pendingBytes > this.#options.outboundBytesMax;
  }

  write(bytes: Uint8Array): void {
    this.#options.writes.write(bytes);
  }

  /** Whether a packet is no larger than the peer takes. [MQTT-3.1.2-24] */
  takes(bytes: Uint8Array): boolean {
    return bytes.length <= this.#options.packetBytesMax;
  }

  /**
   * Writes a message; at QoS 1 and 2 with its packet id.
   * @returns false when it is larger than the peer takes: for the sender that is as if it had
   *   been delivered. [MQTT-3.1.2-25]
   */
  publish(delivery: Delivery, acknowledged: Acknowledged | undefined): boolean {
    const bytes = this.#encode(delivery, acknowledged);
    if (!this.takes(bytes)) {
      // What the peer never gets cannot tell it an alias.
      this.#options.aliases?.takeBack(delivery.message.topic);
      return false;
    }
    this.#options.writes.write(bytes);
    return true;
  }

  #encode(delivery: Delivery, acknowledged: Acknowledged | undefined): Uint8Array {
    const { level, aliases, frames, clock } = this.#options;
    const { message, qos, retain, subscriptionIds } = delivery;
    if (aliases === undefined && message.expiresAtMs === Number.POSITIVE_INFINITY) {
      return frames.frame(delivery, { level, acknowledged });
    }
    const known = aliases?.use(message.topic);
    const options = {
      ...sending(qos, acknowledged),
      retain,
      forwarded: message.forwarded,
      subscriptionIds,
      ...(known === undefined ? {} : { topicAlias: known.alias }),
      ...(message.expiresAtMs === Number.POSITIVE_INFINITY
        ? {}
        : { messageExpiryS: secondsLeft(message.expiresAtMs, clock.nowMs()) }),
    };
    const topic = known?.isKnown === true ? '' : message.topic;
    return encodePublish(topic, message.payload, options, level);
  }
}

/**
 * The last message that was encoded, for the next peer that gets the same one: fan-out is a loop
 * over the receivers of one message.
 */
export class FrameCache {
  #delivery: Delivery | undefined;
  #level: ProtocolLevel = 4;
  #frame: Uint8Array | undefined;
  #template: PublishTemplate | undefined;

  frame(
    delivery: Delivery,
    { level, acknowledged }: { level: ProtocolLevel; acknowledged: Acknowledged | undefined },
  ): Uint8Array {
    if (delivery !== this.#delivery || level !== this.#level) {
      this.#delivery = delivery;
      this.#level = level;
      this.#frame = undefined;
      this.#template = undefined;
    }
    const { message, qos, retain, subscriptionIds } = delivery;
    const { topic, payload, forwarded } = message;
    if (qos === 0 || acknowledged === undefined) {
      const options = { qos: 0 as const, retain, forwarded, subscriptionIds };
      this.#frame ??= encodePublish(topic, payload, options, level);
      return this.#frame;
    }
    this.#template ??= encodePublishTemplate(
      topic,
      payload,
      { qos, retain, forwarded, subscriptionIds },
      level,
    );
    return fillPublishTemplate(this.#template, acknowledged);
  }

  /** Lets go of the message. */
  clear(): void {
    this.#delivery = undefined;
    this.#frame = undefined;
    this.#template = undefined;
  }
}

function sending(
  qos: Qos,
  acknowledged: Acknowledged | undefined,
): { qos: 0 } | { qos: 1 | 2; packetId: number; dup: boolean } {
  // MQTT 5 [MQTT-2.2.1-2] [MQTT-4.3.1-1], MQTT 3.1.1 [MQTT-2.3.1-5] [MQTT-4.3.1-1]
  if (qos === 0 || acknowledged === undefined) return { qos: 0 };
  return { qos, packetId: acknowledged.packetId, dup: acknowledged.dup };
}

/** What is left of the life of a message, rounded up to seconds. [MQTT-3.3.2-6] */
function secondsLeft(expiresAtMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((expiresAtMs - nowMs) / 1_000));
}
