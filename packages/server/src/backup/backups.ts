/** The backups of one server: made on demand and by schedule, and reached by every erasure. @module */
import { statSync } from 'node:fs';
import { Refusal, refuse } from '@holdfast/protocol';
import type { RecordAct } from '../audit/index.ts';
import type { Bucket } from '../buckets/index.ts';
import type { KeyHandle } from '../crypto/index.ts';
import {
  type CancelTimer,
  type Clock,
  Fault,
  type Log,
  type RandomBytes,
  sleep,
  systemClock,
} from '../kernel/index.ts';
import type { SealedStore } from '../persistence/index.ts';
import type { ArtifactSource } from './artifact-source.ts';
import { BackupKey } from './backup-key.ts';
import { BackupRecords, type Drill, type Schedule } from './destinations.ts';
import { KeysKeeper } from './keys-keeper.ts';
import type { Erasure } from './keys-object.ts';
import {
  BRING_WAIT_MS_MAX,
  DESTINATIONS_MAX,
  KEYS_CHECK_MS,
  STOP_WAIT_MS_MAX,
  TICK_MS,
} from './limits.ts';
import { type BackupProgress, type MadeBackup, makeBackup } from './make-backup.ts';
import type { DatabaseName } from './manifest.ts';
import { type BackupsThere, type Pruned, listBackups, pruneBackups } from './prune.ts';

/** What backups need from the rest of the server. */
export interface BackupsDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly recordAct: RecordAct;
  readonly store: SealedStore;
  readonly paths: Readonly<Record<DatabaseName, string>>;
  readonly artifacts: ArtifactSource;
  readonly custodyPath: string;
  /** How the keys are kept, for people. */
  readonly custody: string;
  readonly software: string;
  readonly origin: { readonly origin: string; readonly verifierKey: string };
  readonly signer: KeyHandle;
  /** Opens a destination by its name; a Refusal when there is none of that form. */
  readonly openBucket: (name: string) => Promise<Bucket | Refusal>;
  /** Why nothing new may be put there; without it, anything may. */
  readonly judgeBucket?: ((name: string) => Promise<Refusal | undefined>) | undefined;
  readonly countBackup: (outcome: 'success' | 'failure') => void;
}

/** A backup that is being made, or the last one that was. */
export interface BackupRun {
  readonly to: string;
  readonly startedAtMs: number;
  readonly progress: BackupProgress;
  readonly outcome?: { readonly made: MadeBackup } | { readonly failure: string } | undefined;
}

/** Makes backups, one at a time. */
export class Backups {
  readonly records: BackupRecords;
  readonly keys: KeysKeeper;
  readonly #deps: BackupsDeps;
  readonly #abort = new AbortController();
  #run: BackupRun | undefined;
  /** What is under way at the destinations; one thing at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  #cancelTick: CancelTimer | undefined;
  #keysCheckedMs = -Infinity;

  constructor(deps: BackupsDeps) {
    this.#deps = deps;
    const { clock, random, store, paths, custodyPath, origin, signer } = deps;
    this.records = new BackupRecords(store);
    this.keys = new KeysKeeper({
      clock,
      random,
      records: this.records,
      registryPath: paths.registry,
      custodyPath,
      log: origin,
      signer,
      key: () => this.#key(),
      open: (name) => this.#open(name),
    });
  }

  /** The run under way, or the last one since the start. */
  get run(): BackupRun | undefined {
    return this.#run;
  }

  get isRunning(): boolean {
    return this.#run !== undefined && this.#run.outcome === undefined;
  }

