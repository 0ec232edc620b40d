/** Starts the thread of a backup, and holds the server still while its snapshot begins. @module */
import { Worker } from 'node:worker_threads';
import { systemClock } from '../kernel/index.ts';
import type { DataKey } from '../persistence/index.ts';
import type { ChunkRef } from './backup-key.ts';
import { failedFault } from './faults.ts';
import { HOLDS_MAX, HOLD_MS_MAX, THREAD_START_MS_MAX } from './limits.ts';
import type { DatabaseName, Snapshot } from './manifest.ts';
import { fromErrorMessage } from './worker-error.ts';
import { type BackupStart, type FromBackup, GATE, type ToBackup } from './worker-messages.ts';

/** What a snapshot is made of, and who takes its chunks. */
export interface SnapshotOptions {
  readonly paths: Readonly<Record<DatabaseName, string>>;
  readonly key: DataKey;
  readonly known: ReadonlyMap<string, number>;
  /** Puts a chunk where it belongs; without `sealed` it is there. The next ones wait for it. */
  readonly onChunk: (chunk: ChunkRef, sealed: Uint8Array | undefined) => Promise<void>;
  /** Called at the very moment that the databases are copied of, while nothing can change. */
  readonly onMoment: () => void;
  readonly signal: AbortSignal;
}

/** A snapshot that was copied. */
export interface CopiedSnapshot {
  readonly snapshot: Snapshot;
  readonly checkpoint: string;
}

/**
 * Copies the databases as they are at one moment. At that moment this thread writes nothing, as it
 * waits; whatever the log's thread stores meanwhile was given to it before. So the keys of all
 * that is in the log are in the registry, and what the registry reflects is in the log.
 */
export async function copySnapshot(options: SnapshotOptions): Promise<CopiedSnapshot> {
  // A busy machine may give the thread no turn for a moment: that is no reason to have no backup.
  for (let holds = 0; holds < HOLDS_MAX; holds += 1) {
    const copied = await copyOnce(options);
    if (copied !== undefined) return copied;
  }
  throw failedFault('the databases could not be opened in time');
}

/** Undefined when the thread did not begin while the server stood still. */
async function copyOnce(options: SnapshotOptions): Promise<CopiedSnapshot | undefined> {
  const { paths, key, known, signal } = options;
  signal.throwIfAborted();
  const gate = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const workerData: BackupStart = {
    paths,
    gate,
    key: { ref: key.ref, root: key.key.expose() },
    known,
  };
  const worker = new Worker(new URL('backup-worker.ts', import.meta.url), { workerData });
  const underWay = new Set<Promise<void>>();
  const onChunk: SnapshotOptions['onChunk'] = (chunk, sealed) => {
    const put = options.onChunk(chunk, sealed).finally(() => underWay.delete(put));
    underWay.add(put);
    return put;
  };
  try {
    const copied = await new Promise<CopiedSnapshot | undefined>((resolve, reject) => {
      const abort = (): void => reject(failedFault('it was stopped', signal.reason));
      signal.addEventListener('abort', abort, { once: true });
      // The machine's own clock: this is about a thread, not about what time it is.
      const cancel = systemClock.after(THREAD_START_MS_MAX, () =>
        reject(failedFault('its thread did not start')),
      );
      worker.on('error', reject);
      worker.on('exit', () => reject(failedFault('its thread has ended')));
      worker.on('message', (message: FromBackup) => {
        cancel();
        take(message, { ...options, worker, gate, resolve, reject, onChunk });
      });
    });
    await Promise.all(underWay);
    return copied;
  } finally {
    // One that began too late copies what nobody wants.
    worker.removeAllListeners('message');
    // Ends in order: what is still being put is not taken for put by whoever comes next.
    await Promise.allSettled(underWay);
    await worker.terminate();
  }
}

interface Taking {
  readonly worker: Worker;
  readonly gate: SharedArrayBuffer;
  readonly resolve: (copied: CopiedSnapshot | undefined) => void;
  readonly reject: (error: unknown) => void;
  readonly onChunk: SnapshotOptions['onChunk'];
  readonly onMoment: SnapshotOptions['onMoment'];
}

function take(message: FromBackup, taking: Taking): void {
  const { worker, gate, resolve, reject, onChunk, onMoment } = taking;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
  const post = (answer: ToBackup): void => worker.postMessage(answer);
  switch (message.type) {
    case 'ready':
      post({ type: 'begin' });
      // The one place where the server stands still, for about a millisecond.
      if (Atomics.wait(new Int32Array(gate), 0, GATE.waiting, HOLD_MS_MAX) === 'timed-out') {
        resolve(undefined);
      } else {
        onMoment();
      }
      break;
    case 'chunk':
      onChunk(message.chunk, message.sealed).then(() => post({ type: 'credit' }), reject);
      break;
    case 'done':
      resolve(message);
      break;
    case 'failed':
      reject(fromErrorMessage(message.error));
      break;
  }
}
