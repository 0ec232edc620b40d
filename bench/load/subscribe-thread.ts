/** The thread of the services that subscribe. @module */
import { readFleet } from '../fleet/fleet.ts';
import { type Counters, monotonicMs } from './counters.ts';
import { PROBLEMS_MAX } from './job.ts';
import { openAll } from './link.ts';
import { Subscriber } from './subscriber.ts';
import { type ThreadData, type ThreadEnd, messagesPerDevice, quantilesOf } from './threads.ts';

const HANDSHAKES = 16;
const MS_PER_S = 1_000;

/** All subscribers. */
export class SubscribeThread {
  readonly #thread: number;
  readonly #counters: Counters;
  readonly #subscribers: readonly Subscriber[];
  readonly #dueMs: Float64Array | undefined;
  readonly #warmUpMs: number;
  readonly #latencies: number[] = [];
  #startMs = 0;
  #distinct = 0;
  #nowMs = 0;

  constructor({ job, thread, dueMs }: ThreadData, counters: Counters) {
    this.#thread = thread;
    this.#counters = counters;
    this.#dueMs = dueMs === undefined ? undefined : new Float64Array(dueMs);
    this.#warmUpMs = job.warmUpSeconds * MS_PER_S;
    const fleet = readFleet(job.fleet);
    const address = { port: job.broker.port, anchorPem: fleet.anchorPem };
    this.#subscribers = job.subscriptions.map((subscription) => {
      const member = fleet.services[subscription.service];
      if (member === undefined) throw new Error(`no service ${subscription.service}`);
      return new Subscriber({
        member,
        address,
        level: job.subscriberLevel,
        qos: job.qos,
        subscription,
        perDevice: messagesPerDevice(job),
        onMessage: this.#onMessage,
        afterRead: this.#afterRead,
      });
    });
  }

  async open(): Promise<void> {
    const makers = this.#subscribers.map((subscriber) => () => subscriber.open());
    await openAll(makers, HANDSHAKES);
    for (const subscriber of this.#subscribers) await subscriber.subscribe();
  }

  run(): void {
    this.#startMs = monotonicMs();
  }

  async end(): Promise<ThreadEnd> {
    const problems = this.#subscribers.map(({ problem }) => problem);
    await Promise.all(this.#subscribers.map((subscriber) => subscriber.close()));
    return {
      kind: 'end',
      problems: problems.filter((problem) => problem !== undefined).slice(0, PROBLEMS_MAX),
      ...(this.#dueMs !== undefined && {
        quantiles: quantilesOf(Float32Array.from(this.#latencies)),
      }),
    };
  }

  readonly #onMessage = (kind: 'distinct' | 'duplicate' | 'foreign', index: number): void => {
    if (kind !== 'distinct') return this.#counters.add(this.#thread, kind);
    this.#distinct += 1;
    const dueMs = this.#dueMs?.[index];
    if (dueMs === undefined) return undefined;
    // One look at the clock for all messages of one read.
    if (this.#nowMs === 0) this.#nowMs = monotonicMs();
    // The warm-up does not count: code is compiled and caches fill.
    if (dueMs - this.#startMs > this.#warmUpMs) this.#latencies.push(this.#nowMs - dueMs);
    return undefined;
  };

  readonly #afterRead = (): void => {
    this.#nowMs = 0;
    if (this.#distinct === 0) return;
    this.#counters.add(this.#thread, 'distinct', this.#distinct);
    this.#distinct = 0;
  };
}
