/** The artifacts that are stored: what needs them, and the removal of what nothing needs. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import type { Act, RecordAct } from '../../audit/index.ts';
import type { Clock, Log } from '../../kernel/index.ts';
import type { DeviceDirector } from '../director/device-director.ts';
import type { DeviceReports } from '../reports.ts';
import type { ArtifactRecord } from '../repository/artifact-records.ts';
import type { ArtifactStore } from '../repository/artifact-store.ts';
import type { ImageRepository } from '../repository/image-repository.ts';
import type { Rollouts } from '../rollout/rollouts.ts';
import type { AdvisoryList } from '../sbom/advisory-list.ts';
import { ArtifactNeeds, type ArtifactStanding, isRemovable } from './artifact-needs.ts';

/** What it looks at, and removes from. */
export interface StoredArtifactsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly recordAct: RecordAct;
  readonly artifacts: Pick<
    ArtifactStore,
    'all' | 'forget' | 'sweep' | 'look' | 'strays' | 'takeStrays' | 'removing' | 'isWhole'
  >;
  readonly releases: Pick<
    ImageRepository,
    'list' | 'requests' | 'everPublished' | 'betweenChanges'
  >;
  readonly director: Pick<DeviceDirector, 'assignments'>;
  readonly reports: Pick<DeviceReports, 'all'>;
  readonly rollouts: Pick<Rollouts, 'releasesInUse'>;
  readonly advisories: Pick<AdvisoryList, 'current'>;
}

/** An artifact, and why it stays. */
export interface StoredArtifactFacts extends ArtifactStanding {
  readonly record: ArtifactRecord;
  readonly isWhole: boolean;
}

/** Artifacts together. */
export interface ArtifactTotal {
  readonly count: number;
  readonly bytes: number;
}

/** What is to be removed. */
export interface RemovalWish {
  /** Hashes of artifacts; nothing is removed when one of them is needed. */
  readonly named: readonly string[];
  /** All that nothing needs, and that did not come lately. */
  readonly unneeded: boolean;
  /** Chunks that belong to no artifact that this server knows. */
  readonly strays: boolean;
}

/** By whose act, and why. */
export interface RemovedBy {
  readonly principal: string;
  readonly reason?: string | undefined;
}

/** What goes, or would go, and what stays of what was looked at. */
export interface Removal {
  readonly goes: readonly StoredArtifactFacts[];
  readonly stays: readonly StoredArtifactFacts[];
  readonly strays: { readonly uploads: number; readonly bytes: number };
}

/** The artifacts of one server, as people see them. Keeps nothing by itself. */
export class StoredArtifacts {
  readonly #deps: StoredArtifactsDeps;

  constructor(deps: StoredArtifactsDeps) {
    this.#deps = deps;
  }

  /** All of them, the largest first. */
  list(): StoredArtifactFacts[] {
    const { clock, artifacts, releases, director, reports, rollouts, advisories } = this.#deps;
    const needs = new ArtifactNeeds({
      nowMs: clock.nowMs(),
      published: releases.list(),
      waiting: releases.requests.releases(),
      ever: releases.everPublished(),
      assignments: director.assignments(),
      reports: reports.all(),
      rollouts: rollouts.releasesInUse(),
      advisories: advisories.current?.sha256,
    });
    return artifacts
      .all()
      .map((record) => {
        const isWhole = artifacts.isWhole(record.sha256);
        const { namedBy, needs: of } = needs.of(record);
        return { record, isWhole, namedBy, needs: of };
      })
      .toSorted((a, b) => b.record.length - a.record.length);
  }

  /** Uploads of which chunks are there, and no artifact: those to be removed, and the strays. */
  leftovers(): { readonly removing: number; readonly strays: Removal['strays'] } {
    const { removing, strays } = this.#deps.artifacts;
    return { removing, strays };
  }

  /** What would go. Refuses as {@link remove} does. */
  async preview(wish: RemovalWish): Promise<Removal | Refusal> {
    if (wish.strays) await this.#deps.artifacts.look();
    return this.#plan(wish);
  }

