/** The rollouts of a running server: what people do with them, and what they do by themselves. @module */
import type { Release, UpdateReport } from '@holdfast/firmware';
import { parseDeviceId, Refusal, refuse } from '@holdfast/protocol';
import { ROLLOUT_STATES, type RolloutForecast, type RolloutPlan } from '@holdfast/protocol/api';
import type { RecordAct } from '../../audit/index.ts';
import type { CancelTimer, Clock, Log } from '../../kernel/index.ts';
import type { SealedStore } from '../../persistence/index.ts';
import type { Director, Releases, UpdateReports } from '../ports.ts';
import { Assignments, type Duty } from './assignments.ts';
import { compareVersions } from './compare-versions.ts';
import type { Finding, RolloutEvent, Surroundings } from './events.ts';
import { type Fleet, type FleetDevice, exclusionOf } from './fleet.ts';
import { type Audience, audienceOf, forecastOf } from './forecast.ts';
import { type Entry, Ledger } from './ledger.ts';
import {
  ACTIVE_ROLLOUTS_MAX,
  JOIN_INTERVAL_MS,
  REASON_CHARACTERS_MAX,
  REPORT_BATCH_MS,
  ROLLOUTS_MAX,
  ROLLOUT_TICK_MS,
} from './limits.ts';
import { newHead, newRolloutId } from './new-rollout.ts';
import { type DeviceRecord, type RolloutHead, wantedOf } from './rollout-records.ts';
import { RolloutStore } from './rollout-store.ts';
import { WatchedTime } from './watched-time.ts';
import { windowProblem } from './windows.ts';

/** What rollouts need of the rest of the server. */
export interface RolloutsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<SealedStore, 'collection' | 'transaction'>;
  readonly recordAct: RecordAct;
  readonly releases: Pick<Releases, 'byId'>;
  readonly director: Pick<Director, 'assignMany' | 'assigned'>;
  readonly reports: Pick<UpdateReports, 'onReport'>;
  readonly fleet: Fleet;
}

/** What is rolled out, how, and by whom. */
export interface RolloutWish {
  readonly release: string;
  readonly plan: RolloutPlan;
  /** Principal. */
  readonly by: string;
}

/** A person, and why they do it. */
export interface Reason {
  readonly by: string;
  readonly reason: string;
}

/** What changes a rollout as a person wishes, apart from its start. */
export type RolloutAct = 'pause' | 'resume' | 'abort';

/** The right of a person to the devices: to see them, or to decide what they run. */
export type RightTo = (device: FleetDevice) => 'update' | 'read' | 'none';

/** A rollout with its devices, to be looked at. */
export interface Rollout {
  readonly head: RolloutHead;
  readonly devices: ReadonlyMap<string, DeviceRecord>;
}

/** The rollouts. Nothing moves before {@link Rollouts.open}. */
export class Rollouts {
  readonly #deps: RolloutsDeps;
  readonly #ledger: Ledger;
  readonly #assignments: Assignments;
  readonly #surroundings = new Map<Entry, Surroundings>();
  readonly #watched: WatchedTime;
  #unhear: () => void = () => {};
  #cancelTick: CancelTimer | undefined;
  #cancelFlush: CancelTimer | undefined;
  #noticing: Promise<boolean> | undefined;
  #joinedAtMs = 0;
  #isOpen = false;

