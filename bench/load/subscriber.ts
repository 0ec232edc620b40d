/** One back-end service that subscribes, and counts each message exactly once. @module */
import type { Member } from '../fleet/fleet.ts';
import { type Level, type Qos, TYPE, subscribeFrame } from './frames.ts';
import type { Subscription } from './job.ts';
import { type Address, Link } from './link.ts';
import { PAYLOAD_BYTES, readNumber, readPlace } from './messages.ts';

/** What a subscriber is made of. */
export interface SubscriberOptions {
  readonly member: Member;
  readonly address: Address;
  readonly level: Level;
  readonly qos: Qos;
  readonly subscription: Subscription;
  /** Messages that each device may send. */
  readonly perDevice: number;
  readonly onMessage: (kind: 'distinct' | 'duplicate' | 'foreign', index: number) => void;
  readonly afterRead: () => void;
}

/** Bytes of a PUBACK without properties. */
const PUBACK_BYTES = 4;
const PUBACKS_AT_ONCE_MAX = 4_096;

/** A subscriber. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  /** One byte for each message that there can be. */
  readonly #seen: Uint8Array;
  readonly #pubacks = Buffer.allocUnsafeSlow(PUBACKS_AT_ONCE_MAX * PUBACK_BYTES);
  #pubackBytes = 0;
  #isAcknowledging = false;
  #link: Link | undefined;
  #markSubscribed: () => void = () => {};
  #failSubscribe: (error: Error) => void = () => {};

  constructor(options: SubscriberOptions) {
    this.#options = options;
    const { from, to } = options.subscription;
    this.#seen = new Uint8Array((to - from) * options.perDevice);
  }

  open(): Link {
    const { member, address, level } = this.#options;
    this.#link = new Link({
      member,
      address,
      level,
      take: (first, bytes, start, end) => {
        if (first >> 4 === TYPE.publish) this.#takePublish(first, bytes, start, end);
        else if (first >> 4 === TYPE.suback) this.#takeSuback(bytes[end - 1] ?? 0x80);
      },
      afterRead: () => {
        this.#options.afterRead();
        if (this.#pubackBytes === 0 || this.#isAcknowledging) return;
        this.#isAcknowledging = true;
        setImmediate(this.#acknowledge);
      },
    });
    return this.#link;
  }

  /** Subscribes; rejects when the broker refuses. */
  subscribe(): Promise<void> {
    const { level, qos, subscription } = this.#options;
    return new Promise((resolve, reject) => {
      this.#markSubscribed = resolve;
      this.#failSubscribe = reject;
      this.#link?.write(subscribeFrame(subscription.filter, { qos, level }));
      void this.#link?.closed.then(() => reject(new Error(this.problem ?? 'closed')));
    });
  }

  get problem(): string | undefined {
    return this.#link?.problem;
  }

  async close(): Promise<void> {
    await this.#link?.end();
  }

  #takeSuback(code: number): void {
    const { member, qos, subscription } = this.#options;
    if (code === qos) return this.#markSubscribed();
    const why = `${member.id}: SUBACK ${code} for ${subscription.filter}`;
    return this.#failSubscribe(new Error(why));
  }

  #takePublish(first: number, bytes: Buffer, start: number, end: number): void {
    const { level, subscription, perDevice, onMessage } = this.#options;
    let at = start + 2 + bytes.readUInt16BE(start);
    if ((first & 0x06) !== 0) {
      this.#addPuback(bytes[at] ?? 0, bytes[at + 1] ?? 0);
      at += 2;
    }
    // What is delivered carries at most some hundred bytes of properties: two bytes of length.
    if (level === 5) {
      const low = bytes[at] ?? 0;
      at += low < 0x80 ? 1 + low : 2 + (low & 0x7f) + (bytes[at + 1] ?? 0) * 128;
    }
    const place = readPlace(bytes, at);
    const number = readNumber(bytes, at);
    const isOurs =
      end - at === PAYLOAD_BYTES &&
      place >= subscription.from &&
      place < subscription.to &&
      number >= 0 &&
      number < perDevice;
    if (!isOurs) return onMessage('foreign', -1);
    const seenAt = (place - subscription.from) * perDevice + number;
    const isNew = this.#seen[seenAt] === 0;
    this.#seen[seenAt] = 1;
    return onMessage(isNew ? 'distinct' : 'duplicate', place * perDevice + number);
  }

  #addPuback(high: number, low: number): void {
    if (this.#pubackBytes === this.#pubacks.length) this.#acknowledge();
    this.#pubacks[this.#pubackBytes] = TYPE.puback << 4;
    this.#pubacks[this.#pubackBytes + 1] = 2;
    this.#pubacks[this.#pubackBytes + 2] = high;
    this.#pubacks[this.#pubackBytes + 3] = low;
    this.#pubackBytes += PUBACK_BYTES;
  }

  /** Acknowledges all messages of one turn of the event loop in one write. */
  readonly #acknowledge = (): void => {
    this.#isAcknowledging = false;
    if (this.#pubackBytes === 0) return;
    // The socket keeps what it was given until it is written.
    this.#link?.write(Buffer.from(this.#pubacks.subarray(0, this.#pubackBytes)));
    this.#pubackBytes = 0;
  };
}
