/** Rollouts as they are kept: a head for each, and a record for each of its devices. @module */
import { type ActName, isActName } from '@holdfast/protocol';
import { ROLLOUT_DEVICE_STATES, ROLLOUT_STATES, RolloutPlanSchema } from '@holdfast/protocol/api';
import { z } from 'zod';

const count = z.int().min(0);

/** How many devices are in which state. */
const TallySchema = z.object({
  waiting: count,
  offered: count,
  downloading: count,
  staged: count,
  trial: count,
  confirmed: count,
  failed: count,
  reverted: count,
  skipped: count,
  withdrawn: count,
  /** Of those in progress: longer than they may be. */
  overdue: count,
  /** Of the confirmed ones: not heard of for too long. */
  silent: count,
  /** Those of which the director is to be told. */
  owed: count,
});
export type Tally = Readonly<z.infer<typeof TallySchema>>;

/** Something that is to be put on the log, until it is there. */
const NoticeSchema = z.object({
  number: count,
  action: z.custom<ActName>(isActName),
  reason: z.string().optional(),
  facts: z.record(z.string(), z.unknown()),
});
export type Notice = Readonly<z.infer<typeof NoticeSchema>>;

export const RolloutHeadSchema = z.object({
  id: z.string(),
  /** Counted up with each rollout: clocks can be set back. */
  number: count,
  /** What it brings: `<line>@<version>`. */
  release: z.string(),
  plan: RolloutPlanSchema,
  state: z.enum(ROLLOUT_STATES),
  stateBy: z.string(),
  stateReason: z.string(),
  stateAtMs: z.int(),
  createdBy: z.string(),
  createdAtMs: z.int(),
  startedAtMs: z.int().optional(),
  /** Counted up with each start: of two rollouts of a device, the one that began later counts. */
  startNumber: count.optional(),
  /** Whose right to its devices counts: who started it. */
  startedBy: z.string().optional(),
  /** The stage that is open, with all before it. */
  stage: count,
  stageAtMs: z.int(),
  /** Since when enough devices of the stage are confirmed. */
  gateMetMs: z.int().optional(),
  /** By stage. */
  tallies: z.array(TallySchema),
  /** Devices that no stage has reached yet. */
  beyond: TallySchema,
  /** By stage: troubled devices that somebody has seen, and resumed all the same. */
  pardoned: z.array(count),
  /** Devices that were offered the release in the minute that began then. */
  minute: z.object({ startMs: z.int(), offers: count }),
  notices: z.array(NoticeSchema),
  nextNotice: count,
  /** The rollout that has taken over its devices. */
  forwardedTo: z.string().optional(),
});
/** A rollout without its devices. */
export type RolloutHead = Readonly<z.infer<typeof RolloutHeadSchema>>;

export const DeviceRecordSchema = z.object({
  device: z.string(),
  /** Its place among all devices, 0 to 1: of its id and that of the rollout. */
  place: z.number(),
  /** The stage that has reached it; -1 before. */
  stage: z.int().min(-1),
  state: z.enum(ROLLOUT_DEVICE_STATES),
  sinceMs: z.int(),
  /** When it began, by its own report. */
  startedMs: z.int().optional(),
  /** Whether it was ever offered the release; from then on `before` counts. */
  wasOffered: z.boolean(),
  /** The release that the director named before. */
  before: z.string().optional(),
  /** The director is to be told, and has not confirmed it. */
  isOwed: z.boolean(),
  isOverdue: z.boolean(),
  isSilent: z.boolean(),
  why: z.string().optional(),
  /** When its owner was asked, and from when on they agree. */
  consent: z.object({ askedMs: z.int(), fromMs: z.int().optional() }).optional(),
});
/** What a rollout knows of a device. */
export type DeviceRecord = Readonly<z.infer<typeof DeviceRecordSchema>>;
export type RolloutDeviceState = DeviceRecord['state'];

/** States in which a device is at work on the release. */
export const IN_PROGRESS: ReadonlySet<RolloutDeviceState> = new Set([
  'offered',
  'downloading',
  'staged',
  'trial',
]);
/** States in which the director names the release for it. */
const NAMED: ReadonlySet<RolloutDeviceState> = new Set([...IN_PROGRESS, 'confirmed']);

/** What the director is to name for a device of a rollout: an id of a release, or nothing. */
export function wantedOf(
  { release }: Pick<RolloutHead, 'release'>,
  { state, before }: DeviceRecord,
): string | undefined {
  return NAMED.has(state) ? release : before;
}

export const EMPTY_TALLY: Tally = {
  waiting: 0,
  offered: 0,
  downloading: 0,
  staged: 0,
  trial: 0,
  confirmed: 0,
  failed: 0,
  reverted: 0,
  skipped: 0,
  withdrawn: 0,
  overdue: 0,
  silent: 0,
  owed: 0,
};

/** Devices of a tally that a rate is taken of. */
export function membersOf(tally: Tally): number {
  const { waiting, offered, downloading, staged, trial, confirmed, failed, reverted } = tally;
  return waiting + offered + downloading + staged + trial + confirmed + failed + reverted;
}

/** Devices of a tally that something is wrong with. */
export function troubledOf({ failed, reverted, overdue, silent }: Tally): number {
  return failed + reverted + overdue + silent;
}
