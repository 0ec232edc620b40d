/** Some simulated devices in a process of their own, which can be killed. Started by rollout.ts. @module */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { type DeviceDisk, UpdateDevice, isOfShare, newDisk } from '@holdfast/testkit';
import { readFleet } from '../fleet/fleet.ts';

/** What a crew is told. */
export interface CrewJob {
  readonly fleetPath: string;
  readonly from: number;
  readonly to: number;
  readonly url: string;
  /** Where the devices keep what survives them: a line for each change. */
  readonly diskPath: string;
  readonly pollMs: number;
  readonly stepMs: number;
  readonly running: string;
  readonly bad: string;
  readonly failing: number;
}

const job = JSON.parse(process.argv[2] ?? '') as CrewJob;
const fleet = readFleet(job.fleetPath);
const disks = new Map<string, DeviceDisk>();
if (existsSync(job.diskPath)) {
  for (const line of readFileSync(job.diskPath, 'utf8').split('\n')) {
    // The last line may have been cut with the process.
    if (!line.endsWith('}')) continue;
    const { id, disk } = JSON.parse(line) as { id: string; disk: DeviceDisk };
    disks.set(id, disk);
  }
}

let answers: Record<string, number> = {};
const devices = fleet.devices.slice(job.from, job.to).map(
  (member) =>
    new UpdateDevice({
      ...member,
      anchorPem: fleet.anchorPem,
      url: job.url,
      disk: disks.get(member.id) ?? newDisk(job.running),
      pollMs: job.pollMs,
      stepMs: job.stepMs,
      keep: (disk) => {
        appendFileSync(job.diskPath, `${JSON.stringify({ id: member.id, disk })}\n`);
      },
      fails: (id, release) => release === job.bad && isOfShare(id, job.failing),
      onAnswer: (status) => (answers[status] = (answers[status] ?? 0) + 1),
    }),
);
setInterval(() => {
  process.stdout.write(`${JSON.stringify(answers)}\n`);
  answers = {};
}, 1_000);
await Promise.all(devices.map(({ ended }) => ended));
