/** Takes an update through its states, each of them on the disk before it is acted on. @module */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { DeviceError } from '../device-error.ts';
import type { AgentDisk } from './agent-disk.ts';
import { type BootVerdict, judgeBoot } from './boot-verdict.ts';
import { type CounterRule, judgeCounter } from './counter-rule.ts';
import { type Slots, inactiveSlot } from './slots.ts';
import type { TrialResult } from './trial.ts';
import type { UpdateJournal } from './update-journal.ts';
import { type CurrentUpdate, RESTING, type UpdateImage, imageOf } from './update-record.ts';
import type { UpdateSource, VerifiedUpdate } from './update-source.ts';

/** What the installer works with. */
export interface InstallerDeps {
  readonly journal: UpdateJournal;
  readonly slots: Slots;
  readonly disk: AgentDisk;
  readonly source: Pick<UpdateSource, 'download'>;
  /** Where the download is kept until it is in a slot. */
  readonly staging: string;
  readonly tries: number;
  readonly sameCounter: CounterRule;
  /** Whether the server can be reached now. */
  readonly canConnect: () => Promise<boolean>;
  readonly trial: (couldConnect: boolean) => Promise<TrialResult>;
  /** Restarts the device, or the supervised program; the process may not outlive it. */
  readonly restart: () => Promise<void>;
}

/** How far it came: nothing is to be done, a download goes on later, or a restart is under way. */
export type Progress = 'resting' | 'downloading' | 'restarting';

/** The update of one device. */
export class Installer {
  readonly #deps: InstallerDeps;

  constructor(deps: InstallerDeps) {
    this.#deps = deps;
  }

  get update(): CurrentUpdate {
    return this.#deps.journal.record.update;
  }

  /** After each start of the agent: finds out what happened, and goes on. */
  async resume(): Promise<Progress> {
    const { slots, tries } = this.#deps;
    const { update } = this;
    const facts = { update, tries, running: slots.running(), boot: slots.boot() };
    return await this.#obey(judgeBoot(facts));
  }

  /**
   * Takes up an update, unless it is what runs already, or goes on with its download.
   * @param revision - what the server calls its assignment
   * @throws DeviceError when the download fails of the connection: it can be called again
   */
  async begin(found: VerifiedUpdate, revision: string | undefined): Promise<Progress> {
    const { journal, sameCounter, disk, staging } = this.#deps;
    const image = imageOf(found.release);
    const { confirmed, update } = journal.record;
    const isGoingOn = update.state === 'downloading' && update.image?.sha256 === image.sha256;
    if (!isGoingOn) {
      const why = judgeCounter(confirmed, { image, rule: sameCounter });
      const next = { image, revision, couldConnect: false, restarts: 0 };
      if (why === 'same-image') {
        if (update.state === 'downloading') journal.enter({ ...next, state: 'idle' });
        return 'resting';
      }
      // Of the download of another image, which is of no use for this one.
      disk.remove(staging);
      journal.enter({ ...next, state: why === undefined ? 'downloading' : 'failed', why });
      if (why !== undefined) return 'resting';
    }
    await this.#download(found);
    return await this.#advance();
  }

  /** Ends an update that failed before it was marked. Nothing was changed that runs. */
  fail(why: string, change: Partial<CurrentUpdate> = {}): Progress {
    const { journal, disk, slots, staging } = this.#deps;
    if (slots.boot().trial !== undefined) slots.revert();
    disk.remove(staging);
    journal.enter({ ...this.update, ...change, state: 'failed', why });
    return 'resting';
  }

