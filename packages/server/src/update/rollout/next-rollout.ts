/** The state machine of a rollout: pure, so that every order of events can be tried. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import type { RolloutStateName } from '@holdfast/protocol/api';
import { reported } from './device-report.ts';
import type { Member, RolloutEvent, Surroundings } from './events.ts';
import { consentLatestMs, offer } from './offers.ts';
import { placeOf } from './place.ts';
import { type DeviceRecord, troubledOf, wantedOf } from './rollout-records.ts';
import { admit, moveOn } from './stages.ts';
import { pause, pauseOnFinding, pauseOnTrouble, recall } from './trouble.ts';
import { isWithin } from './windows.ts';
import { type RolloutState, type RolloutStep, Working } from './working.ts';

type EventOf<K extends RolloutEvent['kind']> = Extract<RolloutEvent, { kind: K }>;
type WorldEventKind = 'join' | 'tick' | 'report' | 'finding' | 'withdraw' | 'assigned' | 'noticed';

/**
 * What an event makes of a rollout. An event that its state does not allow is refused with
 * `E_OPERATE_CONFLICT` when a person makes it, and changes nothing when the world does.
 */
export function nextRollout(state: RolloutState, event: RolloutEvent): RolloutStep | Refusal {
  const working = new Working(state);
  const refusal = change(working, event);
  return refusal ?? working.step();
}

function change(working: Working, event: RolloutEvent): Refusal | undefined {
  switch (event.kind) {
    case 'ask':
      return to(working, event, { from: ['draft', 'waiting-approval'], state: 'waiting-approval' });
    case 'start':
      return start(working, event);
    case 'resume':
      return resume(working, event);
    case 'pause':
      return pauseByPerson(working, event);
    case 'abort':
      return abort(working, event);
    case 'consent':
      return consent(working, event);
    case 'join':
    case 'tick':
    case 'report':
    case 'finding':
    case 'withdraw':
    case 'assigned':
    case 'noticed':
      happen(working, event);
      return undefined;
  }
}

/** What the world does, which nobody refuses. */
function happen(working: Working, event: EventOf<WorldEventKind>): void {
  switch (event.kind) {
    case 'join':
      if (isOpen(working)) join(working, event.members, event.atMs);
      break;
    case 'tick':
      if (working.head.state === 'running') tick(working, event);
      break;
    case 'report':
      report(working, event);
      break;
    case 'finding':
      pauseOnFinding(working, event.device, event);
      break;
    case 'withdraw':
      withdraw(working, event);
      break;
    case 'assigned':
      assigned(working, event);
      break;
    case 'noticed':
      working.setHead({
        notices: working.head.notices.filter(({ number }) => !event.numbers.includes(number)),
      });
  }
}

/** Somebody who pauses what has paused itself has what they want. */
function pauseByPerson(working: Working, event: EventOf<'pause'>): Refusal | undefined {
  if (working.head.state === 'paused') return undefined;
  if (working.head.state !== 'running') return conflict(working, 'paused', ['running']);
  pause(working, event);
  return undefined;
}

function start(working: Working, event: EventOf<'start'>): Refusal | undefined {
  const { atMs, by, members } = event;
  const from = ['draft', 'waiting-approval'] as const;
  const refusal = to(working, event, { from, state: 'running' });
  if (refusal !== undefined) return refusal;
  working.setHead({ startedAtMs: atMs, startNumber: event.number, startedBy: by });
  working.setHead({ stage: 0, stageAtMs: atMs });
  join(working, members, atMs);
  return undefined;
}

/** What somebody has seen and accepted does not pause it again; more of it does. */
function resume(working: Working, event: EventOf<'resume'>): Refusal | undefined {
  const refusal = to(working, event, { from: ['paused'], state: 'running' });
  if (refusal !== undefined) return refusal;
  working.setHead({ pardoned: working.tallies.map(troubledOf), gateMetMs: undefined });
  return undefined;
}

function abort(working: Working, event: EventOf<'abort'>): Refusal | undefined {
  const from = ['draft', 'waiting-approval', 'running', 'paused'] as const;
  const refusal = to(working, event, { from, state: 'aborted' });
  if (refusal !== undefined) return refusal;
  const { atMs, forwardedTo } = event;
  if (forwardedTo !== undefined) working.setHead({ forwardedTo });
  for (const record of working.devices()) {
    if (record.state === 'waiting' || record.state === 'offered') {
      working.set(withdrawn(record, atMs));
    }
  }
  return undefined;
}

function tick(working: Working, { atMs, surroundings }: EventOf<'tick'>): void {
  watch(working, surroundings, atMs);
  pauseOnTrouble(working, atMs);
  if (working.head.state !== 'running') return;
  admit(working, surroundings);
  if (isWithin(working.head.plan.windows, atMs)) offer(working, surroundings, atMs);
  else recall(working, atMs);
  moveOn(working, surroundings, atMs);
}

