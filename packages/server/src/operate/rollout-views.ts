/** Rollouts as the API shows them. @module */
import {
  type OwnedUpdate,
  ROLLOUT_DEVICE_STATES,
  type RolloutDeviceList,
  type RolloutView,
} from '@holdfast/protocol/api';
import {
  type DeviceRecord,
  type Releases,
  type Rollout,
  type RolloutHead,
  type Tally,
  consentLatestMs,
  isWithin,
} from '../update/index.ts';
import { REASONS_LISTED_MAX } from './limits.ts';
import { isoTime } from './views.ts';

type Counts = RolloutView['counts'];

/** A rollout with its figures, at a time. */
export function rolloutView({ head, devices }: Rollout, nowMs: number): RolloutView {
  const { tallies, beyond, startedAtMs, gateMetMs, forwardedTo } = head;
  const counts = countsOf([...tallies, beyond]);
  return {
    id: head.id,
    release: head.release,
    state: head.state,
    stateBy: head.stateBy,
    stateReason: head.stateReason,
    stateAt: isoTime(head.stateAtMs),
    createdBy: head.createdBy,
    createdAt: isoTime(head.createdAtMs),
    ...(startedAtMs !== undefined && { startedAt: isoTime(startedAtMs) }),
    plan: head.plan,
    stage: head.stage,
    ...(gateMetMs !== undefined && { gateMetAt: isoTime(gateMetMs) }),
    isInWindow: isWithin(head.plan.windows, nowMs),
    devices: sum(counts),
    counts,
    stages: tallies.map((tally) => {
      const ofStage = countsOf([tally]);
      const { overdue, silent } = tally;
      return { devices: sum(ofStage), counts: ofStage, overdue, silent };
    }),
    reasons: reasonsOf(devices.values()),
    ...(forwardedTo !== undefined && { forwardedTo }),
  };
}

/** A device of a rollout. */
export function rolloutDeviceView(record: DeviceRecord): RolloutDeviceList['devices'][number] {
  const { device, state, sinceMs, stage, isOverdue, isSilent, why, consent } = record;
  return {
    device,
    state,
    since: isoTime(sinceMs),
    ...(stage >= 0 && { stage }),
    isOverdue,
    isSilent,
    ...(why !== undefined && { why }),
    isAsked: state === 'waiting' && consent !== undefined,
  };
}

/** What an owner is told of an update that waits for them. */
export function ownedUpdateView(
  { head, record }: { head: RolloutHead; record: DeviceRecord },
  releases: Pick<Releases, 'byId'>,
): OwnedUpdate | undefined {
  const release = releases.byId(head.release);
  const { consent } = record;
  if (release === undefined || consent === undefined) return undefined;
  const { version, severity, fixes = [] } = release.custom;
  const { notice } = head.plan;
  return {
    device: record.device,
    version,
    ...(severity !== undefined && { severity }),
    fixes: [...fixes],
    ...(notice !== undefined && { notice }),
    askedAt: isoTime(consent.askedMs),
    latestAt: isoTime(consentLatestMs(head, consent.askedMs)),
    ...(consent.fromMs !== undefined && { from: isoTime(consent.fromMs) }),
  };
}

function countsOf(tallies: readonly Tally[]): Counts {
  const counts = ROLLOUT_DEVICE_STATES.map((state) => [
    state,
    tallies.reduce((total, tally) => total + tally[state], 0),
  ]);
  return Object.fromEntries(counts) as Counts;
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function reasonsOf(records: Iterable<DeviceRecord>): RolloutView['reasons'] {
  const counts = new Map<string, number>();
  for (const { state, why } of records) {
    if (state !== 'failed' && state !== 'reverted') continue;
    const reason = why ?? `${state}, and it did not say why`;
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const sorted = [...counts]
    .map(([why, count]) => ({ why, count }))
    .sort((a, b) => b.count - a.count);
  const rest = sorted.slice(REASONS_LISTED_MAX).reduce((total, { count }) => total + count, 0);
  const listed = sorted.slice(0, REASONS_LISTED_MAX);
  return rest === 0 ? listed : [...listed, { why: 'other reasons', count: rest }];
}
