/** What needs an artifact: one decision, of facts alone. @module */
import type { Release, UpdateState } from '@holdfast/firmware';
import type { ArtifactNeedCode, ReleaseStage } from '@holdfast/protocol/api';
import {
  type ReleaseFile,
  type ReleaseFileKind,
  type ReleaseFiles,
  filesOf,
} from '../repository/release-files.ts';
import { RECENT_UPLOAD_MS } from './limits.ts';

/** Everything that can need an artifact. */
export interface ArtifactUses {
  readonly nowMs: number;
  /** Releases that devices can be told of. */
  readonly published: readonly Release[];
  /** Releases that open signing requests name, those that are published among them. */
  readonly waiting: readonly Release[];
  /** Every release that was ever published. */
  readonly ever: readonly ReleaseFiles[];
  /** What devices are to run. */
  readonly assignments: Iterable<{ readonly release: string; readonly sha256: string }>;
  /** What devices told. */
  readonly reports: Iterable<{
    readonly release: string;
    readonly state: UpdateState;
    readonly running?: string | undefined;
  }>;
  /** Ids of releases that rollouts bring, or may go back to. */
  readonly rollouts: ReadonlySet<string>;
  /** The list of vulnerabilities that counts. */
  readonly advisories: string | undefined;
}

/** Something that needs an artifact. */
export interface ArtifactNeed {
  readonly code: ArtifactNeedCode;
  /** Releases by which it does, or none. */
  readonly releases: readonly string[];
  /** Devices by which it does, or 0. */
  readonly devices: number;
}

/** A release that names an artifact. */
export interface NamedBy {
  readonly id: string;
  readonly kind: ReleaseFileKind;
  readonly stage: ReleaseStage;
}

/** What is known of an artifact. */
export interface StoredFacts {
  readonly sha256: string;
  readonly storedAtMs: number;
}

/** Why an artifact stays. */
export interface ArtifactStanding {
  readonly namedBy: readonly NamedBy[];
  readonly needs: readonly ArtifactNeed[];
}

/** States in which a device is at work on a release, and may ask for its files again. */
const INSTALLING: ReadonlySet<UpdateState> = new Set([
  'downloading',
  'verified',
  'staged',
  'rebooting',
  'trial',
  'reverting',
]);

/** Judges artifacts; made once for all of them. */
export class ArtifactNeeds {
  readonly #uses: ArtifactUses;
  readonly #named = new Map<string, NamedBy[]>();
  readonly #deltaSources = new Map<string, Set<string>>();
  readonly #assigned: Counts;
  readonly #installing: Counts;
  readonly #running: Counts;

  constructor(uses: ArtifactUses) {
    this.#uses = uses;
    const { published, waiting, ever } = uses;
    this.#nameAll(published.map(withFiles), 'published');
    this.#nameAll(waiting.map(withFiles), 'waiting');
    this.#nameAll(ever, 'retired');
    for (const { id, custom } of [...published, ...waiting]) {
      for (const { from } of custom.deltas ?? []) {
        this.#deltaSources.set(from, (this.#deltaSources.get(from) ?? new Set()).add(id));
      }
    }
    const reports = [...uses.reports];
    const atWork = reports.filter(({ state }) => INSTALLING.has(state));
    this.#assigned = countsOf(
      [...uses.assignments].flatMap(({ release, sha256 }) => [release, sha256]),
    );
    this.#installing = countsOf(atWork.map(({ release }) => release));
    this.#running = countsOf(
      reports.flatMap(({ running, state, release }) => {
        if (running !== undefined) return [running];
        return state === 'confirmed' ? [release] : [];
      }),
    );
  }

  /** Which releases name an artifact, and what needs it. */
  of({ sha256, storedAtMs }: StoredFacts): ArtifactStanding {
    const namedBy = this.#named.get(sha256) ?? [];
    const ids = (stage: ReleaseStage): string[] =>
      namedBy.filter((one) => one.stage === stage).map(({ id }) => id);
    const images = namedBy.filter(({ kind }) => kind === 'image').map(({ id }) => id);
    const all = namedBy.map(({ id }) => id);
    const { rollouts, advisories, nowMs } = this.#uses;
    // A clock that was set back makes what came later recent, and never old.
    const isRecent = nowMs - storedAtMs < RECENT_UPLOAD_MS;
    const judged: Judged[] = [
      byReleases('published', ids('published')),
      byReleases('waiting', ids('waiting')),
      byReleases(
        'rollout',
        all.filter((id) => rollouts.has(id)),
      ),
      byReleases('delta-source', [...(this.#deltaSources.get(sha256) ?? [])]),
      byDevices('assigned', this.#assigned, { sha256, ids: all }),
      byDevices('installing', this.#installing, { sha256, ids: all }),
      byDevices('running', this.#running, { sha256, ids: images }),
      { code: 'advisories', releases: [], devices: 0, isMet: sha256 === advisories },
    ];
    const needs = judged.flatMap(({ isMet, ...need }) => (isMet ? [need] : []));
    // Whatever is needed otherwise stays, however old it is.
    if (needs.length > 0 || !isRecent) return { namedBy, needs };
    return { namedBy, needs: [{ code: 'recent', releases: [], devices: 0 }] };
  }

  /** A release counts at the first stage that it is found at, with all files that it has there. */
  #nameAll(releases: readonly ReleaseFiles[], stage: ReleaseStage): void {
    for (const { id, files } of releases) {
      for (const { sha256, kind } of files) {
        const known = this.#named.get(sha256) ?? [];
        if (!known.some((one) => one.id === id)) known.push({ id, kind, stage });
        this.#named.set(sha256, known);
      }
    }
  }
}

/** Whether somebody who names it may remove it: that it came lately stops only who does not. */
export function isRemovable({ needs }: Pick<ArtifactStanding, 'needs'>): boolean {
  return needs.every(({ code }) => code === 'recent');
}

type Counts = ReadonlyMap<string, number>;
type Judged = ArtifactNeed & { readonly isMet: boolean };

function byReleases(code: ArtifactNeedCode, releases: readonly string[]): Judged {
  return { code, releases, devices: 0, isMet: releases.length > 0 };
}

/** Devices that are counted under the hash, or under a release that names it. */
function byDevices(
  code: ArtifactNeedCode,
  counts: Counts,
  { sha256, ids }: { readonly sha256: string; readonly ids: readonly string[] },
): Judged {
  const releases = ids.filter((id) => counts.has(id));
  const most = [sha256, ...releases].map((name) => counts.get(name) ?? 0);
  const devices = Math.max(...most);
  return { code, releases, devices, isMet: devices > 0 };
}

function countsOf(names: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function withFiles(release: Release): { id: string; files: readonly ReleaseFile[] } {
  return { id: release.id, files: filesOf(release) };
}