  /**
   * Removes what nothing needs: it is on the log first, then no artifact any more, and then its
   * chunks go, which a crash puts off until the next start. Refuses `E_OPERATE_NOT_FOUND` for
   * what is not there and `E_OPERATE_CONFLICT` for what is needed, and removes nothing then.
   */
  async remove(wish: RemovalWish, by: RemovedBy): Promise<Removal | Refusal> {
    const { artifacts, releases, recordAct } = this.#deps;
    if (wish.strays) await artifacts.look();
    // So that nothing is published or asked for of what goes at the same time.
    const removal = await releases.betweenChanges(async () => {
      const planned = this.#plan(wish);
      if (planned instanceof Refusal) return planned;
      await Promise.all(actsOf(planned, by).map((act) => recordAct(act)));
      // A device may have told meanwhile that it is at work on one of them.
      const now = this.#plan({ ...wish, named: planned.goes.map(({ record }) => record.sha256) });
      if (now instanceof Refusal) return now;
      // What came a moment ago is not what was put on the log.
      const recorded = new Set(planned.goes.map(({ record }) => record.id));
      const goes = now.goes.filter(({ record }) => recorded.has(record.id));
      artifacts.forget(goes.map(({ record }) => record.sha256));
      if (wish.strays) artifacts.takeStrays();
      return { ...planned, goes };
    });
    if (!(removal instanceof Refusal)) this.#sweepSoon();
    return removal;
  }

  #plan({ named, unneeded, strays }: RemovalWish): Removal | Refusal {
    const all = this.list();
    const known = new Map(all.map((one) => [one.record.sha256, one]));
    const absent = named.find((sha256) => !known.has(sha256));
    if (absent !== undefined) {
      return refuse('E_OPERATE_NOT_FOUND', `There is no artifact ${absent}.`);
    }
    const asked = new Set(named);
    const needed = all.find((one) => asked.has(one.record.sha256) && !isRemovable(one));
    if (needed !== undefined) {
      const detail = `${needed.record.sha256} is needed: ${whyText(needed)}.`;
      return refuse('E_OPERATE_CONFLICT', detail);
    }
    const isGoing = ({ record, needs }: StoredArtifactFacts): boolean =>
      asked.has(record.sha256) || (unneeded && needs.length === 0);
    return {
      goes: all.filter(isGoing),
      stays: all.filter((one) => !isGoing(one)),
      strays: strays ? this.#deps.artifacts.strays : { uploads: 0, bytes: 0 },
    };
  }

  /** Thousands of chunks take their time: nobody waits for them. */
  #sweepSoon(): void {
    const { artifacts, log } = this.#deps;
    artifacts.sweep().catch((error: unknown) => {
      const event = { 'event.action': 'update.sweep', 'event.outcome': 'failure' };
      log.error({ ...event, 'error.message': String(error) }, 'chunks of artifacts stay for now');
    });
  }
}

/** Their number and size. */
export function totalOf(artifacts: readonly StoredArtifactFacts[]): ArtifactTotal {
  const bytes = artifacts.reduce((sum, { record }) => sum + record.length, 0);
  return { count: artifacts.length, bytes };
}

/** Those that go when all that nothing needs is removed. */
export function unneededOf(artifacts: readonly StoredArtifactFacts[]): StoredArtifactFacts[] {
  return artifacts.filter(({ needs }) => needs.length === 0);
}

function actsOf({ goes, strays }: Removal, { principal, reason }: RemovedBy): Act[] {
  const action = 'update.remove-artifact';
  const acts = goes.map(({ record: { sha256, length }, namedBy }): Act => {
    const facts = { length, releases: namedBy.slice(0, NAMED_MAX).map(({ id }) => id) };
    return { action, principal, target: sha256, reason, facts };
  });
  if (strays.uploads === 0) return acts;
  return [...acts, { action: 'update.remove-strays', principal, reason, facts: { ...strays } }];
}

/** Why an artifact stays, in words. */
export function whyText({ needs }: Pick<ArtifactStanding, 'needs'>): string {
  return needs.map(needText).join('; ');
}

/** One reason, in words. */
export function needText({ code, releases, devices }: ArtifactStanding['needs'][number]): string {
  const [first = '', ...more] = releases;
  const named = more.length === 0 ? first : `${first} and ${more.length} more`;
  const some = devices === 1 ? '1 device' : `${devices} devices`;
  switch (code) {
    case 'published':
      return `it is in the release ${named}`;
    case 'waiting':
      return `${named} waits for signatures`;
    case 'rollout':
      return `a rollout brings ${named}, or may go back to it`;
    case 'delta-source':
      return `a delta of ${named} is made from it`;
    case 'assigned':
      return `it is assigned to ${some}`;
    case 'installing':
      return `${some} ${devices === 1 ? 'is' : 'are'} installing it`;
    case 'running':
      return `${some} ${devices === 1 ? 'runs' : 'run'} it`;
    case 'advisories':
      return 'it is the list of known vulnerabilities';
    case 'recent':
      return 'it was uploaded less than 30 days ago';
    default:
      return code satisfies never;
  }
}

/** Releases that an act names of an artifact: an entry of the log is small. */
const NAMED_MAX = 16;
