/** Entry of the worker threads of the load. @module */
import { parentPort, workerData } from 'node:worker_threads';
import { Counters } from './counters.ts';
import { PublishThread } from './publish-thread.ts';
import { SubscribeThread } from './subscribe-thread.ts';
import type { ThreadData, ThreadReport } from './threads.ts';

const data = workerData as ThreadData;
const counters = new Counters({ threads: data.threads, memory: data.counters });
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
const report = (message: ThreadReport): void => parentPort?.postMessage(message);
try {
  const work =
    data.role === 'publish'
      ? new PublishThread(data, counters)
      : new SubscribeThread(data, counters);
  parentPort?.on('message', (order: 'run' | 'end') => {
    if (order === 'run') return work.run();
    return void work.end().then((end) => {
      report(end);
      process.exit(0);
    });
  });
  await work.open();
  report({ kind: 'ready' });
} catch (error) {
  report({ kind: 'failed', problem: String(error) });
}
