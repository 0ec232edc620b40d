/**
 * Messages that wait for the server, on the disk: bounded, sealed, and in the order of their
 * counters. What {@link MessageStore.append} has resolved survives any crash.
 * @module
 */
import { rmSync } from 'node:fs';
import { STORE_FORGOTTEN_MAX, STORE_MEMORY_BYTES_MAX } from '../limits.ts';
import { lockFolder } from './folder-lock.ts';
import { type Entry, makeStoreFolder, readBack, readMessages } from './open-store.ts';
import { RecordLog } from './record-log.ts';
import type { Segment } from './segment.ts';
import { storeError, storeFullError } from './store-error.ts';
import type { StoreKey } from './store-key.ts';
import { type StoredMessage, encodeMessage, encodeProgress } from './stored-message.ts';

/** How much a store keeps, and what makes room. */
export interface StoreBounds {
  readonly messagesMax: number;
  /** Of payload. */
  readonly bytesMax: number;
  /** `oldest`: the oldest that is not on its way is dropped. `newest`: no more is taken. */
  readonly drop: 'oldest' | 'newest';
}

/** How full a store is, and what has happened to it. */
export interface StoreFigures {
  /** Messages that wait or are on their way. */
  readonly messages: number;
  /** Bytes of their payloads. */
  readonly bytes: number;
  /** Messages dropped to make room, since the store was opened. */
  readonly dropped: number;
  /** Records that did not open when the store did: something or somebody has changed them. */
  readonly damaged: number;
}

/** What a store needs. */
export interface MessageStoreOptions {
  readonly key: StoreKey;
  readonly bounds: StoreBounds;
  /** Hears the counter of each message that is dropped. Must not throw. */
  readonly onDrop?: (counter: number) => void;
}

/** The messages of one device. */
export class MessageStore {
  readonly #options: MessageStoreOptions;
  readonly #unlock: () => void;
  readonly #log: RecordLog;
  /** Counters of messages that are being written. */
  readonly #unwritten = new Set<number>();
  /** Stored and not taken yet, from {@link #head} on. */
  #waiting: Entry[];
  #head = 0;
  /** Taken and not done with, in the order of their counters. */
  readonly #taken = new Map<number, Entry>();
  #messages = 0;
  #bytes = 0;
  /** Bytes of payloads that are in memory. */
  #memoryBytes = 0;
  #lastCounter: number;
  #notedUpTo: number;
  #dropped = 0;
  readonly #damaged: number;
  #isClosed = false;

