/** The series as the rest of the server sees them; the work is done in a thread of its own. @module */
import { Worker } from 'node:worker_threads';
import {
  type CancelTimer,
  type Clock,
  Fault,
  type Log,
  sleep,
  systemClock,
} from '../../kernel/index.ts';
import { ADVANCE_INTERVAL_MS, IDLE_ADVANCE_MS, KEYS_PER_SLICE } from './limits.ts';
import type {
  BucketPoint,
  BucketsQuery,
  LatestOfDevice,
  Point,
  PointPage,
  PointsQuery,
  SeriesList,
} from './series-query.ts';
import type { Keep } from './usage.ts';
import type {
  Answer,
  ExpiredKey,
  FromWorker,
  KeyMessage,
  RequestMessage,
  RequestType,
  Requests,
  ToWorker,
} from './worker-messages.ts';

/** What the series need. */
export interface SeriesStoreOptions {
  /** Database of the series; made when it is not there, out of the log. */
  readonly path: string;
  /** Database of the log. */
  readonly logPath: string;
  /** Entries of the log that are durable now. */
  readonly logSize: () => number;
  /** The data key under a number; undefined when no device has it, or any more. */
  readonly keyOf: (keyRef: number) => Uint8Array | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** An answer, and how many messages it does not know yet: some, while much is read again. */
export type Told<T> = T & { readonly behind: number };

interface Pending {
  readonly resolve: (answer: Answer<RequestType>) => void;
  readonly reject: (error: Error) => void;
}

/** The time-series store: what numbers devices sent, by name and time. */
export class SeriesStore {
  readonly #options: SeriesStoreOptions;
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #id = 0;
  #behind = 0;
  /** What the worker was told last of the log, and when. */
  #told = { size: -1, atMs: 0 };
  #cancelTick: CancelTimer | undefined;
  #failed: Error | undefined;
  #closed: (() => void) | undefined;
  #keys: Promise<void> = Promise.resolve();

  /** Starts the worker, which opens its files meanwhile: what it cannot open, queries tell. */
  constructor(options: SeriesStoreOptions) {
    this.#options = options;
    const { path, logPath } = options;
    const workerData = { path, logPath };
    this.#worker = new Worker(new URL('series-worker.ts', import.meta.url), { workerData });
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#tick();
  }

  /** Entries of the log that were not taken in when it was last asked. */
  get behind(): number {
    return this.#behind;
  }

  /** The series that stand under the data keys of a device. */
  async list(keyRefs: readonly number[]): Promise<Told<SeriesList>> {
    const { answer, behind } = await this.#ask('list', { keyRefs });
    return { ...answer, behind };
  }

  /** Values one by one, in the order of time. */
  async points(query: PointsQuery): Promise<Told<PointPage<Point>>> {
    const { answer, behind } = await this.#ask('points', query);
    return { ...answer, behind };
  }

  /** Values by spans of time; undefined for more spans than can be computed at once. */
  async buckets(query: BucketsQuery): Promise<Told<PointPage<BucketPoint>> | undefined> {
    const { answer, behind } = await this.#ask('buckets', query);
    return answer && { ...answer, behind };
  }

  /** The last values of many devices, each with its data keys, in their order. */
  async latest(
    devices: readonly (readonly number[])[],
    name?: string,
  ): Promise<{ readonly devices: readonly LatestOfDevice[]; readonly behind: number }> {
    const { answer, behind } = await this.#ask('latest', { devices, name });
    return { devices: answer, behind };
  }

