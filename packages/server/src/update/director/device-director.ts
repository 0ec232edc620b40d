/** The director: tells each device what it is to run, in metadata that are for it alone. @module */
import { createHash } from 'node:crypto';
import { type Published, type Release, keysOfRole } from '@holdfast/firmware';
import type { DeviceId } from '@holdfast/protocol';
import type { Act, RecordAct } from '../../audit/index.ts';
import { type Clock, Fault } from '../../kernel/index.ts';
import type { SealedStore } from '../../persistence/index.ts';
import type { OnlineKey, OnlineKeys, OnlineRole } from '../online-keys.ts';
import type { AssignedBy, Director } from '../ports.ts';
import type { VersionSequence } from '../version-sequence.ts';
import { type Assignment, type AssignmentChange, Assignments } from './assignments.ts';
import { type AnswerFiles, makeAnswer } from './device-answer.ts';
import { ANSWERS_REMEMBERED_MAX, ANSWER_LIFE_MS, ANSWER_RENEW_MS } from './limits.ts';

/** What the director reads of the repository. */
export interface DirectorSources {
  readonly published: Published;
  byId(id: string): Release | undefined;
  /** A file of the director that is for all devices: its roots. */
  rootFile(name: string): Uint8Array | undefined;
}

/** What the director needs. */
export interface DirectorDeps {
  readonly clock: Clock;
  readonly store: Pick<SealedStore, 'collection' | 'transaction'>;
  readonly recordAct: RecordAct;
  readonly keys: OnlineKeys;
  readonly versions: VersionSequence;
  readonly sources: DirectorSources;
}

/** Hears that something was assigned to a device. */
export type OnAssign = (device: DeviceId) => void;

/** An answer that was signed, and the one before, which a device may be in the middle of. */
interface Answer {
  readonly about: string;
  readonly version: number;
  readonly madeMs: number;
  readonly files: AnswerFiles;
  readonly before: AnswerFiles | undefined;
}

const SERVER: AssignedBy = { principal: 'server' };
const ROOT_FILE = /^(?:\d+\.)?root\.json$/u;

/** The director of one server. What it says is signed when a device asks for it, and remembered. */
export class DeviceDirector implements Director {
  readonly #deps: DirectorDeps;
  readonly #assignments: Assignments;
  readonly #answers = new Map<string, Answer>();
  readonly #digests = new WeakMap<Release, string>();
  readonly #listeners = new Set<OnAssign>();
  #signatures = 0;

  constructor(deps: DirectorDeps) {
    this.#deps = deps;
    this.#assignments = new Assignments(deps.store);
  }

  /** Signatures since the start. */
  get signatures(): number {
    return this.#signatures;
  }

  assign(device: DeviceId, release: Release | undefined, by?: AssignedBy): Promise<void> {
    return this.assignMany([device], release, by);
  }

