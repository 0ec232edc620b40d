/** The journal: nothing is acknowledged before it is sealed, logged and on the disk. @module */
import { Worker } from 'node:worker_threads';
import { type Entry, decodeEntry } from '@holdfast/protocol';
import { type Clock, Fault, type Log, type SecretBytes } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import { BatchBuffer } from './batch-buffer.ts';
import { PENDING_BYTES_HIGH, PENDING_BYTES_LOW, RETRY_DELAY_MS } from './limits.ts';
import type { FromWorker, KeyMessage, ToWorker, WorkerStart } from './worker-messages.ts';

/** What the journal needs. */
export interface JournalOptions {
  /** Database file of the log. */
  readonly path: string;
  /** Name of the log and of the key that signs it. */
  readonly origin: string;
  /** PKCS#8 of an Ed25519 key. */
  readonly signingKey: SecretBytes;
  readonly clock: Clock;
  readonly log: Log;
  /** The worker died: nothing can be stored any more. */
  readonly onFatal: (error: Error) => void;
}

/** An entry that is durable. */
export interface JournaledEntry {
  /** Its place in the audit log. */
  readonly index: number;
  /** Highest replay counter of its device at that time. */
  readonly counterMax: number;
  readonly entry: Entry;
}

/** How an entry is to be stored. */
export interface AppendOptions {
  readonly key: DataKey;
  /** See {@link JournaledEntry.counterMax}; 0 where there is none. */
  readonly counterMax?: number;
  /** Called with the index once the entry is durable. */
  readonly done: (index: number) => void;
}

interface PendingItem {
  /** Undefined for a barrier, which stores nothing. */
  readonly entry: Entry | undefined;
  readonly done: (index: number) => void;
}

