/** The whole server on one page: everything that the caller may see. @module */
import { REFUSAL_CODES } from '@holdfast/protocol';
import {
  type LastVerification,
  type Overview,
  ROLLOUT_DEVICE_STATES,
} from '@holdfast/protocol/api';
import type { Verification } from '../../audit/index.ts';
import type { Rollout, Tally } from '../../update/index.ts';
import type { RequestAccess } from '../access.ts';
import { backupSummary } from '../backup-views.ts';
import type { ApiDeps } from '../deps.ts';
import { isoTime } from '../views.ts';
import type { FleetCount } from './fleet-census.ts';

/** What the overview is made of, before troubles are found in it. */
export type OverviewFacts = Omit<Overview, 'troubles'>;

type Access = Pick<RequestAccess, 'stillPermits'>;

const SERVER = { kind: 'server' } as const;

/** Puts together what this caller may see. */
export function overviewFacts(
  deps: ApiDeps,
  { access, counted }: { access: Access; counted: FleetCount },
): OverviewFacts {
  const { clock, watch, server, isReady } = deps;
  const { version, startedAtMs, disk } = server();
  const { connections, sessions } = watch.traffic();
  const { serverMs, publicName } = watch.certificateEnds();
  const publicMs = publicName?.endsMs ?? 0;
  return {
    at: isoTime(clock.nowMs()),
    version,
    startedAt: isoTime(startedAtMs),
    isReady: isReady() && disk?.condition !== 'full',
    fleet: counted.fleet,
    certificates: counted.certificates,
    traffic: { ...watch.figures.rates, connections, sessions },
    ...(access.stillPermits(SERVER, 'refusal:read') && {
      refusals: refusalsView(watch.figures.refusedInHour()),
    }),
    ...(access.stillPermits(SERVER, 'audit:read') && { log: logView(deps) }),
    ...(access.stillPermits(SERVER, 'firmware:read') && { updates: updatesView(deps, counted) }),
    serverCertificate: {
      endsAt: isoTime(serverMs),
      ...(publicMs > 0 && { publicEndsAt: isoTime(publicMs) }),
    },
    disk,
    backups: backupSummary(deps.backups),
    keys: deps.keyCare.summary(),
  };
}

function refusalsView(counts: ReadonlyMap<string, number>): Overview['refusals'] {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return {
    total: sorted.reduce((sum, [, count]) => sum + count, 0),
    byCode: sorted.map(([code, count]) => ({ code, what: whatOf(code), count })),
  };
}

/** What a code means; nothing of one that this release does not know. */
export function whatOf(code: string): string {
  const meanings: Readonly<Record<string, { readonly what: string }>> = REFUSAL_CODES;
  return Object.hasOwn(meanings, code) ? (meanings[code]?.what ?? '') : '';
}

function logView({ watch, witnesses }: ApiDeps): Overview['log'] {
  const all = witnesses.all();
  const [latest] = all
    .flatMap((witness) => (witness.latest === undefined ? [] : [witness.latest]))
    .toSorted((a, b) => b.size - a.size || b.atMs - a.atMs);
  const { latest: verified } = watch.lastVerification;
  return {
    size: watch.logSize(),
    ...(verified && { lastVerification: verificationView(verified) }),
    witnesses: all.length,
    ...(latest && { witnessed: { size: latest.size, at: isoTime(latest.atMs) } }),
    isBehind: all.some(({ alarm }) => alarm !== undefined),
  };
}

function verificationView({
  atMs,
  by,
  isGood,
  size,
  findings,
  why,
}: Verification): LastVerification {
  return {
    at: isoTime(atMs),
    by,
    ok: isGood,
    ...(size !== undefined && { size }),
    findings,
    ...(why !== undefined && { why }),
  };
}

function updatesView({ rollouts }: ApiDeps, { updates }: FleetCount): Overview['updates'] {
  const open = rollouts
    .all()
    .filter(({ head }) => head.state !== 'finished' && head.state !== 'aborted');
  return { byState: updates, rollouts: open.map(rolloutFacts) };
}

function rolloutFacts({
  head,
}: Pick<Rollout, 'head'>): NonNullable<Overview['updates']>['rollouts'][number] {
  const { id, release, state, stateBy, stateReason, stateAtMs, tallies, beyond } = head;
  const all: readonly Tally[] = [...tallies, beyond];
  const devicesIn = (states: readonly (typeof ROLLOUT_DEVICE_STATES)[number][]): number =>
    all.reduce((sum, tally) => sum + states.reduce((part, name) => part + tally[name], 0), 0);
  return {
    id,
    release,
    state,
    stateBy,
    stateReason,
    stateAt: isoTime(stateAtMs),
    devices: devicesIn(ROLLOUT_DEVICE_STATES),
    confirmed: devicesIn(['confirmed']),
    failed: devicesIn(['failed', 'reverted']),
  };
}