  /**
   * Opens the store in a folder, which is made when it is missing.
   * @throws DeviceError `E_DEVICE_STORE`, `E_DEVICE_STORE_BUSY`, `E_DEVICE_MODE`
   */
  constructor(folder: string, options: MessageStoreOptions) {
    this.#options = options;
    const { key } = options;
    makeStoreFolder(folder);
    this.#unlock = lockFolder(folder);
    try {
      const found = readMessages(folder, key);
      const { nextNumber } = found;
      this.#log = new RecordLog({ folder, key, nextNumber, onFull: (full) => this.#sweep(full) });
      this.#waiting = found.entries;
      this.#damaged = found.damagedCount;
      this.#notedUpTo = found.doneUpTo;
      this.#lastCounter = Math.max(found.doneUpTo, found.entries.at(-1)?.counter ?? 0);
    } catch (error) {
      this.#unlock();
      throw error;
    }
    for (const { bytes } of this.#waiting) this.#count(1, bytes);
    // The bounds may have become narrower.
    if (options.bounds.drop === 'oldest') this.#dropUntilRoomFor(0, 0);
  }

  get figures(): StoreFigures {
    const [messages, bytes] = [this.#messages, this.#bytes];
    return { messages, bytes, dropped: this.#dropped, damaged: this.#damaged };
  }

  /** The highest counter that the store knows of; 0 for none. */
  get lastCounter(): number {
    return this.#lastCounter;
  }

  /** The counter of the message that {@link take} will give; undefined when none waits. */
  get nextCounter(): number | undefined {
    return this.#waiting[this.#head]?.counter;
  }

  /**
   * Makes room for one more message, or says that there is none.
   * @throws DeviceError `E_DEVICE_QUEUE_FULL`
   */
  makeRoom(bytes: number): void {
    if (this.#options.bounds.drop === 'oldest') this.#dropUntilRoomFor(1, bytes);
    if (this.#hasRoomFor(1, bytes)) return;
    throw storeFullError(`${this.#messages} messages (${this.#bytes} bytes) are stored already`);
  }

  /**
   * Stores a message; its counter must be higher than all before.
   * @returns a promise that resolves when it is on the disk for good, and rejects with
   *   `E_DEVICE_STORE` when it is not: then it will not be sent
   */
  async append(message: StoredMessage): Promise<void> {
    const { counter, payload } = message;
    this.#count(1, payload.length);
    this.#lastCounter = counter;
    this.#unwritten.add(counter);
    try {
      const segment = await this.#log.append(encodeMessage(message), 'message');
      const entry: Entry = { counter, bytes: payload.length, segment, wasSent: false };
      if (this.#memoryBytes < STORE_MEMORY_BYTES_MAX) this.#hold(entry, message);
      this.#waiting.push(entry);
    } catch (error) {
      this.#count(-1, payload.length);
      throw error;
    } finally {
      this.#unwritten.delete(counter);
    }
  }

  /**
   * The next message to send, and whether it was sent before; undefined when none waits.
   * @throws DeviceError `E_DEVICE_STORE` when it cannot be read back; it is passed over then
   */
  take(): { readonly message: StoredMessage; readonly wasSent: boolean } | undefined {
    const entry = this.#waiting[this.#head];
    if (entry === undefined) return undefined;
    if (entry.message === undefined) this.#readBack(entry.segment);
    this.#advance();
    const { message, wasSent, counter } = entry;
    if (message === undefined) {
      this.#forget(entry);
      throw storeError(`message ${counter} has gone from ${entry.segment.path}`);
    }
    this.#taken.set(counter, entry);
    return { message, wasSent };
  }

  /** What was taken and is not done with is to be taken again, before the others. */
  rewind(): void {
    const again = [...this.#taken.values()];
    for (const entry of again) entry.wasSent = true;
    this.#waiting = [...again, ...this.#waiting.slice(this.#head)];
    this.#head = 0;
    this.#taken.clear();
  }

  /** A message that was taken is delivered, or refused for good. */
  done(counter: number): void {
    const entry = this.#taken.get(counter);
    if (entry === undefined) return;
    this.#taken.delete(counter);
    this.#forget(entry);
    // Noted now and then: what a crash forgets is sent again, and the server knows it.
    const isWorthIt = this.#doneUpTo - this.#notedUpTo >= STORE_FORGOTTEN_MAX;
    if (isWorthIt || this.#messages === 0) this.#note();
  }

  /** Waits for what is being written, and lets go of the folder. Nothing may follow. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // A message that is being written would not be below what is noted before.
    while (this.#unwritten.size > 0) await new Promise((resolve) => setImmediate(resolve));
    this.#note();
    await this.#log.close();
    const { current } = this.#log;
    if (current !== undefined && this.#messages === 0) rmSync(current.path, { force: true });
    this.#unlock();
  }

  /** All counters up to here are done with. */
  get #doneUpTo(): number {
    const [taken = Infinity] = this.#taken.keys();
    const [unwritten = Infinity] = this.#unwritten;
    const lowest = Math.min(taken, this.nextCounter ?? Infinity, unwritten);
    return lowest === Infinity ? this.#lastCounter : lowest - 1;
  }

  #note(): void {
    const doneUpTo = this.#doneUpTo;
    if (doneUpTo <= this.#notedUpTo) return;
    this.#notedUpTo = doneUpTo;
    const note = encodeProgress({ doneUpTo });
    // A note that cannot be written costs nothing but messages that are sent twice.
    this.#log.append(note, 'note').catch(() => {});
  }

  #hasRoomFor(messages: number, bytes: number): boolean {
    const { messagesMax, bytesMax } = this.#options.bounds;
    return this.#messages + messages <= messagesMax && this.#bytes + bytes <= bytesMax;
  }

  #dropUntilRoomFor(messages: number, bytes: number): void {
    while (!this.#hasRoomFor(messages, bytes)) {
      const oldest = this.#waiting[this.#head];
      if (oldest === undefined) return;
      this.#advance();
      this.#forget(oldest);
      this.#dropped += 1;
      this.#options.onDrop?.(oldest.counter);
    }
  }

  #advance(): void {
    this.#head += 1;
    if (this.#head < COMPACT_FROM || this.#head * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }

  /** Reads what waits in one segment: its messages are next to one another. */
  #readBack(segment: Segment): void {
    const messages = readBack(segment, this.#options.key);
    for (let at = this.#head; at < this.#waiting.length; at += 1) {
      const entry = this.#waiting[at];
      if (entry?.segment !== segment) return;
      const message = messages.get(entry.counter);
      if (entry.message === undefined && message !== undefined) this.#hold(entry, message);
    }
  }

  #hold(entry: Entry, message: StoredMessage): void {
    entry.message = message;
    this.#memoryBytes += entry.bytes;
  }

  #forget(entry: Entry): void {
    const { segment, bytes } = entry;
    this.#count(-1, bytes);
    if (entry.message !== undefined) this.#memoryBytes -= bytes;
    segment.liveCount -= 1;
    if (segment !== this.#log.current) this.#sweep(segment);
  }

  /** A segment that will not grow is removed with the last of its messages. */
  #sweep({ liveCount, path }: Segment): void {
    // The disk may say no: then the next start removes it.
    if (liveCount === 0) tryTo(() => rmSync(path, { force: true }));
  }

  #count(messages: 1 | -1, bytes: number): void {
    this.#messages += messages;
    this.#bytes += messages * bytes;
  }
}

function tryTo(act: () => void): void {
  try {
    act();
  } catch {
    // The caller has said why that is no matter.
  }
}

/** Taken entries that are kept at the front of the list before it is copied. */
const COMPACT_FROM = 1_024;
