/** Group commit: what arrives while one batch is on its way to the disk makes up the next. @module */
import { type Entry, entryBytesMax } from '@holdfast/protocol';
import { type AppendedBatch, layoutBytesMax } from '../audit/index.ts';
import { type Clock, type Log, systemClock } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import { BatchBuffer } from './batch-buffer.ts';
import { keyMessage } from './journal-reader.ts';
import {
  COMMIT_BYTES_MAX,
  COMMIT_INTERVAL_MS_MAX,
  COMMIT_INTERVAL_MS_MIN,
  COMMIT_RATE_PER_MS,
  RETRY_DELAY_MS,
} from './limits.ts';
import { PendingState, type TakenState } from './pending-state.ts';
import { Pressure } from './pressure.ts';
import type { AppendMessage, FromWorker, KeyMessage, ToWorker } from './worker-messages.ts';

/** How an entry is to be stored. */
export interface AppendOptions {
  readonly key: DataKey;
  /** Highest replay counter of its device so far; 0 where there is none. */
  readonly counterMax?: number;
  /** Called with the index once the entry is durable. */
  readonly done: (index: number) => void;
}

/** What the group commit needs. */
export interface GroupCommitDeps {
  readonly post: (message: ToWorker, transfer: ArrayBuffer[]) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** The log as it was opened. */
  readonly opened: { readonly checkpoint: string; readonly size: number };
  /** The data key that seals the layouts of batches. */
  readonly layoutKey: () => DataKey;
  /** Entries were stored, and their callbacks have run. */
  readonly onStored: () => void;
}

interface PendingItem {
  /** Undefined for a barrier, which stores nothing. */
  readonly entry: Entry | undefined;
  readonly done: (index: number) => void;
}

interface BatchInFlight {
  readonly items: readonly PendingItem[];
  readonly state: TakenState;
  /** Of entries and state. */
  readonly bytes: number;
}

/**
 * Gathers entries and state, and gives them to the worker batch by batch. So a lone message is
 * durable within one disk write, and under load a write carries thousands.
 */
