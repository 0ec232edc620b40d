/** Starts the journal's worker thread. @module */
import { Worker } from 'node:worker_threads';
import { Fault } from '../kernel/index.ts';
import type { FromWorker, WorkerStart } from './worker-messages.ts';

/** A worker that has opened its files. */
export interface StartedWorker {
  readonly worker: Worker;
  readonly opened: Extract<FromWorker, { type: 'opened' }>;
}

/**
 * Starts the worker, which opens the log and the state.
 * @throws Fault when one of them cannot be opened.
 */
export function startWorker(start: WorkerStart): Promise<StartedWorker> {
  const worker = new Worker(new URL('journal-worker.ts', import.meta.url), { workerData: start });
  return new Promise((resolve, reject) => {
    worker.once('error', (cause: Error) => reject(openFault(start.path, cause)));
    worker.once('message', (opened: FromWorker) => {
      worker.removeAllListeners('error');
      if (opened.type === 'opened') resolve({ worker, opened });
      else reject(openFault(start.path, new Error(opened.type)));
    });
  });
}

function openFault(path: string, cause: Error): Fault {
  const isFault = 'code' in cause && 'fix' in cause;
  return new Fault({
    code: isFault ? String(cause.code) : 'E_JOURNAL_OPEN',
    what: isFault ? cause.message : `The log ${path} cannot be opened: ${cause.message}`,
    fix: isFault
      ? String(cause.fix)
      : 'Run: holdfast audit verify. Then restore a backup if needed.',
    cause,
  });
}
