/** Writes records to segments, as many with one `fsync` as have gathered meanwhile. @module */
import { STORE_SEGMENT_BYTES } from '../limits.ts';
import { type Segment, SegmentWriter, segmentOf } from './segment.ts';
import { storeError } from './store-error.ts';
import type { StoreKey } from './store-key.ts';

/** A record that is to be written. */
interface Pending {
  readonly record: Uint8Array;
  /** A message has to be durable, and counts as live in its segment. */
  readonly isMessage: boolean;
  readonly resolve: (segment: Segment) => void;
  readonly reject: (error: unknown) => void;
}

/** What a log needs. */
export interface RecordLogOptions {
  readonly folder: string;
  readonly key: StoreKey;
  /** Number of the first segment that it makes. */
  readonly nextNumber: number;
  /** Hears of each segment that is full: nothing will be added to it. Must not throw. */
  readonly onFull: (segment: Segment) => void;
}

/** The end of the segments of a store. */
export class RecordLog {
  readonly #options: RecordLogOptions;
  #pending: Pending[] = [];
  #run: Promise<void> | undefined;
  #writer: SegmentWriter | undefined;
  #nextNumber: number;

  constructor(options: RecordLogOptions) {
    this.#options = options;
    this.#nextNumber = options.nextNumber;
  }

  /** The segment that is being written. */
  get current(): Segment | undefined {
    return this.#writer?.segment;
  }

  /**
   * Appends a record. Records are written in their order.
   * @returns the segment that it is in, once it is durable; a note may be lost by a crash
   * @throws DeviceError (as rejection) `E_DEVICE_STORE`
   */
  append(record: Uint8Array, kind: 'message' | 'note'): Promise<Segment> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ record, isMessage: kind === 'message', resolve, reject });
      this.#run ??= this.#writeAll();
    });
  }

  /** Waits for what was appended, and closes. Nothing may follow. */
  async close(): Promise<void> {
    await this.#run;
    await this.#writer?.close().catch(() => {});
  }

  async #writeAll(): Promise<void> {
    // What is appended in one go is written in one go.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const batch = this.#nextBatch();
      try {
        const segment = await this.#write(batch);
        for (const { isMessage } of batch) if (isMessage) segment.liveCount += 1;
        for (const { resolve } of batch) resolve(segment);
      } catch (cause) {
        await this.#abandon();
        const error = storeError(`${this.#options.folder} cannot be written`, cause);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#run = undefined;
  }

  #nextBatch(): Pending[] {
    let bytes = 0;
    const end = this.#pending.findIndex(({ record }) => {
      bytes += record.length;
      return bytes >= STORE_SEGMENT_BYTES;
    });
    return this.#pending.splice(0, end < 0 ? this.#pending.length : end + 1);
  }

  async #write(batch: readonly Pending[]): Promise<Segment> {
    const writer = await this.#writerWithRoom();
    const sync = batch.some(({ isMessage }) => isMessage);
    await writer.write(
      batch.map(({ record }) => record),
      { sync },
    );
    return writer.segment;
  }

  async #writerWithRoom(): Promise<SegmentWriter> {
    const full = this.#writer;
    if (full !== undefined && full.size < STORE_SEGMENT_BYTES) return full;
    const { folder, key, onFull } = this.#options;
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    const next = await SegmentWriter.create(segmentOf(folder, number), key);
    this.#writer = next;
    await full?.close();
    if (full !== undefined) onFull(full.segment);
    return next;
  }

  /** A file that a write has failed on is not written again: what stands in it is not known. */
  async #abandon(): Promise<void> {
    const broken = this.#writer;
    this.#writer = undefined;
    await broken?.abandon().catch(() => {});
    if (broken !== undefined) this.#options.onFull(broken.segment);
  }
}
