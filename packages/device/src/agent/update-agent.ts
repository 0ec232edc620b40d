/** The agent: asks for updates, installs them, and comes back by itself. @module */
import type { UpdateState } from '@holdfast/firmware';
import { BackOff } from '../back-off.ts';
import type { Clock, RandomFraction } from '../clock.ts';
import { type Installer, type Progress, isPassing } from './installer.ts';
import { POLL_BACK_OFF, POLL_JITTER, POLL_S, RESTART_MS_MAX } from './limits.ts';
import type { ReportSender } from './report-sender.ts';
import type { UpdateJournal } from './update-journal.ts';
import { RESTING } from './update-record.ts';
import type { Assignment, UpdateServer } from './update-server.ts';
import type { UpdateSource } from './update-source.ts';

/** What an agent works with. */
export interface UpdateAgentDeps {
  readonly clock: Clock;
  readonly random: RandomFraction;
  readonly journal: UpdateJournal;
  readonly installer: Installer;
  readonly server: Pick<UpdateServer, 'poll' | 'report'>;
  readonly source: Pick<UpdateSource, 'check'>;
  readonly reports: ReportSender;
  /** Hears of each step that failed, and when it is tried again. */
  readonly onFailure: (error: unknown, retryInMs: number) => void;
}

/** What comes next, after how many milliseconds. */
interface Plan {
  readonly next: 'resume' | 'look';
  readonly waitMs: number;
}

/** One device's agent. */
export class UpdateAgent {
  readonly #deps: UpdateAgentDeps;
  #backOff: BackOff;
  #assignment: Assignment | undefined;
  /** What is assigned was looked into; nothing is to be done until it changes. */
  #isSettled = false;
  #isWoken = false;
  #isStopped = false;
  #endRest: () => void = () => {};

  constructor(deps: UpdateAgentDeps) {
    this.#deps = deps;
    this.#backOff = new BackOff(deps.random, POLL_BACK_OFF);
    deps.journal.onReport(() => void deps.reports.flush());
  }

  /** Runs until {@link UpdateAgent.stop}. What fails is tried again. */
  async run(): Promise<void> {
    let plan: Plan = { next: 'resume', waitMs: 0 };
    while (!this.#isStopped) {
      plan = await this.#step(plan.next);
      await this.#rest(plan.waitMs);
    }
  }

  /** Lets the agent ask at once: a notice came that something is assigned. */
  wake(): void {
    this.#isWoken = true;
    this.#endRest();
  }

  /** Lets {@link UpdateAgent.run} end after the step that it is at. */
  stop(): void {
    this.#isStopped = true;
    this.#endRest();
  }

  /**
   * Finishes what the last start left, then asks and installs, once.
   * @throws what it failed of; a later call goes on where this one stopped
   */
  async once(): Promise<Progress> {
    const resumed = await this.#deps.installer.resume();
    return resumed === 'restarting' ? resumed : await this.#look();
  }

  async #step(next: Plan['next']): Promise<Plan> {
    try {
      const progress = next === 'resume' ? await this.once() : await this.#look();
      this.#backOff = new BackOff(this.#deps.random, POLL_BACK_OFF);
      if (progress === 'restarting') return { next: 'resume', waitMs: RESTART_MS_MAX };
      return { next: 'look', waitMs: this.#pollMs() };
    } catch (error) {
      return this.#afterFailure(error);
    }
  }

  #afterFailure(error: unknown): Plan {
    const { journal, installer, onFailure } = this.#deps;
    const retryInMs = this.#backOff.delayMs(-1);
    onFailure(error, retryInMs);
    const { state } = journal.record.update;
    if (INTERRUPTIBLE.has(state) && !isPassing(error)) {
      try {
        installer.fail(wordsOf(error));
      } catch (failure) {
        onFailure(failure, retryInMs);
      }
    }
    const isAtRest = RESTING.has(journal.record.update.state) || state === 'downloading';
    return { next: isAtRest ? 'look' : 'resume', waitMs: retryInMs };
  }

  async #look(): Promise<Progress> {
    const { server, reports, journal } = this.#deps;
    const changed = await server.poll();
    void reports.flush();
    if (changed !== undefined) {
      this.#assignment = changed;
      this.#isSettled = false;
    }
    const { update } = journal.record;
    if (this.#assignment === undefined || this.#isSettled) return 'resting';
    const { revision, release } = this.#assignment;
    // It ended for this very assignment, and would end so again.
    const isEnded = HOPELESS.has(update.state) && update.revision === revision;
    const progress =
      release === undefined
        ? this.#withdrawn()
        : isEnded
          ? 'resting'
          : await this.#take(release, revision);
    this.#isSettled = progress === 'resting';
    return progress;
  }

  async #take(release: string, revision: string): Promise<Progress> {
    const { source, installer, journal } = this.#deps;
    try {
      const found = await source.check(journal.record.confirmed.counter);
      if (found === undefined) return this.#withdrawn();
      const known = found.release.id === release ? revision : await this.#revisionSince(revision);
      return await installer.begin(found, known);
    } catch (error) {
      this.#tellRefusal(error, release);
      throw error;
    }
  }

  /** Something else was assigned between the poll and the metadata: what ends is that. */
  async #revisionSince(before: string): Promise<string> {
    const changed = await this.#deps.server.poll();
    if (changed === undefined) return before;
    this.#assignment = changed;
    return changed.revision;
  }

  /** Metadata that are not accepted are reported once, and looked at again: they may become good. */
  #tellRefusal(error: unknown, offered: string): void {
    const { update } = this.#deps.journal.record;
    if (isPassing(error) || !RESTING.has(update.state)) return;
    const why = wordsOf(error);
    if (update.state === 'failed' && update.why === why) return;
    this.#deps.installer.fail(why, { offered, image: undefined, revision: undefined });
  }

  #withdrawn(): Progress {
    const { journal, installer } = this.#deps;
    if (journal.record.update.state !== 'downloading') return 'resting';
    return installer.fail('the server does not assign it any more');
  }

  #pollMs(): number {
    const pollMs = this.#assignment?.pollMs ?? POLL_S.default * 1000;
    return Math.round(pollMs * (1 - POLL_JITTER + 2 * POLL_JITTER * this.#deps.random()));
  }

  #rest(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isWoken || this.#isStopped) {
        this.#isWoken = false;
        resolve();
        return;
      }
      const cancel = this.#deps.clock.after(waitMs, () => this.#endRest());
      this.#endRest = () => {
        cancel();
        this.#isWoken = false;
        this.#endRest = () => {};
        resolve();
      };
    });
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it failed';
}

/** States that a failure may end: nothing of the boot loader is changed yet. */
const INTERRUPTIBLE: ReadonlySet<UpdateState> = new Set<UpdateState>([
  'downloading',
  'verified',
  'staged',
]);

const HOPELESS: ReadonlySet<UpdateState> = new Set<UpdateState>(['failed', 'reverted']);
