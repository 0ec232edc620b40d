/** A thread of devices that publish, as fast as they are let or on a schedule. @module */
import { readFleet } from '../fleet/fleet.ts';
import { type Counters, PHASE, monotonicMs } from './counters.ts';
import { type FlowJob, PROBLEMS_MAX } from './job.ts';
import { openAll } from './link.ts';
import { Publisher } from './publisher.ts';
import { type ThreadData, type ThreadEnd, messagesPerDevice, quantilesOf } from './threads.ts';

/** Full handshakes at a time. */
const HANDSHAKES = 16;
/** QoS 1 messages of one device on their way: below the receive maximum of every broker. */
const IN_FLIGHT_MAX = 500;
/** How long a thread on a schedule sleeps between two looks at the clock, in milliseconds. */
const SCHEDULE_STEP_MS = 0.2;

/** The devices of one thread. */
export class PublishThread {
  readonly #job: FlowJob;
  readonly #thread: number;
  readonly #counters: Counters;
  readonly #publishers: readonly Publisher[];
  readonly #dueMs: Float64Array | undefined;
  readonly #late: number[] = [];
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));
  #at = 0;
  #isPumpQueued = false;
  #timer: NodeJS.Timeout | undefined;
  #startMs = 0;
  #sentOnSchedule = 0;

  constructor({ job, thread, dueMs }: ThreadData, counters: Counters) {
    this.#job = job;
    this.#thread = thread;
    this.#counters = counters;
    this.#dueMs = dueMs === undefined ? undefined : new Float64Array(dueMs);
    const fleet = readFleet(job.fleet);
    const address = { port: job.broker.port, anchorPem: fleet.anchorPem };
    const { qos, form, publishers, publishThreads, outstanding } = job;
    this.#publishers = fleet.devices
      .slice(0, publishers)
      .map((member, place) => ({ member, place }))
      .filter(({ place }) => place % publishThreads === thread)
      .map(
        ({ member, place }) =>
          new Publisher({
            member,
            place,
            address,
            qos,
            form,
            count: messagesPerDevice(job),
            inFlightMax: Math.min(IN_FLIGHT_MAX, Math.max(1, Math.floor(outstanding / publishers))),
            onAcknowledged: this.#onAcknowledged,
          }),
      );
  }

  async open(): Promise<void> {
    const makers = this.#publishers.map((publisher) => () => publisher.open());
    await openAll(makers, HANDSHAKES);
  }

  /** Publishes until the phase ends or nothing is left. */
  run(): void {
    this.#startMs = monotonicMs();
    if (this.#job.rate === undefined) this.#pump();
    else this.#keepSchedule();
  }

  async end(): Promise<ThreadEnd> {
    const problems = this.#publishers.map(({ problem }) => problem);
    const shared = this.#publishers.map(({ recordsShared }) => recordsShared);
    await Promise.all(this.#publishers.map((publisher) => publisher.close()));
    return {
      kind: 'end',
      problems: problems.filter((problem) => problem !== undefined).slice(0, PROBLEMS_MAX),
      recordsShared: shared.reduce(
        (sum, one) => (sum === undefined || one === undefined ? undefined : sum + one),
        0,
      ),
      ...(this.#late.length > 0 && { quantiles: quantilesOf(Float32Array.from(this.#late)) }),
    };
  }

  readonly #onAcknowledged = (): void => {
    this.#counters.add(this.#thread, 'acknowledged');
    if (this.#job.rate === undefined) this.#queuePump();
  };

  #queuePump(): void {
    if (this.#isPumpQueued) return;
    this.#isPumpQueued = true;
    setImmediate(this.#pump);
  }

  /** Sends what the window allows: devices take turns, one record each. */
  readonly #pump = (): void => {
    this.#isPumpQueued = false;
    if (this.#counters.phase !== PHASE.running) return;
    const { outstanding, fanout, publishThreads } = this.#job;
    const open = this.#counters.sum('sent') - this.#counters.sum('distinct') / fanout;
    const sent = this.#sendUpTo(Math.ceil((outstanding - open) / publishThreads));
    if (sent > 0) this.#queuePump();
    else this.#pumpLater();
  };

  #pumpLater(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, 1);
  }

  #sendUpTo(budget: number): number {
    const count = this.#publishers.length;
    let sent = 0;
    for (let tried = 0; tried < count && sent < budget; tried += 1) {
      const publisher = this.#publishers[this.#at];
      this.#at = (this.#at + 1) % count;
      if (publisher?.canSend !== true) continue;
      this.#noteDue(publisher);
      publisher.send();
      sent += 1;
    }
    this.#counters.add(this.#thread, 'sent', sent);
    return sent;
  }

  #keepSchedule(): void {
    if (this.#counters.phase !== PHASE.running) return;
    const due = Math.floor(this.#dueAfter(monotonicMs() - this.#startMs)) - this.#sentOnSchedule;
    if (due > 0) this.#sendUpTo(due);
    else Atomics.wait(this.#sleeper, 0, 0, SCHEDULE_STEP_MS);
    setImmediate(() => this.#keepSchedule());
  }

  /** Messages that are due after a time: the rate rises during the first half of the warm-up. */
  #dueAfter(elapsedMs: number): number {
    const { perMs, rampMs } = this.#schedule();
    if (elapsedMs < rampMs) return (perMs * elapsedMs ** 2) / (2 * rampMs);
    return perMs * (elapsedMs - rampMs / 2);
  }

  /** When the message of this number is due. */
  #dueAt(number: number): number {
    const { perMs, rampMs } = this.#schedule();
    const inRamp = (perMs * rampMs) / 2;
    if (number < inRamp) return Math.sqrt((2 * rampMs * number) / perMs);
    return number / perMs + rampMs / 2;
  }

  #schedule(): { perMs: number; rampMs: number } {
    const { rate = 0, publishThreads, warmUpSeconds } = this.#job;
    return { perMs: rate / publishThreads / 1_000, rampMs: warmUpSeconds * 500 };
  }

  #noteDue({ place, sent }: Publisher): void {
    if (this.#dueMs === undefined || this.#job.rate === undefined) return;
    this.#sentOnSchedule += 1;
    const dueMs = this.#startMs + this.#dueAt(this.#sentOnSchedule);
    this.#dueMs[place * messagesPerDevice(this.#job) + sent] = dueMs;
    this.#late.push(monotonicMs() - dueMs);
  }
}
