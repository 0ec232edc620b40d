/** Which devices the open stages reach, and what opens the next one. @module */
import type { RolloutStage } from '@holdfast/protocol/api';
import type { Surroundings } from './events.ts';
import { WATCHED_MS_MIN } from './limits.ts';
import { type DeviceRecord, membersOf } from './rollout-records.ts';
import type { Working } from './working.ts';

const EPSILON = 1e-9;

/** How many devices a stage of a share or a number reaches in all, of `total`. */
export function reachOf({ select }: RolloutStage, total: number): number | undefined {
  // At least one: a first stage without a device would be passed by nobody having failed.
  if ('percent' in select) return Math.ceil((select.percent * total) / 100 - EPSILON);
  if ('count' in select) return Math.min(select.count, total);
  return undefined;
}

/** Lets the open stages reach the devices that they are for, in the order of their places. */
export function admit(working: Working, surroundings: Pick<Surroundings, 'groupOf'>): void {
  const { head } = working;
  if (working.beyond.waiting === 0) return;
  const reached = working.tallies.reduce(sumOf, 0);
  const total = reached + membersOf(working.beyond);
  const open = head.plan.stages.slice(0, head.stage + 1);
  if (!open.some((stage) => reaches(stage, total, reached))) return;
  const beyond = [...working.devices()]
    .filter(({ stage, state }) => stage < 0 && state === 'waiting')
    .sort((a, b) => a.place - b.place);
  let count = reached;
  for (const record of beyond) {
    const at = open.findIndex((stage) => isReached(stage, record, { total, count, surroundings }));
    if (at === -1) continue;
    working.set({ ...record, stage: at });
    count += 1;
  }
}

/** Opens the next stage when the gate of this one is met for long enough, or ends the rollout. */
export function moveOn(
  working: Working,
  { watchedMs }: Pick<Surroundings, 'watchedMs'>,
  atMs: number,
): void {
  const { head } = working;
  const stage = head.plan.stages[head.stage];
  if (stage === undefined || !isGateMet(working, stage)) {
    if (head.gateMetMs !== undefined) working.setHead({ gateMetMs: undefined });
    return;
  }
  const gateMetMs = head.gateMetMs ?? atMs;
  if (head.gateMetMs === undefined) working.setHead({ gateMetMs });
  if (atMs - gateMetMs < stage.soakMs) return;
  // While the server was away, nobody could tell it that something is wrong.
  if (watchedMs() < Math.min(stage.soakMs, WATCHED_MS_MIN)) return;
  const facts = { stage: head.stage + 1, ...figuresOf(working) };
  if (head.stage + 1 < head.plan.stages.length) {
    working.setHead({ stage: head.stage + 1, stageAtMs: atMs, gateMetMs: undefined });
    working.notice('rollout.open-stage', { ...facts, stage: head.stage + 2 });
    return;
  }
  if (isBusy(working)) return;
  const ended = { stateBy: 'server', stateReason: 'all stages are done', stateAtMs: atMs };
  working.setHead({ state: 'finished', ...ended });
  for (const record of working.devices()) {
    const isLeft = record.state === 'waiting' && !record.wasOffered;
    if (isLeft) working.set({ ...record, state: 'skipped', sinceMs: atMs });
  }
  working.notice('rollout.finish', facts);
}

function isGateMet({ head, tallies, beyond }: Working, stage: RolloutStage): boolean {
  const tally = tallies[head.stage];
  if (tally === undefined) return false;
  const reached = tallies.reduce(sumOf, 0);
  // Those that it had reached were passed over: others take their places at the next tick.
  const isRefilled = reached < (reachOf(stage, reached + membersOf(beyond)) ?? 0);
  if (isRefilled && beyond.waiting > 0) return false;
  return tally.confirmed + EPSILON >= stage.successRate * membersOf(tally);
}

/** Whether a device of the rollout waits for its turn, or is at work and not overdue. */
function isBusy({ tallies }: Working): boolean {
  return tallies.some(
    ({ waiting, downloading, staged, trial, overdue }) =>
      waiting + downloading + staged + trial - overdue > 0,
  );
}

function figuresOf({ tallies }: Working): Record<string, number> {
  const sum = (of: 'confirmed' | 'failed' | 'reverted'): number =>
    tallies.reduce((total, tally) => total + tally[of], 0);
  const [confirmed, failed, reverted] = [sum('confirmed'), sum('failed'), sum('reverted')];
  return { devices: tallies.reduce(sumOf, 0), confirmed, failed, reverted };
}

function sumOf(sum: number, tally: Parameters<typeof membersOf>[0]): number {
  return sum + membersOf(tally);
}

/** Whether a stage could reach one more device. */
function reaches(stage: RolloutStage, total: number, reached: number): boolean {
  const reach = reachOf(stage, total);
  return reach === undefined || reached < reach;
}

function isReached(
  stage: RolloutStage,
  { device }: DeviceRecord,
  {
    total,
    count,
    surroundings,
  }: { total: number; count: number; surroundings: Pick<Surroundings, 'groupOf'> },
): boolean {
  const { select } = stage;
  if ('group' in select) return surroundings.groupOf(device) === select.group;
  if ('devices' in select) return select.devices.includes(device);
  return count < (reachOf(stage, total) ?? 0);
}