/** Notes which devices take too long, and which were not heard of since they were updated. */
function watch(working: Working, { lastSeenMs }: Surroundings, atMs: number): void {
  const { unconfirmedMs, silentMs } = working.head.plan.pauseOn;
  for (const record of working.devices()) {
    const { state, startedMs, isOverdue, isSilent, sinceMs } = record;
    if (state === 'downloading' || state === 'staged' || state === 'trial') {
      if (isOverdue || startedMs === undefined || atMs - startedMs <= unconfirmedMs) continue;
      working.set({ ...record, isOverdue: true });
    } else if (state === 'confirmed' && silentMs !== undefined) {
      const seenMs = Math.max(lastSeenMs(record.device) ?? 0, sinceMs);
      const isNow = atMs - seenMs > silentMs;
      if (isNow !== isSilent) working.set({ ...record, isSilent: isNow });
    }
  }
}

function report(working: Working, { device, report: told, atMs }: EventOf<'report'>): void {
  const record = working.get(device);
  const { head } = working;
  const isStarted = head.state !== 'draft' && head.state !== 'waiting-approval';
  if (record === undefined || !isStarted || told.release !== head.release) return;
  const next = reported(record, told, atMs);
  if (next === undefined) return;
  working.set(next);
  pauseOnTrouble(working, atMs);
}

/** Devices that belong to it from now on; one that was passed over gets another chance. */
function join(working: Working, members: readonly Member[], atMs: number): void {
  for (const { device } of members) {
    const known = working.get(device);
    if (known === undefined) working.set(newRecord(working.head.id, device, atMs));
    else if (known.state === 'skipped' && !known.wasOffered) {
      const { why: _why, ...rest } = known;
      working.set({ ...rest, state: 'waiting', sinceMs: atMs });
    }
  }
}

function consent(
  working: Working,
  { device, fromMs, atMs }: EventOf<'consent'>,
): Refusal | undefined {
  const record = working.get(device);
  const { head } = working;
  if (record?.consent === undefined || record.state !== 'waiting' || !isOpen(working)) {
    return refuse('E_OPERATE_NOT_FOUND', 'No update waits for this device.');
  }
  const latestMs = consentLatestMs(head, record.consent.askedMs);
  if (fromMs > latestMs && fromMs > atMs) {
    const latest = new Date(latestMs).toISOString();
    return refuse('E_OPERATE_INPUT', `It cannot be put off longer than ${latest}.`);
  }
  working.set({ ...record, consent: { ...record.consent, fromMs } });
  return undefined;
}

function withdraw(working: Working, { devices, why, atMs }: EventOf<'withdraw'>): void {
  for (const device of devices) {
    const record = working.get(device);
    if (record?.state !== 'waiting' && record?.state !== 'offered') continue;
    working.set({ ...withdrawn(record, atMs), why });
  }
}

function assigned(working: Working, { device, release }: EventOf<'assigned'>): void {
  const record = working.get(device);
  if (record?.isOwed !== true || wantedOf(working.head, record) !== release) return;
  working.set({ ...record, isOwed: false });
}

function withdrawn(record: DeviceRecord, atMs: number): DeviceRecord {
  const isOwed = record.isOwed || record.state === 'offered';
  return { ...record, state: 'withdrawn', sinceMs: atMs, isOwed };
}

function newRecord(rollout: string, device: string, atMs: number): DeviceRecord {
  return {
    device,
    place: placeOf(rollout, device),
    stage: -1,
    state: 'waiting',
    sinceMs: atMs,
    wasOffered: false,
    isOwed: false,
    isOverdue: false,
    isSilent: false,
  };
}

function isOpen({ head }: Working): boolean {
  return head.state === 'running' || head.state === 'paused';
}

function to(
  working: Working,
  { by, reason, atMs }: { by: string; reason: string; atMs: number },
  { from, state }: { from: readonly RolloutStateName[]; state: RolloutStateName },
): Refusal | undefined {
  if (!from.includes(working.head.state)) return conflict(working, state, from);
  working.setHead({ state, stateBy: by, stateReason: reason, stateAtMs: atMs });
  return undefined;
}

function conflict(
  { head }: Working,
  state: RolloutStateName,
  from: readonly RolloutStateName[],
): Refusal {
  const why = head.stateReason === '' ? '' : ` (${head.stateReason})`;
  const detail = `The rollout ${head.id} is ${head.state}${why}; only one that is `;
  return refuse('E_OPERATE_CONFLICT', `${detail}${from.join(' or ')} can become ${state}.`);
}
