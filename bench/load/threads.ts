/** What the main thread of the load and its worker threads tell each other. @module */
import type { FlowJob, Quantiles } from './job.ts';

/** What a worker starts with. */
export interface ThreadData {
  readonly role: 'publish' | 'subscribe';
  readonly job: FlowJob;
  /** Number of this thread among all, and how many publish. */
  readonly thread: number;
  readonly threads: number;
  readonly counters: SharedArrayBuffer;
  /** When each message was due, by place and number; only with a rate. */
  readonly dueMs: SharedArrayBuffer | undefined;
}

/** Messages of each device: what was made ready, and the size of all tables. */
export function messagesPerDevice({ messagesMax, publishers }: FlowJob): number {
  return Math.floor(messagesMax / publishers);
}

/** What a worker says: once when it is connected, once at the end. */
export type ThreadReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly problem: string }
  | ThreadEnd;

/** What a worker found. */
export interface ThreadEnd {
  readonly kind: 'end';
  readonly problems: readonly string[];
  readonly recordsShared?: number | undefined;
  readonly quantiles?: Quantiles | undefined;
}

/** Quantiles of unsorted values; the array is sorted by this. */
export function quantilesOf(values: Float32Array): Quantiles {
  values.sort();
  const at = (share: number): number => values[Math.floor(share * (values.length - 1))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}