export class GroupCommit {
  readonly state = new PendingState();
  readonly pressure = new Pressure();
  readonly entryListeners = new Set<(index: number, entry: Entry) => void>();
  readonly #deps: GroupCommitDeps;
  readonly #knownKeys = new Set<number>();
  #buffer = new BatchBuffer();
  #items: PendingItem[] = [];
  #newKeys: KeyMessage[] = [];
  #inFlight: BatchInFlight | undefined;
  #isFlushScheduled = false;
  #isHealthy = true;
  #committedAtMs = Number.NEGATIVE_INFINITY;
  #intervalMs = COMMIT_INTERVAL_MS_MIN;
  #size: number;
  #checkpoint: string;
  #layoutKeyRef = 0;

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps;
    this.#checkpoint = deps.opened.checkpoint;
    this.#size = deps.opened.size;
  }

  /** The latest signed checkpoint. */
  get checkpoint(): string {
    return this.#checkpoint;
  }

  /** Entries that are durable and were handed to their callbacks and to the listeners. */
  get size(): number {
    return this.#size;
  }

  /** False while the disk refuses what is written. */
  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /** How long the commit on its way has taken so far, in milliseconds; 0 for none. */
  get commitMs(): number {
    return this.#inFlight === undefined ? 0 : systemClock.monotonicMs() - this.#committedAtMs;
  }

  /** Bytes that wait to be stored. State counts from when it is encoded. */
  get pendingBytes(): number {
    return this.#buffer.length + (this.#inFlight?.bytes ?? 0);
  }

  /** @throws Fault `E_PERSISTENCE_KEY_SPENT`; nothing is appended then. */
  append(entry: Entry, { key, counterMax = 0, done }: AppendOptions): void {
    // As if each entry were sealed by itself: what shares a segment counts too much.
    key.spend(entryBytesMax(entry));
    this.#sendOnce(key);
    this.#buffer.append(entry, { keyRef: key.ref, counterMax });
    this.#push({ entry, done });
  }

  barrier(done: () => void): void {
    this.#push({ entry: undefined, done });
  }

  /** Lets what has gathered leave, as soon as the batch before it is stored. */
  scheduleFlush(): void {
    if (this.#inFlight !== undefined || this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    // At the end of this turn of the event loop, so that all that arrived in it goes together.
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.#flushInTime();
    });
  }

  /** Takes what the worker says of a batch. */
  receive(message: Extract<FromWorker, { type: 'appended' | 'failed' }>): void {
    if (message.type === 'appended') this.#complete(message);
    else this.#retryLater(message);
  }

  #push(item: PendingItem): void {
    this.#items.push(item);
    this.pressure.update(this.pendingBytes);
    this.scheduleFlush();
  }

  get #hasWork(): boolean {
    return this.#buffer.length > 0 || this.state.isReady;
  }

  /** Flushes, or does so when the last commit is long enough ago. */
  #flushInTime(memoryToReuse?: ArrayBuffer): void {
    const waitMs = this.#committedAtMs + this.#intervalMs - systemClock.monotonicMs();
    if (waitMs <= 0 || !this.#hasWork || this.#buffer.length >= COMMIT_BYTES_MAX) {
      this.#flush(memoryToReuse);
    } else if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true;
      // The machine's own clock: this is about what the disk costs, not about what time it is.
      systemClock.after(waitMs, () => {
        this.#isFlushScheduled = false;
        this.#flush(memoryToReuse);
      });
    }
  }

  /** The busier, the longer until the next commit. */
  #adaptInterval(itemCount: number): void {
    const nowMs = systemClock.monotonicMs();
    const perSecond = (itemCount * 1_000) / Math.max(1, nowMs - this.#committedAtMs);
    this.#committedAtMs = nowMs;
    const wantedMs = perSecond / COMMIT_RATE_PER_MS;
    this.#intervalMs = Math.min(
      COMMIT_INTERVAL_MS_MAX,
      Math.max(COMMIT_INTERVAL_MS_MIN, (this.#intervalMs + wantedMs) / 2),
    );
  }

  #flush(memoryToReuse?: ArrayBuffer): void {
    if (this.#inFlight !== undefined) return;
    const items = this.#items;
    this.#items = [];
    if (!this.#hasWork) {
      for (const { done } of items) done(-1);
      return;
    }
    this.#adaptInterval(items.length);
    const state = this.state.take();
    const entries = this.#buffer.length === 0 ? undefined : this.#buffer.take();
    if (entries !== undefined) {
      this.#buffer = new BatchBuffer(memoryToReuse);
      this.#chooseLayoutKey(items.length);
    }
    this.#inFlight = { items, state, bytes: (entries?.length ?? 0) + state.bytes };
    const keys = this.#newKeys;
    this.#newKeys = [];
    this.#post({ entries, stored: undefined, state: state.changes, keys });
    if (state.bytes > 0) this.pressure.update(this.pendingBytes);
  }

  #complete({ stored, memory }: Extract<FromWorker, { type: 'appended' }>): void {
    const items = this.#inFlight?.items ?? [];
    this.#inFlight = undefined;
    this.#isHealthy = true;
    if (stored !== undefined) this.#checkpoint = stored.checkpoint;
    // The next batch is on its way to the disk while the callbacks of this one run. Barriers
    // alone need no disk: they would overtake these callbacks, and with them PUBACKs their order.
    const isUrgent = this.#buffer.length >= COMMIT_BYTES_MAX;
    if (isUrgent) this.#flush(memory);
    this.#callBack(items, stored);
    if (!isUrgent) this.#flushInTime(memory);
    this.pressure.update(this.pendingBytes);
  }

  #callBack(items: readonly PendingItem[], stored: AppendedBatch | undefined): void {
    let index = stored?.first ?? -1;
    for (const { entry, done } of items) {
      done(index);
      if (entry === undefined) continue;
      for (const listener of this.entryListeners) listener(index, entry);
      index += 1;
    }
    if (stored === undefined) return;
    this.#size = index;
    this.#deps.onStored();
  }

  #retryLater({ why, entries, stored }: Extract<FromWorker, { type: 'failed' }>): void {
    this.#isHealthy = false;
    const event = { 'event.action': 'journal-store', 'event.outcome': 'failure' };
    this.#deps.log.error({ ...event, 'error.message': why }, 'the journal cannot store; retrying');
    const state = this.#inFlight?.state.changes ?? [];
    this.#deps.clock.after(RETRY_DELAY_MS, () => {
      this.#post({ entries, stored, state, keys: [] });
    });
  }

  /** The key is replaced in time: one that is spent ends the server, as nothing can be stored. */
  #chooseLayoutKey(entries: number): void {
    const key = this.#deps.layoutKey();
    key.spend(layoutBytesMax(entries));
    this.#sendOnce(key);
    this.#layoutKeyRef = key.ref;
  }

  #sendOnce(key: DataKey): void {
    if (this.#knownKeys.has(key.ref)) return;
    this.#knownKeys.add(key.ref);
    this.#newKeys.push(keyMessage(key));
  }

  #post(batch: Omit<AppendMessage, 'type' | 'layoutKeyRef'>): void {
    const transfer = batch.entries === undefined ? [] : [batch.entries.memory];
    this.#deps.post({ type: 'append', layoutKeyRef: this.#layoutKeyRef, ...batch }, transfer);
  }
}