  constructor(deps: RolloutsDeps) {
    this.#deps = deps;
    this.#watched = new WatchedTime(deps.clock);
    this.#ledger = new Ledger(new RolloutStore(deps.store), (entry, changed) =>
      this.#carryOut(entry, changed),
    );
    this.#assignments = new Assignments({ ...deps, dutyOf: (device) => this.#dutyOf(device) });
  }

  /** Takes up what was under way: reports that were not heard, and assignments not carried out. */
  open(): void {
    this.#isOpen = true;
    this.#watched.restart();
    this.#unhear = this.#deps.reports.onReport((device, report) => this.#hear(device, report));
    for (const entry of this.#ledger.all()) {
      for (const { device, sinceMs } of entry.devices.values()) {
        const report = this.#deps.fleet.latestReport(device);
        // An older one was of another rollout of the same release.
        if (report === undefined || report.reportedMs < sinceMs) continue;
        this.#happen(entry, reportEvent(device, report));
      }
    }
    this.#flush();
    for (const entry of this.#ledger.all()) this.#carryOut(entry, entry.devices.values());
    this.#arm();
  }

  /** Stops; what was recorded is carried out after the next start. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#unhear();
    this.#cancelTick?.();
    await this.#assignments.stop();
    await this.#noticing;
    this.#flush();
  }

  /** Newest first. */
  all(): Rollout[] {
    return this.#ledger.all().toReversed();
  }

  byId(id: string): Rollout | Refusal {
    const entry = this.#entry(id);
    return 'head' in entry ? { head: entry.head, devices: this.#ledger.devicesOf(entry) } : entry;
  }

  /** A device, as rollouts see it. */
  device(id: string): FleetDevice | undefined {
    return this.#deps.fleet.byId(id);
  }

  /** Numbers for the metrics: rollouts by state, and devices of those that have not ended. */
  counts(): { rollouts: Record<string, number>; devices: Record<string, number> } {
    const rollouts = Object.fromEntries(ROLLOUT_STATES.map((state) => [state, 0]));
    const devices: Record<string, number> = {};
    for (const { head } of this.#ledger.all()) {
      rollouts[head.state] = (rollouts[head.state] ?? 0) + 1;
      if (hasEnded(head)) continue;
      for (const tally of [...head.tallies, head.beyond]) {
        for (const [state, count] of Object.entries(tally)) {
          devices[state] = (devices[state] ?? 0) + count;
        }
      }
    }
    return { rollouts, devices };
  }

  /** Releases that a rollout brings or may go back to, as long as anything of it is to be done. */
  releasesInUse(): Set<string> {
    const used = new Set<string>();
    for (const entry of this.#ledger.all()) {
      if (hasEnded(entry.head) && !isOwing(entry)) continue;
      used.add(entry.head.release);
      for (const { before } of entry.devices.values()) if (before !== undefined) used.add(before);
    }
    return used;
  }

  /** Who would get a release, and who would not: by the id that the next rollout has. */
  forecast({ release: id, plan }: RolloutWish, right: RightTo): RolloutForecast | Refusal {
    const release = this.#releaseOf(id, plan);
    if (!('path' in release)) return release;
    const rollout = this.#newId(id);
    const audience = this.#audience(plan, { release, right });
    return forecastOf(audience, { id: rollout, release: id, plan, fleet: this.#deps.fleet });
  }

  /** Makes a draft. It does nothing before it is started. */
  draft({ release, plan, by }: RolloutWish): RolloutHead | Refusal {
    const found = this.#releaseOf(release, plan);
    if (!('path' in found)) return found;
    const active = this.#ledger.all().filter(({ head }) => !hasEnded(head));
    if (active.length >= ACTIVE_ROLLOUTS_MAX) {
      const detail = `${ACTIVE_ROLLOUTS_MAX} rollouts have not ended; abort those that nobody needs.`;
      return refuse('E_OPERATE_CONFLICT', detail);
    }
    this.#forgetOldest();
    const id = this.#newId(release);
    const number = 1 + (this.#ledger.all().at(-1)?.head.number ?? 0);
    const atMs = this.#deps.clock.nowMs();
    return this.#ledger.add(newHead({ id, number, release, plan, by, atMs })).head;
  }

  /** Notes that a start waits for a second person. */
  ask(id: string, { by, reason }: Reason): Refusal | undefined {
    return this.#act(id, { kind: 'ask', by, reason });
  }

  /**
   * Starts a draft.
   * @param confirm - awaited before anything happens: puts it on the log.
   * @returns it, or a refusal: `E_OPERATE_CONFLICT` where devices are in another rollout.
   */
  async start(
    id: string,
    { by, reason, right }: Reason & { readonly right: RightTo },
    confirm: (figures: { devices: number }) => Promise<void>,
  ): Promise<RolloutHead | Refusal> {
    const entry = this.#entry(id);
    if (!('head' in entry)) return entry;
    const judged = this.#judgeStart(entry, right);
    if (!('members' in judged)) return judged;
    const number = this.#nextStart();
    const event = { kind: 'start', by, reason, number, members: judged.members } as const;
    const problem = this.#ledger.judge({ entry, event: this.#timed(event) });
    if (problem !== undefined) return problem;
    await confirm({ devices: judged.members.length });
    // The fleet may have changed while the log was written.
    const again = this.#judgeStart(entry, right);
    if (!('members' in again)) return again;
    const { members } = again;
    const refusal = this.#act(id, { ...event, number: this.#nextStart(), members });
    if (refusal === undefined) this.#withdrawElsewhere(entry, members);
    return refusal ?? entry.head;
  }

  /** What would refuse an act now. */
  judge(id: string, kind: RolloutAct, { by, reason }: Reason): Refusal | undefined {
    const entry = this.#entry(id);
    if (!('head' in entry)) return entry;
    return this.#ledger.judge({ entry, event: this.#timed({ kind, by, reason }) });
  }

  /** Does an act. What takes away holds even when it cannot be stored. @throws then. */
  act(id: string, kind: RolloutAct, { by, reason }: Reason): RolloutHead | Refusal {
    const entry = this.#entry(id);
    if (!('head' in entry)) return entry;
    const event = this.#timed({ kind, by, reason });
    const refusal =
      kind === 'resume'
        ? this.#ledger.act([{ entry, event }])
        : this.#ledger.takeAway({ entry, event });
    this.#arm();
    return refusal ?? entry.head;
  }

  /** The newer release that takes over a paused rollout, as a draft with the same plan. */
  draftForward(id: string, { release, by }: Omit<RolloutWish, 'plan'>): RolloutHead | Refusal {
    const entry = this.#entry(id);
    if (!('head' in entry)) return entry;
    const { head } = entry;
    if (head.state !== 'paused') {
      const detail = `The rollout ${id} is ${head.state}; only a paused one can roll forward.`;
      return refuse('E_OPERATE_CONFLICT', detail);
    }
    const problem = this.#newerProblem(head.release, release);
    if (problem !== undefined) return problem;
    return this.draft({ release, plan: { ...head.plan, supersedes: true }, by });
  }

  /** Ends a paused rollout in favor of a draft, which starts. Both happen, or neither. */
  async forward(
    id: string,
    { to, by, reason, right }: Reason & { readonly to: string; readonly right: RightTo },
    confirm: (figures: { devices: number }) => Promise<void>,
  ): Promise<RolloutHead | Refusal> {
    const [from, next] = [this.#entry(id), this.#entry(to)];
    if (!('head' in from)) return from;
    if (!('head' in next)) return next;
    const judged = this.#judgeStart(next, right, from);
    if (!('members' in judged)) return judged;
    await confirm({ devices: judged.members.length });
    const again = this.#judgeStart(next, right, from);
    if (!('members' in again)) return again;
    const { members } = again;
    const number = this.#nextStart();
    const refusal = this.#ledger.act([
      { entry: from, event: this.#timed({ kind: 'abort', by, reason, forwardedTo: to }) },
      { entry: next, event: this.#timed({ kind: 'start', by, reason, number, members }) },
    ]);
    if (refusal === undefined) this.#withdrawElsewhere(next, members);
    this.#arm();
    return refusal ?? next.head;
  }

  /** Removes a draft that was never started. */
  discard(id: string): void {
    const entry = this.#ledger.byId(id);
    if (entry?.head.state === 'draft') this.#ledger.remove(id);
  }

  /** The owner of a device agrees, from a time on. */
  consent(device: string, fromMs: number): RolloutHead | Refusal {
    const entry = this.#askedFor(device);
    if (!('head' in entry)) return entry;
    return this.#act(entry.head.id, { kind: 'consent', device, fromMs }) ?? entry.head;
  }

  /** What would refuse that now. */
  judgeConsent(device: string, fromMs: number): Refusal | undefined {
    const entry = this.#askedFor(device);
    if (!('head' in entry)) return entry;
    return this.#ledger.judge({ entry, event: this.#timed({ kind: 'consent', device, fromMs }) });
  }

  /** Something was found about a device; a rollout that has updated it may pause. */
  finding(device: string, finding: Finding): void {
    for (const entry of this.#ledger.all()) {
      if (!entry.devices.has(device)) continue;
      this.#happen(entry, { kind: 'finding', device, finding });
    }
    this.#flush();
  }

  /** What waits for the consent of an owner of these devices. */
  asked(devices: readonly string[]): { head: RolloutHead; record: DeviceRecord }[] {
    return this.#ledger.all().flatMap(({ head, devices: records }) => {
      if (!isActive(head)) return [];
      return devices.flatMap((device) => {
        const record = records.get(device);
        const isAsked = record?.state === 'waiting' && record.consent !== undefined;
        return isAsked ? [{ head, record }] : [];
      });
    });
  }

  /** The rollout that waits for the owner of a device. */
  #askedFor(device: string): Entry | Refusal {
    const entry = this.#ledger
      .all()
      .find((one) => isActive(one.head) && one.devices.get(device)?.consent !== undefined);
    return entry ?? refuse('E_OPERATE_NOT_FOUND', 'No update waits for this device.');
  }

  #newId(release: string): string {
    let id = newRolloutId(release, this.#ledger.all().at(-1)?.head.id ?? '');
    while (this.#ledger.byId(id) !== undefined) id = newRolloutId(release, id);
    return id;
  }

  #nextStart(): number {
    return 1 + Math.max(0, ...this.#ledger.all().map(({ head }) => head.startNumber ?? 0));
  }

  #entry(id: string): Entry | Refusal {
    return this.#ledger.byId(id) ?? refuse('E_OPERATE_NOT_FOUND', `There is no rollout ${id}.`);
  }

  #releaseOf(id: string, { windows }: Pick<RolloutPlan, 'windows'>): Release | Refusal {
    const release = this.#deps.releases.byId(id);
    if (release === undefined) {
      return refuse('E_OPERATE_NOT_FOUND', `There is no release ${id}; see holdfast fw list.`);
    }
    return windowProblem(windows) ?? release;
  }

  #newerProblem(from: string, to: string): Refusal | undefined {
    const { releases } = this.#deps;
    const [older, newer] = [releases.byId(from)?.custom, releases.byId(to)?.custom];
    if (newer === undefined) return refuse('E_OPERATE_NOT_FOUND', `There is no release ${to}.`);
    if (older === undefined) return undefined;
    const isNewer =
      newer.line === older.line &&
      newer.counter >= older.counter &&
      compareVersions(newer.version, older.version) > 0;
    if (isNewer) return undefined;
    const detail = `${to} is not newer than ${from}, of the same line: version and counter.`;
    return refuse('E_OPERATE_CONFLICT', detail);
  }

  #audience(
    plan: RolloutPlan,
    {
      release,
      right,
      own,
      former,
    }: { release: Release; right: RightTo; own?: Entry; former?: Entry },
  ): Audience {
    const { fleet } = this.#deps;
    const { supersedes } = plan;
    const bound = (device: string): string | undefined =>
      this.#boundTo(device, { except: own, former, supersedes });
    return audienceOf({ fleet, release, plan, right, bound });
  }

  /** Which other rollout a device is bound to, in words. */
  #boundTo(
    device: string,
    {
      except,
      former,
      supersedes,
    }: { except: Entry | undefined; former?: Entry | undefined; supersedes: boolean },
  ): string | undefined {
    for (const entry of this.#ledger.all()) {
      const state = entry.devices.get(device)?.state;
      if (entry === except || state === undefined) continue;
      const { id, release } = entry.head;
      const isAtWork = state === 'downloading' || state === 'staged' || state === 'trial';
      const isHung = entry.devices.get(device)?.isOverdue === true;
      if (isAtWork && !isHung) return `${device} installs ${release} (rollout ${id})`;
      const isWaiting = state === 'waiting' || state === 'offered';
      if (!isWaiting || supersedes || entry === former || !isActive(entry.head)) continue;
      return `${device} waits in the rollout ${id} of ${release}`;
    }
    return undefined;
  }

  #judgeStart(entry: Entry, right: RightTo, former?: Entry): Audience | Refusal {
    const { plan, release: id } = entry.head;
    const release = this.#releaseOf(id, plan);
    if (!('path' in release)) return release;
    const facts = { release, right, own: entry, ...(former !== undefined && { former }) };
    const audience = this.#audience(plan, facts);
    const { members, excluded } = audience;
    const bound = excluded.filter(({ exclusion }) => exclusion.code === 'other-rollout');
    const [first] = bound;
    if (first !== undefined && !plan.supersedes) {
      const others = `${bound.length} device(s) are in another rollout: ${first.exclusion.why}`;
      const fix = 'Wait for it, abort it, or start this one with --supersede.';
      return refuse('E_OPERATE_CONFLICT', `${others}. ${fix}`);
    }
    if (members.length === 0) {
      const [why] = excluded;
      const detail = why === undefined ? '' : ` For example, ${why.exclusion.why}.`;
      return refuse('E_OPERATE_CONFLICT', `No device would get ${id}.${detail}`);
    }
    return emptyStage(plan, members) ?? audience;
  }

  /** Devices that this rollout takes over wait in no other one. */
  #withdrawElsewhere(entry: Entry, members: Audience['members']): void {
    const why = `taken over by the rollout ${entry.head.id}`;
    for (const other of this.#ledger.all()) {
      if (other === entry) continue;
      const devices = members
        .filter(({ device }) => {
          const state = other.devices.get(device)?.state;
          return state === 'waiting' || state === 'offered';
        })
        .map(({ device }) => device);
      if (devices.length > 0) this.#happen(other, { kind: 'withdraw', devices, why });
    }
  }

  #forgetOldest(): void {
    const ended = this.#ledger.all().filter(({ head }) => hasEnded(head));
    const surplus = this.#ledger.all().length - ROLLOUTS_MAX + 1;
    for (const { head } of ended.slice(0, Math.max(0, surplus))) this.#ledger.remove(head.id);
  }

  #timed<E extends object>(event: E): E & { atMs: number } {
    return { ...event, atMs: this.#deps.clock.nowMs() };
  }

  #act(id: string, event: UntimedEvent): Refusal | undefined {
    const entry = this.#entry(id);
    if (!('head' in entry)) return entry;
    const refusal = this.#ledger.act([{ entry, event: this.#timed(event) }]);
    this.#arm();
    return refusal;
  }

  #happen(entry: Entry, event: UntimedEvent): void {
    this.#ledger.happen({ entry, event: this.#timed(event) });
  }

  #hear(device: string, report: UpdateReport): void {
    for (const entry of this.#ledger.all()) {
      if (entry.head.release !== report.release || !entry.devices.has(device)) continue;
      this.#happen(entry, reportEvent(device, report));
    }
    this.#flushSoon();
  }

  /** Many events, one transaction: each one waits for the disk. */
  #flushSoon(): void {
    if (!this.#ledger.isDirty || this.#cancelFlush !== undefined || !this.#isOpen) return;
    this.#cancelFlush = this.#deps.clock.after(REPORT_BATCH_MS, () => this.#flush());
  }

  /** Puts what has changed on the disk; when that fails, at the next tick again. */
  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    try {
      this.#ledger.flush();
    } catch (error) {
      const event = { 'event.action': 'rollout.store', 'event.outcome': 'failure' };
      this.#deps.log.error({ ...event, 'error.message': String(error) }, 'rollouts not stored');
    }
    this.#arm();
  }

  /** What is on the disk is done: first it is put on the log, then the director is told. */
  #carryOut(entry: Entry, changed: Iterable<DeviceRecord>): void {
    if (!this.#isOpen) return;
    const owed = [...changed].filter(({ isOwed }) => isOwed).map(({ device }) => device);
    if (entry.head.notices.length === 0) return this.#assignments.add(owed);
    this.#noticing ??= this.#recordNotices().finally(() => (this.#noticing = undefined));
    void this.#noticing.then((isRecorded) => isRecorded && this.#assignments.add(owed));
  }

  /** @returns whether all of them are on the log. */
  async #recordNotices(): Promise<boolean> {
    for (const entry of this.#ledger.all()) {
      const { id, notices } = entry.head;
      for (const { number, action, reason, facts } of notices) {
        try {
          const why = reason === undefined ? {} : { reason };
          await this.#deps.recordAct({ action, principal: 'server', target: id, ...why, facts });
        } catch (error) {
          const event = { 'event.action': action, 'event.outcome': 'failure' };
          const place = { 'rollout.id': id, 'error.message': String(error) };
          this.#deps.log.error({ ...event, ...place }, 'not recorded, and tried again');
          return false;
        }
        const event = { 'event.action': action, 'rollout.id': id, 'event.reason': reason };
        this.#deps.log.info({ ...event, ...facts }, 'a rollout has moved');
        this.#happen(entry, { kind: 'noticed', numbers: [number] });
      }
    }
    this.#flushSoon();
    return true;
  }

  /** The newest rollout that has offered something to a device is the one that counts. */
  #dutyOf(device: string): Duty | undefined {
    const entries = this.#ledger
      .all()
      .filter((entry) => entry.devices.get(device)?.wasOffered === true)
      .sort(byStart);
    const [newest] = entries;
    for (const entry of entries.slice(1)) this.#settle(entry, device);
    const record = newest?.devices.get(device);
    if (newest === undefined || record?.isOwed !== true) return undefined;
    // Nothing is done that is not on the disk; it is asked for again when it is.
    if (!this.#ledger.isDurable(newest, device)) return undefined;
    const release = wantedOf(newest.head, record);
    return {
      release,
      rollout: newest.head.id,
      done: () => {
        this.#happen(newest, { kind: 'assigned', device, release });
        this.#flushSoon();
      },
    };
  }

  #settle(entry: Entry, device: string): void {
    const record = entry.devices.get(device);
    if (record?.isOwed !== true) return;
    this.#happen(entry, { kind: 'assigned', device, release: wantedOf(entry.head, record) });
    this.#flushSoon();
  }

  #arm(): void {
    if (!this.#isOpen || this.#cancelTick !== undefined) return;
    const isBusy =
      this.#ledger.isDirty ||
      this.#ledger.all().some((entry) => isActive(entry.head) || isOwing(entry));
    if (!isBusy) return;
    this.#cancelTick = this.#deps.clock.after(ROLLOUT_TICK_MS, () => this.#tick());
  }

  #tick(): void {
    this.#cancelTick = undefined;
    this.#watched.look();
    const nowMs = this.#deps.clock.nowMs();
    const joins = Math.abs(nowMs - this.#joinedAtMs) >= JOIN_INTERVAL_MS;
    if (joins) this.#joinedAtMs = nowMs;
    for (const entry of this.#ledger.all()) {
      if (joins && isActive(entry.head)) this.#join(entry);
      const surroundings = this.#surroundingsOf(entry);
      if (entry.head.state === 'running') this.#happen(entry, { kind: 'tick', surroundings });
      else if (hasEnded(entry.head)) this.#surroundings.delete(entry);
    }
    this.#flush();
    // What failed is tried again.
    for (const entry of this.#ledger.all()) {
      if (!this.#ledger.isDirty && isOwing(entry)) this.#carryOut(entry, entry.devices.values());
    }
    this.#arm();
  }

  /** Devices that have come to the fleet, or have become fit for the release. */
  #join(entry: Entry): void {
    const { plan, release: id, startedBy = '' } = entry.head;
    const release = this.#deps.releases.byId(id);
    if (release === undefined) return;
    const right: RightTo = (device) =>
      this.#deps.fleet.mayUpdate(startedBy, device) ? 'update' : 'none';
    const { members } = this.#audience(plan, { release, right, own: entry });
    const joining = members.filter(({ device }) => {
      const record = entry.devices.get(device);
      return record === undefined || (record.state === 'skipped' && !record.wasOffered);
    });
    if (joining.length === 0) return;
    this.#withdrawElsewhere(entry, joining);
    this.#happen(entry, { kind: 'join', members: joining });
  }

  #surroundingsOf(entry: Entry): Surroundings {
    const known = this.#surroundings.get(entry);
    if (known !== undefined) return known;
    const { fleet, releases, director } = this.#deps;
    const made: Surroundings = {
      whyNot: (id) => {
        const [device, release] = [fleet.byId(id), releases.byId(entry.head.release)];
        if (device === undefined) return `${id} is not there any more`;
        if (release === undefined) return `the release ${entry.head.release} was taken back`;
        return exclusionOf(device, release)?.why;
      },
      assigned: (id) => this.#owedElsewhere(id, entry) ?? assignedBy(director, id),
      groupOf: (id) => fleet.byId(id)?.group,
      hasOwner: (id) => fleet.hasOwner(id),
      lastSeenMs: (id) => fleet.lastSeenMs(id),
      watchedMs: () => this.#watched.ms,
    };
    this.#surroundings.set(entry, made);
    return made;
  }

  /** What another rollout has told to go back to, and the director does not know yet. */
  #owedElsewhere(device: string, own: Entry): string | undefined {
    for (const entry of this.#ledger.all().sort(byStart)) {
      const record = entry === own ? undefined : entry.devices.get(device);
      if (record?.isOwed === true) return wantedOf(entry.head, record);
    }
    return undefined;
  }
}

