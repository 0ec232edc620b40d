/** What became of the updates of one device: what it told, and what others did for it. @module */
import type { DeviceUpdateList, DeviceUpdateStep } from '@holdfast/protocol/api';
import type { ActRecord } from '../telemetry/index.ts';
import { UPDATE_STEPS_KEPT_MAX } from '../update/index.ts';
import type { ApiDeps } from './deps.ts';
import { UPDATE_ACTS_READ_MAX } from './limits.ts';
import { isoTime } from './views.ts';

interface Timed {
  readonly atMs: number;
  readonly step: DeviceUpdateStep;
}

/** The steps of a device, newest first: its own are kept, those of others stand on the audit log. */
export async function updateTimeline(
  device: string,
  { updates, targetActs }: Pick<ApiDeps, 'updates' | 'targetActs'>,
): Promise<DeviceUpdateList> {
  const { acts, next } = await targetActs.of(device, { limit: UPDATE_ACTS_READ_MAX });
  const told = updates.reports.stepsOf(device);
  const isCut = told.length === UPDATE_STEPS_KEPT_MAX;
  // What was assigned before looks like nothing came of it, as what the device told is gone.
  const sinceMs = isCut ? (told[0]?.atMs ?? 0) : 0;
  const own = told.map(({ atMs, ...step }): Timed => {
    return { atMs, step: { what: 'told', at: isoTime(atMs), ...step } };
  });
  const ofOthers = acts
    .toReversed()
    .filter(({ atMs }) => atMs >= sinceMs)
    .flatMap((act) => stepOf(act) ?? []);
  // In the same millisecond what is assigned comes first: the order of these is kept.
  const steps = [...ofOthers, ...own].toSorted((a, b) => a.atMs - b.atMs);
  const isComplete = next === undefined && !isCut;
  return { device, steps: steps.toReversed().map(({ step }) => step), isComplete };
}

/** The step that an act was; undefined for one that has nothing to do with updates. */
function stepOf({ atMs, action, principal: by, reason, facts }: ActRecord): Timed | undefined {
  const at = isoTime(atMs);
  if (action === 'rollout.consent') return { atMs, step: { what: 'agreed', at, by } };
  if (action !== 'update.assign') return undefined;
  const release = releaseIn(facts, 'release');
  const before = releaseIn(facts, 'before');
  const rollout = by === 'server' ? ROLLOUT.exec(reason ?? '')?.[1] : undefined;
  const why = rollout === undefined ? reason : undefined;
  const step: DeviceUpdateStep = {
    what: 'assigned',
    at,
    by,
    ...(release !== undefined && { release }),
    ...(before !== undefined && { before }),
    ...(rollout !== undefined && { rollout }),
    ...(why !== undefined && { reason: why }),
  };
  return { atMs, step };
}

/** The server gives a rollout as the reason for what it assigns. */
const ROLLOUT = /^rollout ([0-9a-f]{8})$/u;

/** `none` is told of no release: an id has a version behind an @. */
function releaseIn(facts: ActRecord['facts'], name: string): string | undefined {
  const value = facts?.[name];
  return typeof value === 'string' && value.includes('@') ? value : undefined;
}
