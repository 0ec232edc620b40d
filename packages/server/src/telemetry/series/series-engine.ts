/** Takes the log in as it grows, in slices, and answers between them. @module */
import type { ForwardPage, LiveLog } from '../../audit/index.ts';
import { type Clock, sleep } from '../../kernel/index.ts';
import {
  CATCH_UP_MS_MAX,
  CHECKPOINT_INTERVAL_MS,
  CLOSE_MS_MAX,
  LOG_PAGE_BYTES,
  RETRY_DELAY_MS,
  SLICE_MS,
} from './limits.ts';
import { type SeriesFile, type SeriesKey, seriesKey } from './series-file.ts';
import { SeriesReader } from './series-reader.ts';
import { SeriesWriter } from './series-writer.ts';
import type {
  ExpiredKey,
  KeyMessage,
  RequestMessage,
  RequestType,
  Requests,
} from './worker-messages.ts';

/** What the engine needs. */
export interface SeriesEngineDeps {
  readonly log: Pick<LiveLog, 'size' | 'readForwards'>;
  /** To write, and on a connection of its own to read. */
  readonly file: SeriesFile;
  readonly readFile: SeriesFile;
  readonly askKeys: (keyRefs: readonly number[]) => Promise<readonly KeyMessage[]>;
  readonly onProblem: (what: string) => void;
  readonly clock: Clock;
}

interface KnownKey {
  readonly data: Uint8Array;
  readonly series: SeriesKey;
}

type AnyAnswer = Requests[RequestType]['answer'];
const CATCH_UP_STEP_MS = 5;

/** The series of one server; everything on one thread, which is not the one of the messages. */
export class SeriesEngine {
  readonly #deps: SeriesEngineDeps;
  readonly #writer: SeriesWriter;
  readonly #reader: SeriesReader;
  /** Null for a number under which no device has anything. */
  readonly #keys = new Map<number, KnownKey | null>();
  #target = 0;
  #checkpointedMs: number;
  #isWorking = false;
  #isClosed = false;
  /** What writes goes one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: SeriesEngineDeps) {
    this.#deps = deps;
    const { file, readFile } = deps;
    const keyOf = (keyRef: number): SeriesKey | undefined => this.#keys.get(keyRef)?.series;
    this.#writer = new SeriesWriter({ file, keyOf });
    const directory = (keyRef: number): ReturnType<SeriesWriter['directory']> =>
      this.#writer.directory(keyRef);
    this.#reader = new SeriesReader({ file: readFile, keyOf, directory });
    this.#checkpointedMs = deps.clock.monotonicMs();
    // Another, shorter log stands in the folder now: what was taken in is of no use.
    if (this.#writer.next > deps.log.size) this.#writer.rebuild();
  }

  /** Entries of the log that were not taken in. */
  get behind(): number {
    return Math.max(0, this.#target - this.#writer.next);
  }

  /** The log has so many entries now. */
  advance(size: number): void {
    this.#target = Math.max(this.#target, size);
    void this.#work();
  }

  /** Answers what was asked when the log had `size` entries. @throws Fault, RangeError. */
  async answer({ type, ask }: RequestMessage, size: number): Promise<AnyAnswer> {
    this.advance(size);
    switch (type) {
      case 'keyRefs':
        return this.#deps.file.keyRefs();
      case 'forget':
        for (const keyRef of ask.keyRefs) this.#keys.set(keyRef, null);
        return this.#exclusive(() => this.#writer.forget(ask.keyRefs));
      case 'plan':
        await this.#ready(ask.keyRefs, size);
        return ask.keyRefs.flatMap((keyRef) => {
          const expired = this.#writer.directory(keyRef)?.usage.expired(ask.keep);
          return expired === undefined ? [] : [{ keyRef, ...expired }];
        });
      case 'expire':
        await this.#learn(ask.expired.map(({ keyRef }) => keyRef));
        return this.#exclusive(() => this.#expire(ask));
      case 'latest':
        await this.#ready(ask.devices.flat(), size);
        return ask.devices.map((keyRefs) => this.#reader.latest(keyRefs, ask.name));
      case 'list':
        await this.#ready(ask.keyRefs, size);
        return this.#reader.list(ask.keyRefs);
      case 'points':
        await this.#ready(ask.keyRefs, size);
        return this.#reader.points(ask);
      case 'buckets':
        await this.#ready(ask.keyRefs, size);
        try {
          return this.#reader.buckets(ask);
        } catch (error) {
          if (error instanceof RangeError) return undefined;
          throw error;
        }
    }
  }

  /** Writes what waits, if that does not take too long: else it is read again at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const untilMs = this.#deps.clock.monotonicMs() + CLOSE_MS_MAX;
    await this.#exclusive(() => this.#checkpoint(untilMs));
    this.#deps.readFile.close();
    this.#deps.file.close();
  }

  /** Goes on until everything is taken in. */
  async #work(): Promise<void> {
    const { clock, onProblem } = this.#deps;
    if (this.#isWorking || this.#isClosed) return;
    this.#isWorking = true;
    try {
      while (!this.#isClosed && (this.behind > 0 || this.#isCheckpointDue)) {
        await this.#exclusive(() => (this.#isCheckpointDue ? this.#checkpoint() : this.#page()));
        await sleep(clock, 0);
      }
    } catch (error) {
      onProblem(error instanceof Error ? error.message : String(error));
      await sleep(clock, RETRY_DELAY_MS);
    } finally {
      this.#isWorking = false;
    }
  }

  get #isCheckpointDue(): boolean {
    const sinceMs = this.#deps.clock.monotonicMs() - this.#checkpointedMs;
    return this.#writer.isFull || (this.#writer.hasPending && sinceMs >= CHECKPOINT_INTERVAL_MS);
  }

  async #page(): Promise<void> {
    const { log, onProblem } = this.#deps;
    const wanted = new Set<number>();
    const from = this.#writer.next;
    const range = { from, to: this.#target, bytesMin: LOG_PAGE_BYTES };
    const page: ForwardPage = log.readForwards(range, (keyRef) => {
      const known = this.#keys.get(keyRef);
      if (known === undefined) wanted.add(keyRef);
      return known?.data;
    });
    if (wanted.size > 0) return this.#learn([...wanted]);
    for (const problem of page.problems) onProblem(problem);
    this.#writer.add(page.entries, Math.min(page.next ?? this.#target, this.#target));
  }

  async #checkpoint(untilMs = Infinity): Promise<void> {
    const { clock } = this.#deps;
    const steps = this.#writer.checkpoint();
    let sliceMs = clock.monotonicMs();
    for (let step = steps.next(); step.done !== true; step = steps.next()) {
      const nowMs = clock.monotonicMs();
      if (nowMs >= untilMs) {
        try {
          steps.throw(new Error('there is no time left'));
        } catch {
          return;
        }
      }
      if (nowMs - sliceMs < SLICE_MS) continue;
      await sleep(clock, 0);
      sliceMs = clock.monotonicMs();
    }
    this.#checkpointedMs = clock.monotonicMs();
  }