type UntimedEvent = RolloutEvent extends infer E
  ? E extends RolloutEvent
    ? Omit<E, 'atMs'>
    : never
  : never;

function reportEvent(
  device: string,
  { release, state, why }: Pick<UpdateReport, 'release' | 'state' | 'why'>,
): UntimedEvent {
  const told = why === undefined ? {} : { why: why.slice(0, REASON_CHARACTERS_MAX) };
  return { kind: 'report', device, report: { release, state, ...told } };
}

function emptyStage({ stages }: RolloutPlan, members: Audience['members']): Refusal | undefined {
  for (const [at, { select }] of stages.entries()) {
    const isEmpty =
      ('group' in select && !members.some(({ group }) => group === select.group)) ||
      ('devices' in select && !members.some(({ device }) => select.devices.includes(device)));
    if (isEmpty) {
      const detail = `Stage ${at + 1} would reach no device; try it with --dry-run.`;
      return refuse('E_OPERATE_INPUT', detail);
    }
  }
  return undefined;
}

/** The one that was started last comes first. */
function byStart(a: Entry, b: Entry): number {
  return (b.head.startNumber ?? 0) - (a.head.startNumber ?? 0);
}

function hasEnded({ state }: RolloutHead): boolean {
  return state === 'finished' || state === 'aborted';
}

function isActive({ state }: RolloutHead): boolean {
  return state === 'running' || state === 'paused';
}

/** Whether somebody outside is to be told something. */
function isOwing({ head }: Entry): boolean {
  const isOwed = [...head.tallies, head.beyond].some(({ owed }) => owed > 0);
  return isOwed || head.notices.length > 0;
}

function assignedBy(director: Pick<Director, 'assigned'>, device: string): string | undefined {
  const id = parseDeviceId(device);
  return id instanceof Refusal ? undefined : director.assigned(id)?.id;
}
