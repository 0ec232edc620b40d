/** When a rollout pauses by itself. @module */
import { FINDING_SEVERITIES } from '@holdfast/protocol/api';
import type { Finding } from './events.ts';
import { type Tally, membersOf, troubledOf } from './rollout-records.ts';
import type { Working } from './working.ts';

/** Shares are compared with room for what floating point makes of 2 of 100. */
const EPSILON = 1e-9;

/** Takes back what was offered and not begun: the director names for it what it did before. */
export function recall(working: Working, atMs: number): void {
  for (const record of working.devices()) {
    if (record.state !== 'offered') continue;
    working.set({ ...record, state: 'waiting', sinceMs: atMs, isOwed: true });
  }
}

/** Pauses a running rollout; one that is paused already stays so, by whoever was first. */
export function pause(
  working: Working,
  { atMs, by, reason }: { atMs: number; by: string; reason: string },
): void {
  if (working.head.state !== 'running') return;
  working.setHead({ state: 'paused', stateBy: by, stateReason: reason, stateAtMs: atMs });
  recall(working, atMs);
}

/** Pauses when too many devices of a stage are in trouble. */
export function pauseOnTrouble(working: Working, atMs: number): void {
  const { head, tallies } = working;
  const stage = tallies.findIndex(
    (tally, at) => shareOf(tally, head.pardoned[at] ?? 0) > head.plan.pauseOn.failures + EPSILON,
  );
  const tally = tallies[stage];
  if (head.state !== 'running' || tally === undefined) return;
  const { failed, reverted, overdue, silent } = tally;
  const members = membersOf(tally);
  const parts = Object.entries({ failed, reverted, overdue, silent })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`);
  const limit = percentText(head.plan.pauseOn.failures);
  const reason = `Of ${members} devices of stage ${stage + 1}: ${parts.join(', ')}; over ${limit}.`;
  pause(working, { atMs, by: 'server', reason });
  const facts = { stage: stage + 1, devices: members, confirmed: tally.confirmed };
  working.notice('rollout.pause', { ...facts, failed, reverted, overdue, silent }, reason);
}

/** Pauses at once on a finding about a device that was updated. */
export function pauseOnFinding(
  working: Working,
  device: string,
  { finding: { code, severity }, atMs }: { finding: Finding; atMs: number },
): void {
  const { head } = working;
  const { findings } = head.plan.pauseOn;
  const state = working.get(device)?.state;
  if (head.state !== 'running' || findings === 'none') return;
  if (state !== 'trial' && state !== 'confirmed') return;
  const isBadEnough = FINDING_SEVERITIES.indexOf(severity) >= FINDING_SEVERITIES.indexOf(findings);
  if (!isBadEnough) return;
  const reason = `The finding ${code} (${severity}) about ${device}, which was updated.`;
  pause(working, { atMs, by: 'server', reason });
  working.notice('rollout.pause', { device, finding: code, severity }, reason);
}

/** What of a stage is in trouble beyond what somebody has seen already. */
function shareOf(tally: Tally, pardoned: number): number {
  const troubled = Math.max(0, troubledOf(tally) - pardoned);
  const members = membersOf(tally) - pardoned;
  return members <= 0 ? troubled : troubled / members;
}

function percentText(rate: number): string {
  return `${Number((rate * 100).toFixed(2))} %`;
}
