/** Runs one flow: threads that publish, a thread that subscribes, and the balance of both. @module */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { cpuUsOf, machineCpuUs, writtenBytesOf } from '../measure/process-tree.ts';
import { Counters, PHASE, monotonicMs } from './counters.ts';
import type { FlowJob, FlowResult, FlowTotal } from './job.ts';
import {
  type ThreadData,
  type ThreadEnd,
  type ThreadReport,
  messagesPerDevice,
} from './threads.ts';

/** How often the main thread looks whether the messages are used up or all are delivered. */
const LOOK_MS = 20;
/** When nothing was delivered for so long, the rest is lost. */
const SILENCE_MS = 5_000;

/** Runs a flow to its end. */
export async function runFlow(job: FlowJob): Promise<FlowResult> {
  const threads = job.publishThreads + 1;
  const counters = new Counters({ threads });
  const dueMs =
    job.rate === undefined
      ? undefined
      : new SharedArrayBuffer(messagesPerDevice(job) * job.publishers * 8);
  const workers = Array.from({ length: threads }, (_, thread) => {
    const role = thread < job.publishThreads ? 'publish' : 'subscribe';
    const data: ThreadData = { role, job, thread, threads, counters: counters.memory, dueMs };
    return new LoadThread(data);
  });
  await Promise.all(workers.map(({ ready }) => ready));

  counters.phase = PHASE.running;
  for (const worker of workers) worker.tell('run');
  await until(() => isUsedUp(job, counters), job.warmUpSeconds);
  const before = await sample(job, counters, workers);
  await until(() => isUsedUp(job, counters) && isDelivered(job, counters), job.seconds);
  const after = await sample(job, counters, workers);
  counters.phase = PHASE.stopped;
  await untilDelivered(job, counters);

  const ends = await Promise.all(workers.map((worker) => worker.end()));
  const seconds = (after.atMs - before.atMs) / 1_000;
  const busyUs = after.threadCpuUs.map((cpuUs, at) => cpuUs - (before.threadCpuUs[at] ?? 0));
  return {
    seconds,
    delivered: after.delivered - before.delivered,
    brokerCpuUs: after.brokerCpuUs - before.brokerCpuUs,
    loadCpuUs: after.loadCpuUs - before.loadCpuUs,
    otherCpuUs: after.otherCpuUs - before.otherCpuUs,
    busiestThread: Math.max(...busyUs) / (seconds * 1e6),
    writtenBytes: after.writtenBytes - before.writtenBytes,
    total: balance(job, counters, ends),
    latencyMs: job.rate === undefined ? undefined : ends.at(-1)?.quantiles,
    latenessMs: job.rate === undefined ? undefined : ends[0]?.quantiles,
    problems: ends.flatMap(({ problems }) => problems),
  };
}

/** A worker thread. */
class LoadThread {
  readonly worker: Worker;
  readonly ready: Promise<void>;
  readonly #ended: Promise<ThreadEnd>;

  constructor(data: ThreadData) {
    this.worker = new Worker(new URL('thread.ts', import.meta.url), { workerData: data });
    let markEnded: (end: ThreadEnd) => void = () => {};
    this.#ended = new Promise((resolve) => {
      markEnded = resolve;
    });
    this.ready = new Promise((resolve, reject) => {
      this.worker.on('error', reject);
      this.worker.on('message', (report: ThreadReport) => {
        if (report.kind === 'ready') resolve();
        else if (report.kind === 'failed') reject(new Error(report.problem));
        else markEnded(report);
      });
    });
  }

  tell(order: 'run' | 'end'): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
    this.worker.postMessage(order);
  }

  end(): Promise<ThreadEnd> {
    this.tell('end');
    return this.#ended;
  }
}

interface Sample {
  readonly atMs: number;
  readonly delivered: number;
  readonly brokerCpuUs: number;
  readonly loadCpuUs: number;
  readonly otherCpuUs: number;
  readonly writtenBytes: number;
  readonly threadCpuUs: readonly number[];
}

/** All readings of one moment. */
async function sample(
  { broker }: FlowJob,
  counters: Counters,
  workers: readonly LoadThread[],
): Promise<Sample> {
  const threadCpuUs = await Promise.all(
    workers.map(async ({ worker }) => {
      const { user, system } = await worker.cpuUsage();
      return user + system;
    }),
  );
  const atMs = monotonicMs();
  const { user, system } = process.cpuUsage();
  const [brokerCpuUs, loadCpuUs] = [cpuUsOf(broker.pid), user + system];
  return {
    atMs,
    delivered: counters.sum('distinct'),
    brokerCpuUs,
    loadCpuUs,
    otherCpuUs: machineCpuUs() - brokerCpuUs - loadCpuUs,
    writtenBytes: writtenBytesOf(broker.pid),
    threadCpuUs,
  };
}

function isUsedUp({ publishers, ...job }: FlowJob, counters: Counters): boolean {
  return counters.sum('sent') >= messagesPerDevice({ ...job, publishers }) * publishers;
}

function isDelivered({ fanout }: FlowJob, counters: Counters): boolean {
  return counters.sum('distinct') >= counters.sum('sent') * fanout;
}

async function until(isOver: () => boolean, seconds: number): Promise<void> {
  const endMs = monotonicMs() + seconds * 1_000;
  while (monotonicMs() < endMs && !isOver()) await delay(LOOK_MS);
}

/** Waits until everything sent was delivered and acknowledged, or nothing moves any more. */
async function untilDelivered(job: FlowJob, counters: Counters): Promise<void> {
  const { qos } = job;
  let last = -1;
  let movedAtMs = monotonicMs();
  for (;;) {
    const sent = counters.sum('sent');
    const distinct = counters.sum('distinct');
    const acknowledged = counters.sum('acknowledged');
    if (isDelivered(job, counters) && (qos === 0 || acknowledged >= sent)) break;
    if (distinct + acknowledged !== last) {
      last = distinct + acknowledged;
      movedAtMs = monotonicMs();
    }
    if (monotonicMs() - movedAtMs > SILENCE_MS) return;
    await delay(LOOK_MS);
  }
  // A duplicate may come after the last message.
  await delay(10 * LOOK_MS);
}

function balance({ fanout }: FlowJob, counters: Counters, ends: readonly ThreadEnd[]): FlowTotal {
  const sent = counters.sum('sent');
  const publishing = ends.slice(0, -1);
  return {
    sent,
    acknowledged: counters.sum('acknowledged'),
    expected: sent * fanout,
    lost: sent * fanout - counters.sum('distinct'),
    duplicate: counters.sum('duplicate'),
    foreign: counters.sum('foreign'),
    recordsShared: publishing.reduce<number | undefined>((sum, { recordsShared }) => {
      return sum === undefined || recordsShared === undefined ? undefined : sum + recordsShared;
    }, 0),
  };
}
