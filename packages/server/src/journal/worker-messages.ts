/** What the main thread and the journal's worker say to each other. @module */
import type { StoredEntry } from '../audit/index.ts';

/** A data key and its number. Both threads belong to one process. */
export type KeyMessage = readonly [keyRef: number, key: Uint8Array];

/** What the worker is started with. */
export interface WorkerStart {
  readonly path: string;
  readonly origin: string;
  /** PKCS#8 of the Ed25519 key that signs checkpoints. */
  readonly signingKey: Uint8Array;
}

export type ToWorker =
  | {
      readonly type: 'append';
      readonly memory: ArrayBuffer;
      readonly length: number;
      /** Keys that the worker has not seen yet. */
      readonly keys: readonly KeyMessage[];
    }
  | {
      readonly type: 'read';
      readonly id: number;
      readonly key: KeyMessage;
      readonly before: number;
      readonly limit: number;
    }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'opened'; readonly checkpoint: string; readonly size: number }
  | {
      readonly type: 'appended';
      readonly first: number;
      readonly checkpoint: string;
      /** The memory of the batch, to be used again. */
      readonly memory: ArrayBuffer;
    }
  | {
      /** The batch is not stored; it comes back to be tried again. */
      readonly type: 'failed';
      readonly why: string;
      readonly memory: ArrayBuffer;
      readonly length: number;
    }
  | { readonly type: 'read'; readonly id: number; readonly entries: readonly StoredEntry[] }
  | { readonly type: 'readFailed'; readonly id: number; readonly why: string }
  | { readonly type: 'closed' };
