/**
 * The load: a process of its own, below the broker in priority, so that it is the broker that is
 * full first. Takes a job on standard input and prints its result.
 * @module
 */
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { runConnects, runIdle } from './connects.ts';
import { runFlow } from './flow.ts';
import type { ConnectResult, FlowResult, IdleResult, Job } from './job.ts';

const NICE = 5;

const job = JSON.parse(readFileSync(0, 'utf8')) as Job;
// On a schedule the load has time to spare, and a load that is late would be read as latency.
if (job.kind !== 'flow' || job.rate === undefined) setPriority(NICE);
const result = await run(job);
process.stdout.write(JSON.stringify(result), () => process.exit(0));

function run(job: Job): Promise<FlowResult | ConnectResult | IdleResult> {
  if (job.kind === 'flow') return runFlow(job);
  return job.kind === 'connect' ? runConnects(job) : runIdle(job);
}