  async #expire({
    expired,
    rolledFromMs,
  }: {
    expired: readonly ExpiredKey[];
    rolledFromMs: number | undefined;
  }): Promise<void> {
    await this.#checkpoint();
    for (const { keyRef, before, untilMs } of expired) {
      this.#writer.expire(keyRef, { before }, rolledFromMs ?? untilMs + 1);
      await sleep(this.#deps.clock, 0);
    }
    this.#deps.file.scrub();
  }

  /** The keys are here, and what the log had when it was asked, unless that takes too long. */
  async #ready(keyRefs: readonly number[], size: number): Promise<void> {
    const { clock } = this.#deps;
    await this.#learn(keyRefs);
    const untilMs = clock.monotonicMs() + CATCH_UP_MS_MAX;
    while (this.#writer.next < size && clock.monotonicMs() < untilMs) {
      await sleep(clock, CATCH_UP_STEP_MS);
    }
    this.#writer.trim();
  }

  async #learn(keyRefs: readonly number[]): Promise<void> {
    const unknown = keyRefs.filter((keyRef) => !this.#keys.has(keyRef));
    if (unknown.length === 0) return;
    for (const [keyRef, data] of await this.#deps.askKeys(unknown)) {
      // It may have been forgotten while it was asked for.
      if (this.#keys.has(keyRef)) continue;
      const known = data === undefined ? null : { data, series: seriesKey(keyRef, data) };
      this.#keys.set(keyRef, known);
    }
  }

  #exclusive(task: () => void | Promise<void>): Promise<undefined> {
    const turn = this.#turn.then(task).then(() => undefined);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
