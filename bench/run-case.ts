/** Runs one case once with one broker: starts it, loads it, ends it. @module */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunningBroker, Target } from './brokers/index.ts';
import type { Case } from './cases.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Job, ResultOf } from './load/job.ts';
import { endWithUs } from './measure/children.ts';
import type { RunResult } from './results.ts';

/** What all runs have. */
export interface RunContext {
  readonly folder: string;
  readonly fleet: Fleet;
  readonly fleetPath: string;
  readonly dataTemplate: string;
  readonly publishThreads: number;
  /** Where each run of a broker on Node leaves its processor profiles; none are made without. */
  readonly profiles?: string | undefined;
}

/** Options of one run. */
export interface RunOptions {
  /** Messages a second, for a latency case. */
  readonly rate?: number | undefined;
  readonly countsFsyncs?: boolean | undefined;
}

/** No run takes longer; a broker that hangs fails its run. */
const RUN_TIMEOUT_MS = 180_000;
let runs = 0;

/** Runs a case. A broker or a load that fails is a result with the reason. */
export async function runCase(
  target: Target,
  one: Case,
  context: RunContext,
  options: RunOptions = {},
): Promise<RunResult> {
  runs += 1;
  const folder = join(context.folder, `run-${runs}`);
  mkdirSync(folder);
  let broker: RunningBroker | undefined;
  let result: RunResult;
  try {
    const { countsFsyncs } = options;
    // A profile of a process that is slowed down on purpose would mislead.
    const isProfiled = context.profiles !== undefined && countsFsyncs !== true;
    const profiles = isProfiled ? join(context.profiles, `${one.name}-${target.name}`) : undefined;
    broker = await target.start({ ...context, folder, countsFsyncs, profiles });
    result = await load(target, one, broker, context, options);
  } catch (error) {
    result = { failure: error instanceof Error ? error.message : String(error) };
  }
  try {
    const stop = await broker?.stop();
    return { ...result, stop };
  } catch (error) {
    return { ...result, stop: { problem: String(error) } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function load(
  target: Target,
  one: Case,
  { pid, port }: RunningBroker,
  { fleetPath: fleet, publishThreads }: RunContext,
  { rate }: RunOptions,
): Promise<RunResult> {
  const known = { broker: { pid, port }, fleet };
  if (one.kind === 'connect') return { connect: await runLoad({ ...one.plan, ...known }) };
  if (one.kind === 'idle') return { idle: await runLoad({ ...one.plan, ...known }) };
  const { form, subscriberLevel } = target;
  const job = { ...one.plan, ...known, form, subscriberLevel, publishThreads };
  if (rate === undefined) return { flow: await runLoad(job) };
  const { warmUpSeconds, seconds } = one.plan;
  const messagesMax = Math.ceil(rate * (warmUpSeconds + seconds) * 1.05) + one.plan.publishers;
  return { rate, flow: await runLoad({ ...job, rate, messagesMax }) };
}

function runLoad<J extends Job>(job: J): Promise<ResultOf<J>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load/main.ts')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: RUN_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  endWithUs(child);
  child.stdin.end(JSON.stringify(job));
  let printed = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(JSON.parse(printed) as ResultOf<J>);
      const line = /^\w*Error.*$/m.exec(complaint)?.[0] ?? complaint.slice(0, 500);
      return reject(new Error(`the load ended with ${signal ?? code}: ${line}`));
    });
  });
}
