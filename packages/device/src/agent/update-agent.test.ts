/** When the agent asks, what it reports, and what it tries again. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { UpdateReport } from '@holdfast/firmware';
import { AgentMachine, V2, releaseOf, wholeDisk } from '../../test-support/agent-machine.ts';
import { testFolder } from '../../test-support/test-bundle.ts';
import { VirtualClock } from '../../test-support/virtual-clock.ts';
import { DeviceError } from '../device-error.ts';
import { POLL_BACK_OFF } from './limits.ts';
import { ReportSender } from './report-sender.ts';
import { UpdateAgent } from './update-agent.ts';
import type { Assignment } from './update-server.ts';
import type { VerifiedUpdate } from './update-source.ts';

const OFFLINE = new DeviceError('E_DEVICE_UNREACHABLE', { message: 'No route.', fix: '' });
const FORGED = new DeviceError('E_DEVICE_UPDATE_SIGNATURE', { message: 'Forged.', fix: '' });

/** A server in memory, and an agent that talks to it. */
class Bench {
  readonly clock = new VirtualClock();
  readonly reports: UpdateReport[] = [];
  readonly failures: [unknown, number][] = [];
  readonly machine: AgentMachine;
  readonly agent: UpdateAgent;
  polls = 0;
  checks = 0;
  downloads = 0;
  restarts = 0;
  error: unknown;
  checkError: unknown;
  downloadError: unknown;
  assigned: VerifiedUpdate | undefined;
  revision = 'r0';
  /** Runs once, after the answer to a poll was made. */
  afterPoll: () => void = () => {};
  #known: string | undefined;

  constructor(t: TestContext) {
    this.machine = new AgentMachine(testFolder(t), 'u-boot');
    const disk = wholeDisk();
    const journal = this.machine.journal(disk);
    const server = {
      poll: () => this.#poll(),
      report: (report: UpdateReport) => this.#take(report),
    };
    const installer = this.machine.installer(disk, {
      journal,
      source: { download: () => this.#download() },
      restart: () => {
        this.restarts += 1;
        return Promise.resolve();
      },
    });
    this.agent = new UpdateAgent({
      clock: this.clock,
      random: () => 0.5,
      journal,
      installer,
      server,
      source: { check: () => this.#check() },
      reports: new ReportSender(journal, { server, onFailure: () => {} }),
      onFailure: (error, retryInMs) => this.failures.push([error, retryInMs]),
    });
    const done = this.agent.run();
    t.after(() => {
      this.agent.stop();
      return done;
    });
  }

  assign(image: Uint8Array, counter: number, revision: string): void {
    this.assigned = { release: releaseOf(image, `${counter}.0.0`, counter) };
    this.revision = revision;
  }

  /** Lets everything happen that needs no time: until nothing more does. */
  async settle(): Promise<void> {
    for (let before = ''; before !== this.#seen;) {
      before = this.#seen;
      for (let n = 0; n < 50; n += 1) await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
  }

  get #seen(): string {
    const { polls, checks, downloads, restarts, reports, failures } = this;
    return [polls, checks, downloads, restarts, reports.length, failures.length].join();
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settle();
  }

  get states(): string[] {
    return this.reports.map(({ state }) => state);
  }

  async #poll(): Promise<Assignment | undefined> {
    this.polls += 1;
    await this.#line();
    if (this.#known === this.revision) return undefined;
    this.#known = this.revision;
    const answer = { revision: this.revision, release: this.assigned?.release.id, pollMs: 100_000 };
    this.afterPoll();
    this.afterPoll = () => {};
    return answer;
  }

  async #take(report: UpdateReport): Promise<'taken'> {
    await this.#line();
    this.reports.push(report);
    return 'taken';
  }

  async #check(): Promise<VerifiedUpdate | undefined> {
    this.checks += 1;
    await this.#line();
    if (this.checkError !== undefined) throw this.checkError;
    return this.assigned;
  }

  async #download(): Promise<void> {
    this.downloads += 1;
    await this.#line();
    throw this.downloadError;
  }

  async #line(): Promise<void> {
    await Promise.resolve();
    if (this.error !== undefined) throw this.error;
  }
}

