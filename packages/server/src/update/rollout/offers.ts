/** Which devices are offered the release now. @module */
import type { Surroundings } from './events.ts';
import { CONSENT_BOUND_MS, OFFERS_PER_TICK_MAX, OFFER_FRESH_MS } from './limits.ts';
import type { DeviceRecord, RolloutHead } from './rollout-records.ts';
import type { Working } from './working.ts';

const MINUTE_MS = 60_000;

/** Offers the release to devices that a stage has reached, as many as the limits let through. */
export function offer(working: Working, surroundings: Surroundings, atMs: number): void {
  if (working.tallies.every(({ waiting }) => waiting === 0)) return;
  let left = roomOf(working, atMs);
  let offers = 0;
  for (const record of working.devices()) {
    if (left <= 0) break;
    if (record.state !== 'waiting' || record.stage < 0) continue;
    if (!isAgreed(working, record, { surroundings, atMs })) continue;
    left -= 1;
    const why = surroundings.whyNot(record.device);
    if (why !== undefined) {
      working.set({ ...record, state: 'skipped', sinceMs: atMs, why });
      continue;
    }
    working.set(offered(working.head, record, { surroundings, atMs }));
    offers += 1;
  }
  if (offers === 0) return;
  const { startMs, offers: before } = minuteOf(working.head, atMs);
  working.setHead({ minute: { startMs, offers: before + offers } });
}

/** When the owner of a device has it installed at the latest, once they were asked. */
export function consentLatestMs({ plan }: Pick<RolloutHead, 'plan'>, askedMs: number): number {
  return askedMs + (plan.consentBoundMs ?? CONSENT_BOUND_MS);
}

function offered(
  { release }: RolloutHead,
  record: DeviceRecord,
  { surroundings, atMs }: { surroundings: Surroundings; atMs: number },
): DeviceRecord {
  const common = { ...record, state: 'offered' as const, sinceMs: atMs, isOwed: true };
  // What it was before the first offer stays what it goes back to.
  if (record.wasOffered) return common;
  const assigned = surroundings.assigned(record.device);
  const before = assigned === release ? undefined : assigned;
  return { ...common, wasOffered: true, ...(before !== undefined && { before }) };
}

/** Asks the owner where that is due. @returns whether the device can be offered the release. */
function isAgreed(
  working: Working,
  record: DeviceRecord,
  { surroundings, atMs }: { surroundings: Surroundings; atMs: number },
): boolean {
  if (!working.head.plan.needsConsent || !surroundings.hasOwner(record.device)) return true;
  const { consent } = record;
  if (consent === undefined) {
    working.set({ ...record, consent: { askedMs: atMs } });
    return false;
  }
  const latestMs = consentLatestMs(working.head, consent.askedMs);
  return atMs >= Math.min(consent.fromMs ?? latestMs, latestMs);
}

function roomOf(working: Working, atMs: number): number {
  const { inProgressMax, perMinuteMax } = working.head.plan;
  let room = OFFERS_PER_TICK_MAX;
  if (perMinuteMax !== undefined) {
    room = Math.min(room, perMinuteMax - minuteOf(working.head, atMs).offers);
  }
  if (inProgressMax === undefined) return room;
  let inProgress = 0;
  for (const { state, sinceMs, isOverdue } of working.devices()) {
    if (state === 'offered') inProgress += atMs - sinceMs < OFFER_FRESH_MS ? 1 : 0;
    else if (state === 'downloading' || state === 'staged' || state === 'trial') {
      inProgress += isOverdue ? 0 : 1;
    }
  }
  return Math.min(room, inProgressMax - inProgress);
}

function minuteOf({ minute }: RolloutHead, atMs: number): RolloutHead['minute'] {
  const isOver = atMs - minute.startMs >= MINUTE_MS || atMs < minute.startMs;
  return isOver ? { startMs: atMs, offers: 0 } : minute;
}
