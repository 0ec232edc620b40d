/** Runs verifications and proofs beside a server that runs, in a thread of their own. @module */
import { MessageChannel, Worker } from 'node:worker_threads';
import type {
  AuditResults,
  AuditStart,
  AuditTask,
  FromAuditThread,
  KeyAnswer,
} from './audit-task.ts';
import type { LogProgress } from './verify-log.ts';

/** Whose log it is. */
export interface AuditThreadDeps {
  /** Database file of the log. */
  readonly path: string;
  /** The data key under a number; undefined when it was destroyed. Throws when it is not known. */
  readonly keyOf: (keyRef: number) => Uint8Array | undefined;
}

/** How a task is followed. */
export interface FollowTask {
  readonly onProgress?: ((progress: LogProgress) => void) | undefined;
  /** Ends the thread at once. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs one task; it reads one moment of the log, and nothing waits for it.
 * @returns the result. Rejects with the reason of the signal, or when the log cannot be read.
 */
export async function runAuditTask<T extends AuditTask>(
  task: T,
  { path, keyOf }: AuditThreadDeps,
  { onProgress = () => {}, signal }: FollowTask = {},
): Promise<AuditResults[T['type']]> {
  signal?.throwIfAborted();
  const { port1: keyPort, port2 } = new MessageChannel();
  const keyCount = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  answerKeys(port2, { keyOf, keyCount });
  const start: AuditStart = { path, task, keyPort, keyCount };
  const worker = new Worker(new URL('audit-worker.ts', import.meta.url), {
    workerData: start,
    transferList: [keyPort],
  });
  try {
    return await new Promise<AuditResults[T['type']]>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(asError(signal.reason)), { once: true });
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the audit thread has ended')));
      worker.on('message', (message: FromAuditThread) => {
        if (message.type === 'progress') onProgress(message.progress);
        // The thread answers a task with the result of its type.
        else if (message.type === 'done') resolve(message.result as AuditResults[T['type']]);
        else reject(new Error(message.why));
      });
    });
  } finally {
    port2.close();
    await worker.terminate();
  }
}

function answerKeys(
  port: MessageChannel['port1'],
  { keyOf, keyCount }: Pick<AuditThreadDeps, 'keyOf'> & Pick<AuditStart, 'keyCount'>,
): void {
  const answered = new Int32Array(keyCount);
  port.on('message', (keyRefs: readonly number[]) => {
    const answer = keyRefs.flatMap((keyRef): KeyAnswer[] => {
      try {
        return [[keyRef, keyOf(keyRef)]];
      } catch {
        // Left out of the answer, it is known to be no key.
        return [];
      }
    });
    port.postMessage(answer);
    Atomics.add(answered, 0, 1);
    Atomics.notify(answered, 0);
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
