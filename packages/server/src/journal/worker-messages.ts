/** What the main thread and the journal's worker say to each other. @module */
import type { AppendedBatch, EntryPage, EntryPlace, Expiry, StoredEntry } from '../audit/index.ts';
import type { StateChange, StatePage } from './state-store.ts';

/** A data key and its number. Both threads belong to one process. */
export type KeyMessage = readonly [keyRef: number, key: Uint8Array];

/** What the worker is started with. */
export interface WorkerStart {
  readonly path: string;
  readonly statePath: string;
  readonly origin: string;
  /** PKCS#8 of the Ed25519 key that signs checkpoints. */
  readonly signingKey: Uint8Array;
  /** Seals the state. */
  readonly stateKey: Uint8Array;
}

/** A batch: entries, changes of the state, or both. */
export interface AppendMessage {
  readonly type: 'append';
  /** The entries; undefined for none, and once they are stored. */
  readonly entries: { readonly memory: ArrayBuffer; readonly length: number } | undefined;
  /** What the entries were stored as by an earlier attempt, which failed at the state. */
  readonly stored: AppendedBatch | undefined;
  readonly state: readonly StateChange[];
  /** Number of the data key that seals the layout of the batch. */
  readonly layoutKeyRef: number;
  /** Keys that the worker has not seen yet. */
  readonly keys: readonly KeyMessage[];
}

/** Asks for entries or state; the answer carries the same id. */
export type ReadRequest =
  | {
      /** Entries under one key, newest first. */
      readonly type: 'read';
      readonly key: KeyMessage;
      readonly before: number;
      readonly limit: number;
    }
  | {
      readonly type: 'fetch';
      readonly places: readonly EntryPlace[];
      readonly keys: readonly KeyMessage[];
    }
  | {
      /** A page of all entries in their order. */
      readonly type: 'scan';
      readonly from: number;
      readonly to: number;
      readonly keys: readonly KeyMessage[];
      /** Numbers of keys that there are no more. */
      readonly destroyed: readonly number[];
    }
  | { readonly type: 'loadState'; readonly after: number }
  | { readonly type: 'foreseeExpiries'; readonly expiries: readonly Expiry[] }
  | { readonly type: 'planExpiries'; readonly expiries: readonly Expiry[] }
  /** Does what is planned, and answers when it is done. */
  | { readonly type: 'doExpiries' };

export type ReadType = ReadRequest['type'];

/** Answers to {@link ReadRequest}, by its type. */
export interface ReadAnswers {
  readonly read: readonly StoredEntry[];
  readonly fetch: EntryPage;
  /** Without entries when keys are wanted first. */
  readonly scan: EntryPage & {
    readonly next: number | undefined;
    readonly wantedKeys: readonly number[];
  };
  readonly loadState: StatePage;
  readonly foreseeExpiries: readonly Expiry[];
  readonly planExpiries: readonly Expiry[];
  readonly doExpiries: undefined;
}

export type ToWorker =
  | AppendMessage
  | { readonly type: 'request'; readonly id: number; readonly request: ReadRequest }
  | { readonly type: 'close' };

export type FromWorker =
  | {
      readonly type: 'opened';
      readonly checkpoint: string;
      readonly size: number;
      /** Whether a crash has left expiries that are planned and not done. */
      readonly hasPendingExpiries: boolean;
    }
  | {
      readonly type: 'appended';
      /** Undefined for a batch without entries. */
      readonly stored: AppendedBatch | undefined;
      /** The memory of the batch, to be used again. */
      readonly memory: ArrayBuffer | undefined;
    }
  | {
      /** The batch is to be tried again: its entries, unless they are stored, and its state. */
      readonly type: 'failed';
      readonly why: string;
      readonly entries: AppendMessage['entries'];
      readonly stored: AppendedBatch | undefined;
    }
  | { readonly type: 'answer'; readonly id: number; readonly answer: ReadAnswers[ReadType] }
  | { readonly type: 'unanswered'; readonly id: number; readonly error: ErrorMessage }
  | { readonly type: 'closed' };

/** An error on its way between the threads, which keeps no class. */
export interface ErrorMessage {
  readonly message: string;
  /** There when it is a fault. */
  readonly fault?: { readonly code: string; readonly fix: string } | undefined;
}
