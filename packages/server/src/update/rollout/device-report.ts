/** What the report of a device makes of its record. @module */
import type { UpdateReport } from '@holdfast/firmware';
import type { DeviceRecord, RolloutDeviceState } from './rollout-records.ts';

/** What a state on the device means here; what is left out tells nothing of the rollout. */
const MEANING: Readonly<Partial<Record<UpdateReport['state'], RolloutDeviceState>>> = {
  downloading: 'downloading',
  verified: 'downloading',
  staged: 'staged',
  rebooting: 'staged',
  trial: 'trial',
  reverting: 'trial',
  confirmed: 'confirmed',
  reverted: 'reverted',
  failed: 'failed',
};

const ORDER: readonly RolloutDeviceState[] = [
  'waiting',
  'offered',
  'downloading',
  'staged',
  'trial',
];

/**
 * The record after a report about the release of the rollout; undefined when it says nothing new.
 * Reports may come late and out of order: progress only goes on, a confirmed device stays so
 * unless it went back after all, and one that went back stays there.
 */
export function reported(
  record: DeviceRecord,
  { state: told, why }: Pick<UpdateReport, 'state' | 'why'>,
  atMs: number,
): DeviceRecord | undefined {
  const state = MEANING[told];
  if (state === undefined || state === record.state) return undefined;
  const common = { ...record, state, sinceMs: atMs, isOverdue: false, isSilent: false };
  if (state === 'confirmed') {
    // Nobody has offered it: a device does not choose its release by saying that it runs it.
    // Once it went back that is its end: else it could go back and forth, on the log each time.
    if (!record.wasOffered || record.state === 'reverted') return undefined;
    // The director may have been told to take it back in the meantime.
    const isOwed = ORDER.indexOf(record.state) < ORDER.indexOf('offered') || record.isOwed;
    return { ...common, isOwed };
  }
  if (state === 'failed' || state === 'reverted') return ended(record, common, why);
  const isOnward = ORDER.indexOf(state) > ORDER.indexOf(record.state);
  // A device that was withdrawn, or has failed, may tell of what it did before it knew.
  if (!isOnward || !ORDER.includes(record.state)) return undefined;
  // Nobody has offered it: what it does is not of this rollout.
  if (record.state === 'waiting' && !record.wasOffered) return undefined;
  // It has begun before it could be taken back: it is left to finish.
  const isOwed = record.state === 'waiting' || record.isOwed;
  return {
    ...common,
    isOverdue: record.isOverdue,
    isOwed,
    startedMs: record.startedMs ?? atMs,
  };
}

function ended(
  { state: before, wasOffered }: DeviceRecord,
  now: DeviceRecord,
  why: string | undefined,
): DeviceRecord | undefined {
  const hasEnded = before === 'failed' || before === 'reverted';
  if (hasEnded || !wasOffered) return undefined;
  if (before === 'confirmed' && now.state !== 'reverted') return undefined;
  // The director is to name what it ran before: it would begin again for ever.
  return { ...now, isOwed: true, ...(why !== undefined && { why }) };
}
