/** The journal: nothing is acknowledged before it is sealed, logged and on the disk. @module */
import type { Worker } from 'node:worker_threads';
import type { Entry } from '@holdfast/protocol';
import type { EntryPlace, Expiry } from '../audit/index.ts';
import type { CancelTimer, Clock, Log, SecretBytes } from '../kernel/index.ts';
import type { DataKey, Keyring } from '../persistence/index.ts';
import { Expiring } from './expiring.ts';
import { type AppendOptions, GroupCommit } from './group-commit.ts';
import { JournalReader, type JournaledEntry } from './journal-reader.ts';
import { SAVE_SOON_DELAY_MS } from './limits.ts';
import type { EncodeState } from './pending-state.ts';
import { type StartedWorker, startWorker } from './start-worker.ts';
import type { StateRow } from './state-store.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** What the journal needs. */
export interface JournalOptions {
  /** Database file of the log. */
  readonly path: string;
  /** Database file of the state that is saved beside the log. */
  readonly statePath: string;
  /** Name of the log and of the key that signs it. */
  readonly origin: string;
  /** PKCS#8 of an Ed25519 key. */
  readonly signingKey: SecretBytes;
  /** Has the keys of what is read back, and of the state. */
  readonly keyring: Pick<Keyring, 'only' | 'byRef'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The worker died: nothing can be stored any more. */
  readonly onFatal: (error: Error) => void;
}

/** Stores entries on the log and state beside it, and reads both back. */
export class Journal {
  readonly #worker: Worker;
  readonly #post: (message: ToWorker, transfer?: ArrayBuffer[]) => void;
  readonly #clock: Clock;
  readonly #commit: GroupCommit;
  readonly #reader: JournalReader;
  readonly #expiring: Expiring;
  #isRecovered = false;
  #cancelTick: CancelTimer | undefined;
  #closed: (() => void) | undefined;