  async assignMany(
    devices: readonly DeviceId[],
    release: Release | undefined,
    by = SERVER,
  ): Promise<void> {
    const { recordAct, clock } = this.#deps;
    const changes = devices
      .filter((device) => this.#isChange(device, release))
      .map((device): AssignmentChange => ({ device, release }));
    await Promise.all(
      changes.map(({ device }) => {
        const { principal, reason } = by;
        const before = this.#assignments.of(device)?.release;
        const facts = { release: release?.id ?? 'none', sha256: release?.sha256, before };
        const act: Act = { action: 'update.assign', principal, target: device, reason, facts };
        return recordAct(act);
      }),
    );
    this.#assignments.change(changes, { atMs: clock.nowMs(), by: by.principal });
    for (const listener of this.#listeners) for (const device of devices) listener(device);
  }

  /**
   * Calls `listener` for each device that is assigned something, be it what it had before, until
   * the returned function is called.
   */
  onAssign(listener: OnAssign): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  assigned(device: DeviceId): Release | undefined {
    const assignment = this.#assignments.of(device);
    const release = assignment && this.#deps.sources.byId(assignment.release);
    // What people have taken back, or put another file in the place of, is not told any more.
    return release?.sha256 === assignment?.sha256 ? release : undefined;
  }

  /** What was assigned to a device, also where that release is gone. */
  assignment(device: string): Assignment | undefined {
    return this.#assignments.of(device);
  }

  /** What was assigned to all devices. */
  assignments(): Iterable<Assignment> {
    return this.#assignments.all();
  }

  revision(device: DeviceId): string {
    const { image, director } = this.#deps.sources.published;
    const release = this.assigned(device);
    const what = release === undefined ? 'none' : this.#digestOf(release);
    return `${image?.signed.version ?? 0}-${director?.signed.version ?? 0}-${what}`;
  }

  metadata(device: DeviceId, name: string): Uint8Array | undefined {
    const { sources } = this.#deps;
    if (ROOT_FILE.test(name)) return sources.rootFile(name);
    const answer = this.#answers.get(device);
    if (name === 'timestamp.json') return this.#current(device, answer)?.files.get(name);
    return answer?.files.get(name) ?? answer?.before?.get(name);
  }

  /** Forgets what was said to a device. */
  forget(device: string): void {
    const answer = this.#answers.get(device);
    if (answer === undefined) return;
    this.#answers.delete(device);
    // Its next answer must have a higher version, which nobody remembers any more.
    this.#deps.versions.forget(answer.version);
  }

  #isChange(device: string, release: Release | undefined): boolean {
    const now = this.#assignments.of(device);
    return now?.release !== release?.id || now?.sha256 !== release?.sha256;
  }

  #current(device: DeviceId, known: Answer | undefined): Answer | undefined {
    const about = this.revision(device);
    const ageMs = this.#deps.clock.nowMs() - (known?.madeMs ?? 0);
    // A clock that was ahead made what would be good for too long.
    const isFresh = ageMs >= 0 && ageMs < ANSWER_RENEW_MS;
    if (known !== undefined && known.about === about && isFresh) return known;
    const { director } = this.#deps.sources.published;
    if (director === undefined) return undefined;
    const { clock, versions } = this.#deps;
    const madeMs = clock.nowMs();
    const version = versions.next(known?.version ?? 0);
    const expiresMs = madeMs + ANSWER_LIFE_MS;
    const release = this.assigned(device);
    const keys = this.#keysOf(director);
    const files = makeAnswer({ device, release, version, expiresMs, keys });
    this.#signatures += files.size;
    const answer = { about, version, madeMs, files, before: known?.files };
    this.#remember(device, answer);
    return answer;
  }

  #remember(device: string, answer: Answer): void {
    this.#answers.delete(device);
    this.#answers.set(device, answer);
    if (this.#answers.size <= ANSWERS_REMEMBERED_MAX) return;
    const [oldest = device] = this.#answers.keys();
    this.forget(oldest);
  }

  #keysOf(root: NonNullable<Published['director']>): Record<OnlineRole, OnlineKey> {
    const key = (role: OnlineRole): OnlineKey => {
      const { keys } = keysOfRole(root.signed, role);
      const ours = keys.flatMap(({ keyID }) => this.#deps.keys.byId(keyID) ?? []);
      const [newest] = ours.toSorted((a, b) => b.generation - a.generation);
      if (newest === undefined) throw noKeyFault(role);
      return newest;
    };
    return { targets: key('targets'), snapshot: key('snapshot'), timestamp: key('timestamp') };
  }

  /** The whole of what is said of a release: a delta that was added makes another revision. */
  #digestOf(release: Release): string {
    const known = this.#digests.get(release);
    if (known !== undefined) return known;
    const hash = createHash('sha256').update(JSON.stringify(release)).digest('hex');
    const digest = hash.slice(0, DIGEST_CHARACTERS);
    this.#digests.set(release, digest);
    return digest;
  }
}

function noKeyFault(role: string): Fault {
  return new Fault({
    code: 'E_UPDATE_ONLINE_KEY',
    what: `The root of the director names no key of this server for ${role}.`,
    fix: 'Make new keys, and sign roots that name them: holdfast fw key rotate --online.',
  });
}

/** 128 bits. */
const DIGEST_CHARACTERS = 32;