  /** What of these keys is too old or too much. */
  async plan(keyRefs: readonly number[], keep: Keep): Promise<readonly ExpiredKey[]> {
    return (await this.#ask('plan', { keyRefs, keep })).answer;
  }

  /** Removes what has expired; what was rolled up of it from `rolledFromMs` on stays. */
  async expire(expired: readonly ExpiredKey[], rolledFromMs?: number): Promise<void> {
    await this.#ask('expire', { expired, rolledFromMs });
  }

  /** Removes what stands under keys that were destroyed. It cannot be opened any more anyhow. */
  async forget(keyRefs: readonly number[]): Promise<void> {
    if (keyRefs.length > 0) await this.#ask('forget', { keyRefs });
  }

  /** Data keys of which there is something. */
  async keyRefs(): Promise<readonly number[]> {
    return (await this.#ask('keyRefs', {})).answer;
  }

  /** Writes what waits, if that is fast, and closes. */
  async close(): Promise<void> {
    this.#cancelTick?.();
    if (this.#failed === undefined) {
      await new Promise<void>((resolve) => {
        this.#closed = resolve;
        this.#post({ type: 'close' });
      });
    }
    this.#refusePending(closedFault());
    await this.#worker.terminate();
  }

  #ask<T extends RequestType>(type: T, ask: Requests[T]['ask']): Promise<Answer<T>> {
    return new Promise((resolve, reject) => {
      if (this.#failed !== undefined || this.#closed !== undefined) {
        reject(this.#failed ?? closedFault());
        return;
      }
      const id = this.#id++;
      // The answer to a request has the type that belongs to its own.
      this.#pending.set(id, { resolve: resolve as Pending['resolve'], reject });
      const request = { type, ask } as RequestMessage;
      this.#post({ type: 'request', id, request, size: this.#options.logSize() });
    });
  }

  #tick(): void {
    const { clock, logSize } = this.#options;
    const size = logSize();
    const nowMs = clock.monotonicMs();
    // Now and then without anything new: what waits is to be written some time.
    if (size !== this.#told.size || nowMs - this.#told.atMs >= IDLE_ADVANCE_MS) {
      this.#told = { size, atMs: nowMs };
      this.#post({ type: 'advance', size });
    }
    this.#cancelTick = clock.after(ADVANCE_INTERVAL_MS, () => this.#tick());
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'wantedKeys':
        // The worker takes answers in the order of its questions.
        this.#keys = this.#keys.then(() => this.#sendKeys(message.keyRefs));
        break;
      case 'answer':
        this.#behind = message.behind;
        this.#take(message.id)?.resolve(message);
        break;
      case 'unanswered':
        this.#take(message.id)?.reject(seriesFault(message.error.message, message.error.fix));
        break;
      case 'problem':
        this.#warn(message.what);
        break;
      case 'closed':
        this.#closed?.();
        break;
    }
  }

  /** To unwrap thousands of keys takes a while, for which no message may wait. */
  async #sendKeys(keyRefs: readonly number[]): Promise<void> {
    const { keyOf } = this.#options;
    const keys: KeyMessage[] = [];
    try {
      for (const keyRef of keyRefs) {
        keys.push([keyRef, keyOf(keyRef)]);
        // The machine's own clock: a test's may stand still.
        if (keys.length % KEYS_PER_SLICE === 0) await sleep(systemClock, 0);
      }
    } catch (error) {
      // Nothing is answered instead: the worker would take a key for destroyed that is not.
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#post({ type: 'keys', keys });
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  /** Messages go their way without the series; queries tell what is the matter. */
  #fail(error: Error): void {
    const isFault = 'fix' in error && typeof error.fix === 'string';
    this.#failed = seriesFault(error.message, isFault ? String(error.fix) : undefined);
    this.#cancelTick?.();
    this.#warn(error.message);
    this.#refusePending(this.#failed);
    this.#closed?.();
  }

  #refusePending(error: Error): void {
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #warn(what: string): void {
    const event = { 'event.action': 'series', 'event.outcome': 'failure' };
    this.#options.log.error({ ...event, 'error.message': what }, 'the time series have a problem');
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message, []);
  }
}

function seriesFault(what: string, fix: string | undefined): Fault {
  return new Fault({
    code: 'E_TELEMETRY_SERIES',
    what: `The time series cannot be read: ${what}`,
    fix: fix ?? 'Stop the server, delete series.db, and start it: it is made of the log again.',
  });
}

function closedFault(): Fault {
  return seriesFault('the server stops.', 'Start it again.');
}