  async #obey(verdict: BootVerdict): Promise<Progress> {
    const { slots } = this.#deps;
    switch (verdict) {
      case 'go-on':
        return await this.#advance();
      case 'trial':
        return await this.#try();
      case 'confirmed':
        return this.#confirmed();
      case 'confirm-again':
        slots.confirm();
        return 'resting';
      case 'reverted':
        return this.#reverted();
      case 'restart':
        return await this.#restart();
      case 'never-started':
        return this.fail('the boot loader does not start the new image');
      case 'go-back':
        return await this.#goBack('an image that is not known runs on trial');
      case 'unmark':
        slots.revert();
        return await this.#advance();
    }
  }

  async #advance(): Promise<Progress> {
    const { state, image } = this.update;
    if (RESTING.has(state)) return 'resting';
    if (state === 'downloading' || image === undefined) return 'downloading';
    if (state === 'verified') return await this.#stage(image);
    return await this.#mark(image);
  }

  async #download(found: VerifiedUpdate): Promise<void> {
    const { source, slots, staging, journal } = this.#deps;
    const { sha256 } = journal.record.confirmed;
    const from =
      sha256 === undefined ? {} : { from: { path: slots.imagePath(slots.running()), sha256 } };
    await source.download(found, { path: staging, ...from });
    journal.enter({ ...this.update, state: 'verified', slot: inactiveSlot(slots) });
  }

  /** Fills the slot, and reads it back: what is marked later is what stands there. */
  async #stage(image: UpdateImage): Promise<Progress> {
    const { slots, disk, staging, journal } = this.#deps;
    // Also when the disk lost it: the download is then repeated, whole or in part.
    if (!existsSync(staging)) return this.#downloadAgain();
    const slot = inactiveSlot(slots);
    const hash = createHash('sha256');
    await slots.write(hashed(staging, hash));
    if (hash.digest('hex') !== image.sha256) {
      disk.remove(staging);
      return this.#downloadAgain();
    }
    if ((await slots.digest(slot, image.length)) !== image.sha256) {
      return this.fail(`slot ${slot} does not keep what is written to it`);
    }
    journal.enter({ ...this.update, state: 'staged', slot });
    disk.remove(staging);
    return await this.#mark(image);
  }

  #downloadAgain(): Progress {
    this.#deps.journal.enter({ ...this.update, state: 'downloading' });
    return 'downloading';
  }

  async #mark(image: UpdateImage): Promise<Progress> {
    const { slots, journal, tries, canConnect } = this.#deps;
    const slot = inactiveSlot({ running: () => slots.running(), boot: () => unmarked(slots) });
    const couldConnect = await canConnect();
    journal.enter({ ...this.update, state: 'rebooting', slot, couldConnect, restarts: 0 });
    // Read again at the last moment: it may have stood here for long.
    if ((await slots.digest(slot, image.length)) !== image.sha256) {
      return this.fail(`slot ${slot} was changed after it was verified`);
    }
    slots.markForTrial(tries);
    return await this.#restart();
  }

  async #restart(): Promise<Progress> {
    const { journal, restart } = this.#deps;
    journal.enter({ ...this.update, state: 'rebooting', restarts: this.update.restarts + 1 });
    await restart();
    return 'restarting';
  }

  async #try(): Promise<Progress> {
    const { journal, slots, trial } = this.#deps;
    try {
      if (this.update.state !== 'trial') journal.enter({ ...this.update, state: 'trial' });
    } catch {
      // An image that fills the disk is judged like any other; what ends the trial says the error.
    }
    const outcome = await trial(this.update.couldConnect);
    if (outcome.result === 'bad') return await this.#goBack(outcome.why);
    slots.confirm();
    return this.#confirmed();
  }

  /** Only now, with the image confirmed, its counter becomes the least that is accepted. */
  #confirmed(): Progress {
    const { journal } = this.#deps;
    const { image } = this.update;
    if (image === undefined) return 'resting';
    const { release, sha256, counter } = image;
    journal.enter({ ...this.update, state: 'confirmed' }, { release, sha256, counter });
    return 'resting';
  }

  async #goBack(why: string): Promise<Progress> {
    const { journal, slots, restart } = this.#deps;
    const { state } = this.update;
    try {
      if (!RESTING.has(state) && state !== 'reverting') {
        journal.enter({ ...this.update, state: 'reverting', why });
      }
      slots.revert();
    } finally {
      // Also when a disk is full or broken: each start costs the image a try of the boot loader.
      await restart();
    }
    return 'restarting';
  }

  #reverted(): Progress {
    const { journal, slots } = this.#deps;
    const why = this.update.why ?? 'the boot loader went back: the new image was not confirmed';
    if (slots.boot().trial !== undefined) slots.revert();
    journal.enter({ ...this.update, state: 'reverted', why });
    return 'resting';
  }
}

/** An own mark of before a crash does not keep the slot. */
function unmarked(slots: Slots) {
  return { ...slots.boot(), trial: undefined, tries: 0 };
}

/** Opens the file when it is read, not before: a slot may fail first, and nobody would close it. */
async function* hashed(
  path: string,
  hash: { update(chunk: Uint8Array): unknown },
): AsyncIterable<Uint8Array> {
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk);
    yield chunk;
  }
}

/** Whether a download that failed of this can simply be begun again. */
export function isPassing(error: unknown): boolean {
  return error instanceof DeviceError && PASSING.has(error.code);
}

const PASSING: ReadonlySet<string> = new Set([
  'E_DEVICE_UNREACHABLE',
  'E_DEVICE_CONNECTION',
  'E_DEVICE_REFUSED',
  'E_DEVICE_CLOCK',
  'E_DEVICE_SERVER',
  'E_DEVICE_HOST_NAME',
  'E_DEVICE_PIN',
  'E_DEVICE_UPDATE_ANSWER',
  'E_DEVICE_UPDATE_CLOCK',
  'E_DEVICE_UPDATE_SLOW',
]);
