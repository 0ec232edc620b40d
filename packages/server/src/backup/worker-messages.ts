import type { ChunkRef } from './backup-key.ts';
import type { DatabaseName, Snapshot } from './manifest.ts';
/** What the main thread and the thread of a backup say to each other. @module */
import type { ErrorMessage } from './worker-error.ts';

/** What the thread is started with. */
export interface BackupStart {
  readonly paths: Readonly<Record<DatabaseName, string>>;
  /** One 32-bit number: becomes 1 when the snapshot has begun, 2 when it cannot. */
  readonly gate: SharedArrayBuffer;
  readonly key: { readonly ref: number; readonly root: Uint8Array };
  /** Chunks that the destination has: their names, with the bytes of their content. */
  readonly known: ReadonlyMap<string, number>;
}

export const GATE = { waiting: 0, begun: 1, failed: 2 } as const;

export type ToBackup =
  /** The server holds still now. */
  | { readonly type: 'begin' }
  /** Another chunk may come. */
  | { readonly type: 'credit' };

export type FromBackup =
  | { readonly type: 'ready' }
  | {
      readonly type: 'chunk';
      readonly chunk: ChunkRef;
      /** Undefined for one that the destination has. */
      readonly sealed: Uint8Array | undefined;
    }
  | { readonly type: 'done'; readonly snapshot: Snapshot; readonly checkpoint: string }
  | { readonly type: 'failed'; readonly error: ErrorMessage };
