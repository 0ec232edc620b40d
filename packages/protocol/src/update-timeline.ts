/** The steps of a device's updates, put in order and in words; for pages and terminals. Pure. @module */
import type { DeviceUpdateStep } from './api-device-updates.ts';

type ToldStep = Extract<DeviceUpdateStep, { what: 'told' }>;
type AssignedStep = Extract<DeviceUpdateStep, { what: 'assigned' }>;

/** A state that a device can tell. */
export type ToldUpdateState = ToldStep['state'];

/** What the states of an update mean, in the order in which one goes through them. */
export const UPDATE_STATE_WORDS: Readonly<Record<ToldUpdateState, string>> = {
  idle: 'At rest',
  downloading: 'Downloading',
  verified: 'Signatures checked',
  staged: 'In the other slot',
  rebooting: 'Restarting',
  trial: 'On trial',
  confirmed: 'Confirmed',
  reverting: 'Going back to the slot before',
  reverted: 'Went back to the slot before',
  failed: 'Failed',
};

/** One update: what led to it, and how far the device came. */
export interface UpdateStory {
  /** What was to be installed; undefined where nothing was. */
  readonly release: string | undefined;
  /** How it stands: what the device told last; undefined when it told nothing. */
  readonly state: ToldUpdateState | undefined;
  /** Whether the device gave it up before it began: it may not install it. */
  readonly isRefused: boolean;
  /** Oldest first. */
  readonly steps: readonly DeviceUpdateStep[];
}

interface Draft {
  release: string | undefined;
  readonly steps: DeviceUpdateStep[];
}

/** States that end an update. */
const ENDS: ReadonlySet<string> = new Set(['confirmed', 'reverted', 'failed']);

/**
 * The updates that some steps were, the newest first. What is told late, of an update before the
 * one that goes on, stands with the update that it is about.
 * @param steps - newest first, as the API gives them
 */
export function updateStories(steps: readonly DeviceUpdateStep[]): UpdateStory[] {
  const drafts: Draft[] = [];
  for (const step of steps.toReversed()) {
    const draft = draftFor(step, drafts);
    if (draft === undefined) drafts.push({ release: releaseOf(step), steps: [step] });
    else {
      draft.steps.push(step);
      draft.release ??= releaseOf(step);
    }
  }
  return drafts.toReversed().map(storyOf);
}

/** The update that a step belongs to; undefined when it begins one. */
function draftFor(step: DeviceUpdateStep, drafts: readonly Draft[]): Draft | undefined {
  const last = drafts.at(-1);
  if (last === undefined || step.what === 'agreed') return undefined;
  if (step.what === 'assigned') return isOf(step, last) ? last : undefined;
  const ofRelease = drafts.findLast(({ release }) => release === step.release);
  const before = ofRelease && lastTold(ofRelease.steps);
  const isNewTry = before !== undefined && ENDS.has(before.state) && !isAfterEnd(step);
  return isNewTry ? undefined : ofRelease;
}

/** A device that confirmed can go back yet; one that has ended otherwise begins a new update. */
function isAfterEnd({ state }: ToldStep): boolean {
  return ENDS.has(state) || state === 'reverting';
}

/**
 * Whether an assignment belongs to the update before it: the owner had agreed to it, it was taken
 * back, or what ran before is named again as the update failed.
 */
function isOf(step: AssignedStep, { release, steps }: Draft): boolean {
  if (steps.every(({ what }) => what === 'agreed')) return true;
  if (step.release === undefined) return step.before === undefined || step.before === release;
  const assigned = steps.findLast(({ what }) => what === 'assigned');
  const isBack = assigned?.what === 'assigned' && assigned.before === step.release;
  const state = lastTold(steps)?.state;
  return isBack && (state === 'failed' || state === 'reverted');
}

function releaseOf(step: DeviceUpdateStep): string | undefined {
  return step.what === 'agreed' ? undefined : step.release;
}

function lastTold(steps: readonly DeviceUpdateStep[]): ToldStep | undefined {
  return steps.findLast((step) => step.what === 'told');
}

function storyOf({ release, steps }: Draft): UpdateStory {
  const told = steps.filter((step) => step.what === 'told');
  const state = told.at(-1)?.state;
  return { release, state, isRefused: state === 'failed' && told.length === 1, steps };
}

/** A step of an update in a few words. */
export function updateStepWords(
  step: DeviceUpdateStep,
  { release, isRefused }: UpdateStory,
): string {
  if (step.what === 'agreed') return 'The owner agreed';
  if (step.what === 'told') {
    return step.state === 'failed' && isRefused
      ? 'Refused by the device'
      : UPDATE_STATE_WORDS[step.state];
  }
  if (step.release === undefined) return 'Taken back: it is to stay as it is';
  return step.release === release ? 'Assigned' : `Told to run ${step.release} again`;
}
