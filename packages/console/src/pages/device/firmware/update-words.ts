/** How an update stands, in a word with its tone. Pure. @module */
import type { UpdateStory } from '@holdfast/protocol';
import type { DeviceUpdateStep } from '@holdfast/protocol/api';
import { spanText } from '../../../parts/time-text.ts';
import type { Tone } from '../../../parts/tone.ts';

const BADGES: Readonly<Partial<Record<string, { word: string; tone: Tone }>>> = {
  idle: { word: 'at rest', tone: 'calm' },
  downloading: { word: 'downloading', tone: 'info' },
  verified: { word: 'downloaded', tone: 'info' },
  staged: { word: 'in its slot', tone: 'info' },
  rebooting: { word: 'restarting', tone: 'info' },
  trial: { word: 'on trial', tone: 'info' },
  confirmed: { word: 'confirmed', tone: 'good' },
  reverting: { word: 'going back', tone: 'bad' },
  reverted: { word: 'went back', tone: 'bad' },
  failed: { word: 'failed', tone: 'bad' },
};

/** How an update stands. */
export function storyBadge({ state, isRefused, steps }: UpdateStory): {
  readonly word: string;
  readonly tone: Tone;
} {
  if (isRefused) return { word: 'refused', tone: 'bad' };
  const isOver = state === 'confirmed' || state === 'reverted' || state === 'failed';
  const last = steps.findLast(({ what }) => what === 'assigned');
  const isTakenBack = last?.what === 'assigned' && last.release === undefined;
  if (isTakenBack && !isOver) return { word: 'taken back', tone: 'calm' };
  const nothing = { word: 'nothing told yet', tone: 'calm' } as const;
  return (state === undefined ? undefined : BADGES[state]) ?? nothing;
}

/** What a step means for the update. */
export function stepTone(step: DeviceUpdateStep): Tone {
  if (step.what !== 'told') return 'calm';
  return BADGES[step.state]?.tone ?? 'calm';
}

/** When each step was, as a clock shows it: the date stands where it is another one than before. */
export function stepTimes(steps: readonly DeviceUpdateStep[]): readonly string[] {
  return steps.map(({ at }, place) => {
    const date = new Date(at);
    const before = steps[place - 1];
    const isSameDay =
      before !== undefined && new Date(before.at).toDateString() === date.toDateString();
    const time = date.toLocaleTimeString(undefined, { timeStyle: 'medium' });
    return isSameDay
      ? time
      : `${date.toLocaleDateString(undefined, { dateStyle: 'medium' })}, ${time}`;
  });
}

/** Why, where it was not said by the step before. */
export function whyOf(steps: readonly DeviceUpdateStep[], place: number): string | undefined {
  const [before, step] = [steps[place - 1], steps[place]];
  if (step?.what !== 'told') return undefined;
  return before?.what === 'told' && before.why === step.why ? undefined : step.why;
}

/** From the assignment to the end that the device told; undefined while it goes on. */
export function tookText({ steps, isRefused }: UpdateStory): string | undefined {
  if (isRefused) return undefined;
  const begin = steps.find(({ what }) => what === 'assigned');
  const end = steps.find(
    (step) =>
      step.what === 'told' &&
      (step.state === 'confirmed' || step.state === 'reverted' || step.state === 'failed'),
  );
  if (begin === undefined || end === undefined) return undefined;
  return spanText(Math.max(0, Date.parse(end.at) - Date.parse(begin.at)));
}