test('as long as nothing changes, a poll is all', async (t) => {
  const bench = new Bench(t);
  await bench.settle();
  assert.deepEqual([bench.polls, bench.checks, bench.states], [1, 0, ['idle']]);
  await bench.advance(99_000);
  assert.equal(bench.polls, 1);
  await bench.advance(1_000);
  assert.deepEqual([bench.polls, bench.checks], [2, 0]);
});

test('a notice is a poll at once', async (t) => {
  const bench = new Bench(t);
  await bench.settle();
  bench.agent.wake();
  await bench.settle();
  assert.equal(bench.polls, 2);
});

test('offline it comes again, later and later; reports wait in their order', async (t) => {
  const bench = new Bench(t);
  bench.error = OFFLINE;
  await bench.settle();
  await bench.advance(POLL_BACK_OFF.capMs);
  await bench.advance(POLL_BACK_OFF.capMs);
  const pauses = bench.failures.map(([, retryInMs]) => retryInMs);
  assert.deepEqual(pauses.slice(0, 3), [2_500, 5_000, 10_000]);
  assert.deepEqual(bench.states, []);
  bench.error = undefined;
  bench.agent.wake();
  await bench.settle();
  assert.deepEqual(bench.states, ['idle']);
});

test('a download that fails of the line goes on; of anything else, it is over', async (t) => {
  const bench = new Bench(t);
  bench.assign(V2, 2, 'r1');
  bench.downloadError = OFFLINE;
  await bench.settle();
  assert.equal(bench.downloads, 1);
  bench.agent.wake();
  await bench.settle();
  assert.equal(bench.downloads, 2);
  assert.deepEqual(bench.states, ['idle', 'downloading']);
  bench.downloadError = new DeviceError('E_DEVICE_UPDATE_IMAGE', { message: 'Altered.', fix: '' });
  bench.agent.wake();
  await bench.settle();
  assert.deepEqual(bench.states, ['idle', 'downloading', 'failed']);
  assert.equal(bench.reports.at(-1)?.why, 'Altered.');
});

test('what is assigned between poll and metadata ends as what it is', async (t) => {
  const bench = new Bench(t);
  await bench.settle();
  bench.assign(V2, 2, 'r1');
  bench.downloadError = new DeviceError('E_DEVICE_UPDATE_IMAGE', { message: 'Altered.', fix: '' });
  bench.afterPoll = () => bench.assign(Buffer.from('version 3'), 3, 'r2');
  bench.agent.wake();
  await bench.settle();
  assert.deepEqual(bench.states, ['idle', 'downloading', 'failed']);
  bench.agent.wake();
  await bench.settle();
  assert.equal(bench.downloads, 1, 'it is not begun again for its own assignment');
});

test('what failed is not begun again until it is assigned anew', async (t) => {
  const bench = new Bench(t);
  bench.assign(V2, 0, 'r1');
  await bench.settle();
  assert.deepEqual(bench.states, ['idle', 'failed']);
  for (let n = 0; n < 3; n += 1) await bench.advance(200_000);
  assert.deepEqual([bench.states, bench.checks], [['idle', 'failed'], 1]);
  bench.revision = 'r2';
  await bench.advance(200_000);
  assert.equal(bench.checks, 2);
  assert.deepEqual(bench.states, ['idle', 'failed', 'failed']);
});

test('metadata that are not accepted are reported once, and looked at again', async (t) => {
  const bench = new Bench(t);
  bench.assign(V2, 2, 'r1');
  bench.checkError = FORGED;
  await bench.settle();
  for (let n = 0; n < 3; n += 1) await bench.advance(200_000);
  assert.deepEqual(bench.states, ['idle', 'failed']);
  assert.equal(bench.reports[1]?.release, 'thermo@2.0.0');
  assert.ok(bench.checks >= 3);
  bench.checkError = undefined;
  bench.downloadError = OFFLINE;
  bench.agent.wake();
  await bench.settle();
  assert.deepEqual(bench.states, ['idle', 'failed', 'downloading']);
});

test('a release that is taken back while it is downloaded is given up', async (t) => {
  const bench = new Bench(t);
  bench.assign(V2, 2, 'r1');
  bench.downloadError = OFFLINE;
  await bench.settle();
  bench.assigned = undefined;
  bench.revision = 'r2';
  bench.agent.wake();
  await bench.settle();
  assert.deepEqual(bench.states, ['idle', 'downloading', 'failed']);
  assert.match(bench.reports.at(-1)?.why ?? '', /not assign/u);
});
