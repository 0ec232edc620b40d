/** The worker thread of the series. @module */
import { parentPort, workerData } from 'node:worker_threads';
import { LiveLog } from '../../audit/thread.ts';
import { Fault, goBehindMessages, systemClock, systemRandom } from '../../kernel/index.ts';
import { SeriesEngine } from './series-engine.ts';
import { SeriesFile } from './series-file.ts';
import type {
  FromWorker,
  KeyMessage,
  RequestMessage,
  ToWorker,
  WorkerStart,
} from './worker-messages.ts';

if (parentPort === null) throw new Error('this file runs in a worker thread only');
const port = parentPort;
goBehindMessages();
// Main and worker are one program: what arrives here was typed when it was sent.
const start = workerData as WorkerStart;

const reply = (message: FromWorker): void => port.postMessage(message);
/** Questions for keys are answered in their order. */
const asked: ((keys: readonly KeyMessage[]) => void)[] = [];

const log = new LiveLog(start.logPath);
const file = SeriesFile.open(start.path, systemRandom);
const engine = new SeriesEngine({
  log,
  file,
  readFile: SeriesFile.openReadOnly(start.path, systemRandom),
  askKeys: (keyRefs) =>
    new Promise((resolve) => {
      asked.push(resolve);
      reply({ type: 'wantedKeys', keyRefs });
    }),
  onProblem: (what) => reply({ type: 'problem', what }),
  clock: systemClock,
});

async function answer(id: number, request: RequestMessage, size: number): Promise<void> {
  try {
    const found = await engine.answer(request, size);
    reply({ type: 'answer', id, answer: found, behind: engine.behind });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const fix = error instanceof Fault ? error.fix : undefined;
    reply({ type: 'unanswered', id, error: { message, fix } });
  }
}

async function close(): Promise<void> {
  try {
    await engine.close();
    log.close();
  } finally {
    reply({ type: 'closed' });
    port.close();
  }
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'advance':
      engine.advance(message.size);
      break;
    case 'keys':
      asked.shift()?.(message.keys);
      break;
    case 'request':
      void answer(message.id, message.request, message.size);
      break;
    case 'close':
      void close();
      break;
  }
});