interface PendingRead {
  readonly resolve: (entries: JournaledEntry[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Group commit: while the worker stores one batch, the next one gathers. So a lone message is
 * durable within one disk write, and under load a write carries thousands.
 */
export class Journal {
  readonly #worker: Worker;
  readonly #options: JournalOptions;
  readonly #knownKeys = new Set<number>();
  readonly #pressureListeners = new Set<(isPressed: boolean) => void>();
  readonly #entryListeners = new Set<(index: number, entry: Entry) => void>();
  readonly #reads = new Map<number, PendingRead>();
  #readId = 0;
  #buffer = new BatchBuffer();
  #items: PendingItem[] = [];
  #newKeys: KeyMessage[] = [];
  #inFlight: { readonly items: readonly PendingItem[]; readonly bytes: number } | undefined;
  #isFlushScheduled = false;
  #isPressed = false;
  #isHealthy = true;
  #checkpoint: string;
  #closed: (() => void) | undefined;

  private constructor(worker: Worker, options: JournalOptions, checkpoint: string) {
    this.#worker = worker;
    this.#options = options;
    this.#checkpoint = checkpoint;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', options.onFatal);
  }

  /**
   * Starts the worker and opens the log.
   * @throws Fault when the log cannot be opened.
   */
  static open(options: JournalOptions): Promise<Journal> {
    const start: WorkerStart = {
      path: options.path,
      origin: options.origin,
      signingKey: options.signingKey.expose(),
    };
    const worker = new Worker(new URL('journal-worker.ts', import.meta.url), { workerData: start });
    return new Promise((resolve, reject) => {
      worker.once('error', (cause: Error) => reject(openFault(options.path, cause)));
      worker.once('message', (message: FromWorker) => {
        worker.removeAllListeners('error');
        if (message.type !== 'opened') reject(openFault(options.path, new Error(message.type)));
        else resolve(new Journal(worker, options, message.checkpoint));
      });
    });
  }

  /** The latest signed checkpoint. */
  get checkpoint(): string {
    return this.#checkpoint;
  }

  /** False while the disk refuses what is written. */
  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /** Bytes that wait to be stored. */
  get pendingBytes(): number {
    return this.#buffer.length + (this.#inFlight?.bytes ?? 0);
  }

  /** Stores an entry; `done` is called when it is durable, in the order of the appends. */
  append(entry: Entry, { key, counterMax = 0, done }: AppendOptions): void {
    if (!this.#knownKeys.has(key.ref)) {
      this.#knownKeys.add(key.ref);
      this.#newKeys.push([key.ref, key.key.expose()]);
    }
    this.#buffer.append(entry, { keyRef: key.ref, counterMax });
    this.#push({ entry, done });
  }

  /** As {@link Journal.append}, for those who can wait: resolves with the index. */
  record(entry: Entry, key: DataKey): Promise<number> {
    return new Promise((resolve) => {
      this.append(entry, { key, done: resolve });
    });
  }

  /** Calls `done` when everything appended before it is durable. */
  barrier(done: () => void): void {
    this.#push({ entry: undefined, done });
  }

  /** Entries under a data key, newest first, with indexes below `before`. */
  read(key: DataKey, page: { before: number; limit: number }): Promise<JournaledEntry[]> {
    this.#readId += 1;
    const id = this.#readId;
    return new Promise((resolve, reject) => {
      this.#reads.set(id, { resolve, reject });
      this.#post({ type: 'read', id, key: [key.ref, key.key.expose()], ...page });
    });
  }

  /** Tells when publishers must pause (true) and when they may go on (false). */
  onPressure(listener: (isPressed: boolean) => void): () => void {
    this.#pressureListeners.add(listener);
    return () => this.#pressureListeners.delete(listener);
  }

  /** Whether publishers must pause. */
  get isPressed(): boolean {
    return this.#isPressed;
  }

  /** Tells of each entry once it is durable. */
  onEntry(listener: (index: number, entry: Entry) => void): () => void {
    this.#entryListeners.add(listener);
    return () => this.#entryListeners.delete(listener);
  }

  /** Stores what is pending, then closes the log. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.barrier(resolve);
    });
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#post({ type: 'close' });
    });
    await this.#worker.terminate();
  }

  #push(item: PendingItem): void {
    this.#items.push(item);
    this.#updatePressure();
    if (this.#inFlight !== undefined || this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    // At the end of this turn of the event loop, so that all that arrived in it goes together.
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(memoryToReuse?: ArrayBuffer): void {
    if (this.#inFlight !== undefined || this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    if (this.#buffer.length === 0) {
      for (const { done } of items) done(-1);
      return;
    }
    const { memory, length } = this.#buffer.take();
    this.#buffer = new BatchBuffer(memoryToReuse);
    this.#inFlight = { items, bytes: length };
    const keys = this.#newKeys;
    this.#newKeys = [];
    this.#post({ type: 'append', memory, length, keys }, [memory]);
  }

  #receive(message: FromWorker): void {
    switch (message.type) {
      case 'appended':
        this.#complete(message);
        break;
      case 'failed':
        this.#retryLater(message);
        break;
      case 'read':
        this.#take(message.id)?.resolve(message.entries.map(asJournaled));
        break;
      case 'readFailed':
        this.#take(message.id)?.reject(new Error(message.why));
        break;
      case 'closed':
        this.#closed?.();
        break;
      case 'opened':
        break;
    }
  }

  #complete({ first, checkpoint, memory }: Extract<FromWorker, { type: 'appended' }>): void {
    const items = this.#inFlight?.items ?? [];
    this.#inFlight = undefined;
    this.#checkpoint = checkpoint;
    this.#isHealthy = true;
    // The next batch is on its way to the disk while the callbacks of this one run. Barriers
    // alone need no disk: they would overtake these callbacks, and with them PUBACKs their order.
    if (this.#buffer.length > 0) this.#flush(memory);
    let index = first;
    for (const { entry, done } of items) {
      done(index);
      if (entry === undefined) continue;
      for (const listener of this.#entryListeners) listener(index, entry);
      index += 1;
    }
    this.#flush(memory);
    this.#updatePressure();
  }

  #retryLater({ why, memory, length }: Extract<FromWorker, { type: 'failed' }>): void {
    this.#isHealthy = false;
    const event = { 'event.action': 'journal-store', 'event.outcome': 'failure' };
    this.#options.log.error(
      { ...event, 'error.message': why },
      'the journal cannot store; retrying',
    );
    this.#options.clock.after(RETRY_DELAY_MS, () => {
      this.#post({ type: 'append', memory, length, keys: [] }, [memory]);
    });
  }

  #take(id: number): PendingRead | undefined {
    const read = this.#reads.get(id);
    this.#reads.delete(id);
    return read;
  }

  #updatePressure(): void {
    const bytes = this.pendingBytes;
    const isPressed = this.#isPressed ? bytes > PENDING_BYTES_LOW : bytes > PENDING_BYTES_HIGH;
    if (isPressed === this.#isPressed) return;
    this.#isPressed = isPressed;
    for (const listener of this.#pressureListeners) listener(isPressed);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}

function asJournaled(stored: {
  index: number;
  counterMax: number;
  record: Uint8Array;
}): JournaledEntry {
  const entry = decodeEntry(stored.record);
  if (entry === undefined) throw new Error(`entry ${stored.index} of the log cannot be read`);
  return { index: stored.index, counterMax: stored.counterMax, entry };
}

function openFault(path: string, cause: Error): Fault {
  const isFault = 'code' in cause && 'fix' in cause;
  return new Fault({
    code: isFault ? String(cause.code) : 'E_JOURNAL_OPEN',
    what: isFault ? cause.message : `The log ${path} cannot be opened: ${cause.message}`,
    fix: isFault
      ? String(cause.fix)
      : 'Run: holdfast audit verify. Then restore a backup if needed.',
    cause,
  });
}
