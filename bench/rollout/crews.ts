/** The processes of the simulated devices: started, killed, started again. @module */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DeviceDisk } from '@holdfast/testkit';
import type { CrewJob } from './crew-main.ts';

const MAIN = join(import.meta.dirname, 'crew-main.ts');

/** All crews of one fleet. */
export class Crews {
  readonly #jobs: readonly CrewJob[];
  readonly #children: ChildProcess[] = [];
  /** Answers of the server since the last reading, by status. */
  #answers: Record<string, number> = {};

  constructor(jobs: readonly CrewJob[]) {
    this.#jobs = jobs;
  }

  start(): void {
    for (const at of this.#jobs.keys()) this.#start(at);
  }

  /** SIGKILL, and a new process that goes on from what the devices kept. */
  async kill(at: number): Promise<void> {
    const child = this.#children[at];
    if (child === undefined) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
    this.#start(at);
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** What was answered since it was asked last. */
  answers(): Record<string, number> {
    const answers = this.#answers;
    this.#answers = {};
    return answers;
  }

  /** How many devices run each release, by what they keep. */
  running(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { disk } of this.disks()) counts[disk.running] = (counts[disk.running] ?? 0) + 1;
    return counts;
  }

  /** What each device keeps. */
  disks(): { id: string; disk: DeviceDisk }[] {
    return this.#jobs.flatMap(({ diskPath }) => {
      const last = new Map<string, { id: string; disk: DeviceDisk }>();
      if (!existsSync(diskPath)) return [];
      for (const line of readFileSync(diskPath, 'utf8').split('\n')) {
        if (!line.endsWith('}')) continue;
        const kept = JSON.parse(line) as { id: string; disk: DeviceDisk };
        last.set(kept.id, kept);
      }
      return [...last.values()];
    });
  }

  #start(at: number): void {
    const args = [MAIN, JSON.stringify(this.#jobs[at])];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children[at] = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      for (const [status, count] of Object.entries(JSON.parse(line) as Record<string, number>)) {
        this.#answers[status] = (this.#answers[status] ?? 0) + count;
      }
    });
  }
}