  /** Begins to look whether a backup is due, and whether keys wait for a destination. */
  start(): void {
    this.#cancelTick ??= this.#deps.clock.after(TICK_MS, () => {
      this.#cancelTick = undefined;
      void this.#tick().finally(() => {
        if (!this.#abort.signal.aborted) this.start();
      });
    });
  }

  /** Ends what is under way. A backup goes on where it was when it is made again. */
  async stop(): Promise<void> {
    this.#cancelTick?.();
    this.#abort.abort();
    // A slow destination must not take the time in which the log is closed.
    await Promise.race([this.#turn, sleep(systemClock, STOP_WAIT_MS_MAX)]);
  }

  /**
   * Begins a backup. `made` rejects with a Fault when it cannot be finished; that is on the log
   * then, and seen in the status.
   */
  async make(to: string, by: string): Promise<{ made: Promise<MadeBackup> } | Refusal> {
    const refusal = await this.refusalOf(to);
    if (refusal !== undefined) return refusal;
    if (this.isRunning) return refuse('E_OPERATE_CONFLICT', 'A backup is being made.');
    const totalBytes = this.#totalBytes();
    const startedAtMs = this.#deps.clock.nowMs();
    const progress = { bytes: 0, newBytes: 0, totalBytes };
    this.#run = { to, startedAtMs, progress };
    const made = this.#inTurn(() => this.#make(to, by, totalBytes));
    // Whoever does not wait for it sees its failure in the status.
    made.catch(() => {});
    return { made };
  }

  /** Why there can be no backup to a destination of this name. */
  async refusalOf(to: string): Promise<Refusal | undefined> {
    const destinations = this.records.destinations.all();
    const isKnown = destinations.some(({ name }) => name === to);
    if (!isKnown && destinations.length >= DESTINATIONS_MAX) {
      return refuse('E_OPERATE_CONFLICT', `There are ${DESTINATIONS_MAX} destinations already.`);
    }
    const bucket = await this.#deps.openBucket(to);
    return bucket instanceof Refusal ? bucket : this.#deps.judgeBucket?.(to);
  }

  /** The backups of a destination, the oldest first. */
  async list(from: string): Promise<BackupsThere> {
    return listBackups(await this.#open(from), this.#deps.origin.verifierKey);
  }

  /** Removes all but the newest of a destination. */
  prune(from: string, keep: number): Promise<Pruned> {
    return this.#inTurn(async () => {
      const bucket = await this.#open(from);
      await this.keys.requireOwn(from, bucket);
      const { verifierKey } = this.#deps.origin;
      const { keyring } = this.#deps.store;
      const keyOf = (ref: number): BackupKey => new BackupKey(ref, keyring.byRef(ref).key);
      return pruneBackups(bucket, { keep, verifierKey, keyOf });
    });
  }

  /** Forgets a destination: erasures reach it no more. */
  forget(name: string): void {
    this.records.destinations.remove(name);
  }

  setSchedule(schedule: Schedule | undefined): void {
    this.records.change({ schedule, triedAtMs: undefined });
  }

  /** Where artifacts are kept, undefined for the data folder; and whether backups leave them out. */
  get artifacts(): { readonly place: string | undefined; readonly isLeftOut: boolean } {
    const { place } = this.#deps.artifacts;
    // Decided of one bucket, it holds for no other: what nobody has thought of is copied.
    const isLeftOut = place !== undefined && this.records.settings.artifactsLeftOut === place;
    return { place, isLeftOut };
  }

  /** Why artifacts cannot be left out: nothing else copies the data folder. */
  refusalToLeaveOut(): Refusal | undefined {
    if (this.artifacts.place !== undefined) return undefined;
    const detail = 'Artifacts are in the data folder, of which backups are the only copies.';
    return refuse('E_OPERATE_CONFLICT', detail);
  }

  /** From the next backup on. Asks {@link refusalToLeaveOut} first. */
  leaveOutArtifacts(isLeftOut: boolean): void {
    const artifactsLeftOut = isLeftOut ? this.artifacts.place : undefined;
    this.records.change({ artifactsLeftOut });
  }

  noteDrill(drill: Drill): void {
    this.records.change({ lastDrill: drill });
  }

  /** Remembers an erasure, and brings it to all destinations. Gives those that it has not reached. */
  async erase(erasure: Erasure): Promise<string[]> {
    this.records.addErasure(erasure);
    return this.bringKeys();
  }

  /**
   * Brings the keys to all destinations that are behind; gives those that still are after a while.
   * A slow one is not waited for, and not given up either.
   */
  async bringKeys(): Promise<string[]> {
    const { clock } = this.#deps;
    await Promise.race([this.keys.bringAll(), sleep(clock, BRING_WAIT_MS_MAX)]);
    return this.keys.pending().map(({ name }) => name);
  }

  async #make(to: string, by: string, totalBytes: number): Promise<MadeBackup> {
    const { clock, random, recordAct, countBackup, log } = this.#deps;
    try {
      const bucket = await this.#open(to);
      await this.keys.requireOwn(to, bucket);
      // From now on erasures know of it.
      const { destinations } = this.records;
      if (destinations.read(to) === undefined) {
        destinations.write(to, { name: to, sequence: 0, keysState: '' });
      }
      const source = this.#source();
      const { isLeftOut } = this.artifacts;
      const made = await makeBackup({
        ...source,
        artifacts: { ...this.#deps.artifacts, isLeftOut },
        bucket,
        totalBytes,
        clock,
        random,
        bringKeys: () => this.keys.bring(to, bucket),
        onProgress: (progress) => {
          // A little late: what a crash leaves out is less than what was counted ahead.
          const sealed = progress.newBytes - (this.#run?.progress.newBytes ?? 0);
          if (sealed > 0) source.dataKey.spend(sealed);
          this.#note({ progress });
        },
        signal: this.#abort.signal,
      });
      const { checkpoint: _checkpoint, ...lastBackup } = made;
      const now = destinations.read(to);
      if (now !== undefined) {
        const { failure: _failure, ...kept } = now;
        destinations.write(to, { ...kept, lastBackup });
      }
      const { id, bytes, newBytes, artifacts } = made;
      const facts = { backup: id, bytes, newBytes, artifacts, checkpoint: made.checkpoint };
      await recordAct({ action: 'backup.make', principal: by, target: to, facts });
      countBackup('success');
      this.#note({ outcome: { made } });
      return made;
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      this.keys.noteFailure(to, error);
      countBackup('failure');
      this.#note({ outcome: { failure: what } });
      const event = { 'event.action': 'backup.make', 'event.outcome': 'failure' };
      log.error({ ...event, 'error.message': what }, 'a backup could not be made');
      const facts = { why: what.slice(0, WHY_CHARACTERS) };
      if (!this.#abort.signal.aborted) {
        await recordAct({ action: 'backup.fail', principal: by, target: to, facts });
      }
      throw error;
    }
  }

  #source(): Pick<Parameters<typeof makeBackup>[0], 'paths' | 'dataKey' | 'signer' | 'head'> {
    const { store, paths, signer, software, custody, origin } = this.#deps;
    const { rows, columns } = this.keys.tables().key_encryption_key;
    const version = columns.indexOf('version');
    const kekVersion = Math.max(...rows.map((row) => Number(row[version])));
    const head = { software, ...origin, custody, kekVersion };
    return { paths, dataKey: store.keyring.only('backup'), signer, head };
  }

  async #tick(): Promise<void> {
    try {
      await this.#checkKeys();
      if (this.keys.pending().length > 0) await this.bringKeys();
      const { schedule, triedAtMs = 0 } = this.records.settings;
      if (schedule === undefined || this.isRunning) return;
      const nowMs = this.#deps.clock.nowMs();
      const lastMs = this.records.destinations.read(schedule.to)?.lastBackup?.atMs ?? 0;
      // One that failed is tried again after a quarter of the time, not with each tick.
      const { everyMs } = schedule;
      if (!hasPassed(everyMs, lastMs, nowMs) || !hasPassed(everyMs / 4, triedAtMs, nowMs)) return;
      this.records.change({ triedAtMs: nowMs });
      const begun = await this.make(schedule.to, 'server');
      if (begun instanceof Refusal) await this.#noteRefused(schedule.to, begun);
      else await begun.made;
    } catch (error) {
      const event = { 'event.action': 'backup-tick', 'event.outcome': 'failure' };
      this.#deps.log.error({ ...event, 'error.message': String(error) }, 'no backup by schedule');
    }
  }

  /** Keys that were put back are on the log, and replaced with those that are behind. */
  async #checkKeys(): Promise<void> {
    const { clock, log, recordAct } = this.#deps;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#keysCheckedMs < KEYS_CHECK_MS) return;
    this.#keysCheckedMs = nowMs;
    const checked = this.keys.findReplaced(async ({ name, found, wanted }) => {
      const event = { 'event.action': 'backup.keys-replaced', 'event.outcome': 'failure' };
      log.warn({ ...event, destination: name }, 'somebody has replaced the keys of the backups');
      const facts = { found, wanted };
      await recordAct({ action: 'backup.keys-replaced', principal: 'server', target: name, facts });
    });
    await Promise.race([checked, sleep(clock, BRING_WAIT_MS_MAX)]);
  }

  /** Nobody waits for an answer to a backup by schedule: it is seen where a failed one is. */
  async #noteRefused(to: string, { detail }: Refusal): Promise<void> {
    const { log, recordAct, countBackup } = this.#deps;
    this.keys.noteFailure(to, new Error(detail));
    countBackup('failure');
    const event = { 'event.action': 'backup.make', 'event.outcome': 'failure' };
    log.error({ ...event, 'error.message': detail }, 'a backup was refused');
    const facts = { why: detail.slice(0, WHY_CHARACTERS) };
    await recordAct({ action: 'backup.fail', principal: 'server', target: to, facts });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(task, task);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #note(change: Partial<BackupRun>): void {
    if (this.#run !== undefined) this.#run = { ...this.#run, ...change };
  }

  async #open(name: string): Promise<Bucket> {
    const bucket = await this.#deps.openBucket(name);
    if (!(bucket instanceof Refusal)) return bucket;
    throw new Fault({
      code: 'E_BACKUP_DESTINATION',
      what: `${name} is no destination of backups: ${bucket.detail}`,
      fix: 'Name it as folder:/path or s3://bucket/prefix.',
    });
  }

  #key(): BackupKey {
    const { ref, key } = this.#deps.store.keyring.only('backup');
    return new BackupKey(ref, key);
  }

  #totalBytes(): number {
    const sizes = Object.values(this.#deps.paths).map(
      (path) => statSync(path, { throwIfNoEntry: false })?.size ?? 0,
    );
    const artifacts = this.artifacts.isLeftOut ? 0 : this.#deps.artifacts.totalBytes();
    return sizes.reduce((sum, size) => sum + size, artifacts);
  }
}

/** Whether a span has passed; a time ahead is that of a clock which was wrong. */
export function hasPassed(spanMs: number, sinceMs: number, nowMs: number): boolean {
  return nowMs - sinceMs >= spanMs || sinceMs > nowMs;
}

const WHY_CHARACTERS = 500;