  private constructor(options: JournalOptions, { worker, opened }: StartedWorker) {
    const { clock, log, keyring } = options;
    const post = (message: ToWorker, transfer: ArrayBuffer[] = []): void =>
      worker.postMessage(message, transfer);
    this.#post = post;
    this.#worker = worker;
    this.#clock = clock;
    this.#reader = new JournalReader({ post, log, keyOf: (keyRef) => keyring.byRef(keyRef) });
    this.#commit = new GroupCommit({
      post,
      clock,
      log,
      opened,
      layoutKey: () => keyring.only('layouts'),
      onStored: () => {
        if (this.#isRecovered) this.#startTick();
      },
    });
    this.#expiring = new Expiring({
      commit: this.#commit,
      worker: this.#reader,
      keyring,
      clock,
      log,
    });
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', options.onFatal);
  }

  /**
   * Starts the worker and opens the log and the state.
   * @throws Fault when one of them cannot be opened.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { path, statePath, origin, signingKey, keyring } = options;
    const started = await startWorker({
      path,
      statePath,
      origin,
      signingKey: signingKey.expose(),
      stateKey: keyring.only('broker').key.expose(),
    });
    const journal = new Journal(options, started);
    if (started.opened.hasPendingExpiries) journal.#expiring.resume();
    return journal;
  }

  /** The latest signed checkpoint. */
  get checkpoint(): string {
    return this.#commit.checkpoint;
  }

  /** Entries that are durable and were handed to their callbacks and to the listeners. */
  get size(): number {
    return this.#commit.size;
  }

  /** False while the disk refuses what is written. */
  get isHealthy(): boolean {
    return this.#commit.isHealthy;
  }

  /** How long the commit on its way has taken so far, in milliseconds; 0 for none. */
  get commitMs(): number {
    return this.#commit.commitMs;
  }

  /** Bytes that wait to be stored. State counts from when it is encoded. */
  get pendingBytes(): number {
    return this.#commit.pendingBytes;
  }

  /** Whether publishers must pause. */
  get isPressed(): boolean {
    return this.#commit.pressure.isPressed;
  }

  /** Tells when publishers must pause (true) and when they may go on (false). */
  onPressure(listener: (isPressed: boolean) => void): () => void {
    return this.#commit.pressure.onChange(listener);
  }

  /** Stores an entry; `done` is called when it is durable, in the order of the appends. */
  append(entry: Entry, options: AppendOptions): void {
    this.#commit.append(entry, options);
  }

  /** As {@link Journal.append}, for those who can wait: resolves with the index. */
  record(entry: Entry, key: DataKey): Promise<number> {
    return new Promise((resolve) => {
      this.append(entry, { key, done: resolve });
    });
  }

  /** Tells of each entry once it is durable. */
  onEntry(listener: (index: number, entry: Entry) => void): () => void {
    this.#commit.entryListeners.add(listener);
    return () => this.#commit.entryListeners.delete(listener);
  }

  /**
   * Saves a value beside the log, with the next batch. `encode` gives it when that batch leaves;
   * undefined removes it. What is saved never speaks of entries that are not durable.
   */
  saveState(key: string, encode: EncodeState): void {
    this.#commit.state.save(key, encode);
    this.#commit.scheduleFlush();
  }

  /** As {@link Journal.saveState}, but within a second: many changes then cost one write. */
  saveStateSoon(key: string, encode: EncodeState): void {
    this.#commit.state.saveSoon(key, encode);
    this.#startTick();
  }

  /** Calls `done` when all that was appended, or saved by {@link saveState}, before is durable. */
  barrier(done: () => void): void {
    this.#commit.barrier(done);
  }

  /** Entries under a data key, newest first, with indexes below `before`. */
  read(key: DataKey, page: { before: number; limit: number }): Promise<JournaledEntry[]> {
    return this.#reader.read(key, page);
  }

  /** The entries at some places, in their order; undefined for those that cannot be read. */
  fetch(places: readonly EntryPlace[]): Promise<(JournaledEntry | undefined)[]> {
    return this.#reader.fetch(places);
  }

  /**
   * Visits all entries from `from` on that are there now, in their order and in pages. Those that
   * cannot be read any more are left out.
   */
  scan(from: number, visit: (entries: readonly JournaledEntry[]) => void): Promise<void> {
    return this.#reader.scan({ from, to: this.size }, visit);
  }

  /**
   * Takes the content of old entries out of the log: of each key named, the segments in batches of
   * which every entry lies below `before`, but for the newest segment of the key. First this is on
   * the log as an act `log.expire`, with the expiries as they are carried out; then they are
   * removed in the background, and by the next start where a crash ends that. Hashes stay.
   *
   * Resolves when they are gone; rejects when the disk fails, and then goes on when called again.
   */
  expire(expiries: readonly Expiry[]): Promise<void> {
    return this.#expiring.expire(expiries);
  }

  /**
   * Visits everything that was saved, in no particular order and in pages.
   * @throws Fault `E_JOURNAL_STATE` when a part of it does not open.
   */
  loadState(visit: (rows: readonly StateRow[]) => void): Promise<void> {
    return this.#reader.loadState(visit);
  }

  /**
   * Tells that what was saved, and the entries behind it, have been taken up. From now on it is
   * kept up to which entry (see `encodeRouted`) what is saved reflects the log.
   */
  markRecovered(): void {
    this.#isRecovered = true;
    this.#startTick();
  }

  /** Stores what is pending, then closes the log and the state. */
  async close(): Promise<void> {
    await this.#settle();
    this.#beginTick();
    while (this.#commit.state.isTicking) await this.#settle();
    this.#cancelTick?.();
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#post({ type: 'close' });
    });
    await this.#worker.terminate();
  }

  /** Ends at once, without what is pending: for a disk that goes on failing. */
  abandon(): void {
    this.#cancelTick?.();
    void this.#worker.terminate();
  }

  #settle(): Promise<void> {
    return new Promise((resolve) => {
      this.barrier(resolve);
    });
  }

  #startTick(): void {
    this.#cancelTick ??= this.#clock.after(SAVE_SOON_DELAY_MS, () => {
      this.#cancelTick = undefined;
      // A disk that is behind gets no more to do: what waits goes with the next tick.
      if (this.#commit.state.isTicking) this.#startTick();
      else this.#beginTick();
    });
  }

  #beginTick(): void {
    const { state, size } = this.#commit;
    state.beginTick(this.#isRecovered ? size : undefined);
    if (state.isReady) this.#commit.scheduleFlush();
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'appended':
      case 'failed':
        this.#commit.receive(message);
        break;
      case 'answer':
      case 'unanswered':
        this.#reader.receive(message);
        break;
      case 'closed':
        this.#closed?.();
        break;
      case 'opened':
        break;
    }
  }
}
