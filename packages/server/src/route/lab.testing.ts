/** Messages and receivers for the tests of routing. @module */
import type { Qos } from '@holdfast/protocol/mqtt';
import * as fc from 'fast-check';
import type {
  Delivery,
  MessageRef,
  Receiver,
  RoutedMessage,
  SubscriptionOptions,
} from '../session/index.ts';
import { RETAINED_LIMITS, type RetainedLimits } from './retained.ts';

/** A message that its index tells apart from others. */
export class TestMessage implements RoutedMessage {
  readonly index: number;
  readonly keyRef = 7;
  readonly principal: string;
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly forwarded = new Uint8Array(0);
  readonly expiresAtMs: number;
  payload: Uint8Array;
  isDetached = false;

  constructor(topic: string, options: Partial<Omit<RoutedMessage, 'topic' | 'detach'>> = {}) {
    this.topic = topic;
    this.index = options.index ?? 0;
    this.principal = options.principal ?? 'pump-1';
    this.qos = options.qos ?? 1;
    this.retain = options.retain ?? false;
    this.expiresAtMs = options.expiresAtMs ?? Number.POSITIVE_INFINITY;
    this.payload = options.payload ?? Buffer.from('payload');
  }

  detach(): void {
    this.isDetached = true;
    this.payload = new Uint8Array(this.payload);
  }
}

/** Keeps what it gets. */
export class TestReceiver implements Receiver {
  readonly principal: string;
  isReady = true;
  recordedIndex: number | undefined;
  readonly deliveries: Delivery[] = [];
  onDeliver: (delivery: Delivery) => void = () => {};

  constructor(principal = 'app') {
    this.principal = principal;
  }

  deliver(delivery: Delivery): void {
    this.deliveries.push(delivery);
    this.onDeliver(delivery);
  }

  /** Indexes of the messages that it got. */
  get indexes(): number[] {
    return this.deliveries.map(({ message }) => message.index);
  }

  /** Topics of the messages that it got. */
  get topics(): string[] {
    return this.deliveries.map(({ message }) => message.topic);
  }
}

/** Notes what would be on the disk. */
export class TestStore {
  readonly refs = new Map<string, MessageRef>();
  saveCount = 0;

  saveRetained(topic: string, ref: MessageRef | undefined): void {
    this.saveCount += 1;
    if (ref === undefined) this.refs.delete(topic);
    else this.refs.set(topic, ref);
  }
}

export function subscription(options: Partial<SubscriptionOptions> = {}): SubscriptionOptions {
  return {
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    subscriptionId: undefined,
    ...options,
  };
}

export function limits(smaller: Partial<RetainedLimits>): RetainedLimits {
  return { ...RETAINED_LIMITS, ...smaller };
}

const name = fc.constantFrom('a', 'b', '', '$s');

/** Topic names of a world that is small enough for matches to be frequent. */
export const anyTopic: fc.Arbitrary<string> = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');

const level = fc.oneof(name, fc.constant('+'));

/** Topic filters of the same world. */
export const anyFilter: fc.Arbitrary<string> = fc
  .tuple(fc.array(level, { maxLength: 3 }), fc.oneof(level, fc.constant('#')))
  .map(([levels, last]) => [...levels, last].join('/'))
  .filter((filter) => filter !== '');

export const anyOptions: fc.Arbitrary<SubscriptionOptions> = fc.record({
  qos: fc.constantFrom<Qos[]>(0, 1, 2),
  noLocal: fc.boolean(),
  retainAsPublished: fc.boolean(),
  subscriptionId: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
});
