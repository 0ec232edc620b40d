/** When devices were heard of last: in memory, and on the disk now and then. @module */
import { z } from 'zod';
import type { CancelTimer, Clock } from '../kernel/index.ts';
import type { Collection, SealedStore } from '../persistence/index.ts';
import type { DeviceColumns } from './device-columns.ts';
import { LAST_SEEN_FLUSH_BUCKETS, LAST_SEEN_FLUSH_MS } from './limits.ts';

/** Records that all devices share: so many are written in a go, and none holds too many. */
const BUCKETS = 512;

const BucketSchema = z.record(z.string(), z.int());
type Bucket = z.infer<typeof BucketSchema>;

/** When each device was heard of last. A crash loses what was not written yet. */
export class LastSeen {
  readonly #clock: Clock;
  readonly #columns: Pick<DeviceColumns, 'noteSeen'>;
  readonly #store: SealedStore;
  readonly #records: Collection<Bucket>;
  readonly #seenMs = new Map<string, number>();
  /** Ids of the devices of each record. */
  readonly #buckets: Set<string>[] = Array.from({ length: BUCKETS }, () => new Set());
  readonly #changed = new Set<number>();
  #cancelFlush: CancelTimer | undefined;

  /** @param columns - where the times stand side by side as well. */
  constructor(
    store: SealedStore,
    { clock, columns }: { clock: Clock; columns: Pick<DeviceColumns, 'noteSeen'> },
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#columns = columns;
    // An older copy of it does no harm, so that it is no change of the registry.
    this.#records = store.collection('last-seen', BucketSchema, { isCounted: false });
    for (const bucket of this.#records.all()) {
      for (const [id, ms] of Object.entries(bucket)) this.#set(id, ms);
    }
  }

  /** Milliseconds since 1970; undefined for never. */
  of(deviceId: string): number | undefined {
    return this.#seenMs.get(deviceId);
  }

  /** A device was heard of just now. */
  note(deviceId: string): void {
    this.#changed.add(this.#set(deviceId, this.#clock.nowMs()));
    this.#scheduleFlush();
  }

  /** Writes all that waits, before the store is closed. */
  close(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#write([...this.#changed]);
  }

  #set(deviceId: string, ms: number): number {
    const bucket = bucketOf(deviceId);
    // Each id once in memory: it is the key of both.
    if (!this.#seenMs.has(deviceId)) this.#buckets[bucket]?.add(deviceId);
    this.#seenMs.set(deviceId, ms);
    this.#columns.noteSeen(deviceId, ms);
    return bucket;
  }

  #scheduleFlush(): void {
    this.#cancelFlush ??= this.#clock.after(LAST_SEEN_FLUSH_MS, () => {
      this.#cancelFlush = undefined;
      this.#write([...this.#changed].slice(0, LAST_SEEN_FLUSH_BUCKETS));
      if (this.#changed.size > 0) this.#scheduleFlush();
    });
  }

  #write(buckets: readonly number[]): void {
    if (buckets.length === 0 || !this.#store.isOpen) return;
    for (const bucket of buckets) this.#changed.delete(bucket);
    try {
      this.#store.transaction(() => {
        for (const bucket of buckets) this.#records.write(String(bucket), this.#content(bucket));
      });
    } catch {
      // Nobody depends on it; the next flush tries again.
      for (const bucket of buckets) this.#changed.add(bucket);
    }
  }

  #content(bucket: number): Bucket {
    const ids = [...(this.#buckets[bucket] ?? [])];
    return Object.fromEntries(ids.map((id) => [id, this.#seenMs.get(id) ?? 0]));
  }
}

/** FNV-1a: it only spreads the ids. */
function bucketOf(id: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01_00_01_93);
  }
  return (hash >>> 0) % BUCKETS;
}
