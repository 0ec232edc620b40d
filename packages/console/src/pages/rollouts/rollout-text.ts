/** Rollouts in words. @module */
import type {
  RolloutDeviceStateName,
  RolloutPlan,
  RolloutStateName,
  RolloutView,
} from '@holdfast/protocol/api';
import { counted } from '../../parts/number-text.ts';
import { spanText } from '../../parts/time-text.ts';
import type { Tone } from '../../parts/tone.ts';

/** How each state of a rollout is shown. */
export const ROLLOUT_TONES: Readonly<Record<RolloutStateName, Tone>> = {
  draft: 'calm',
  'waiting-approval': 'info',
  running: 'good',
  paused: 'warn',
  finished: 'good',
  aborted: 'bad',
};

/** The states of devices, gathered to what a person wants to know, in the order of a bar. */
export const HEALTH = [
  { name: 'confirmed', tone: 'good', states: ['confirmed'] },
  { name: 'in progress', tone: 'info', states: ['offered', 'downloading', 'staged', 'trial'] },
  { name: 'failed or went back', tone: 'bad', states: ['failed', 'reverted'] },
  { name: 'left out', tone: 'warn', states: ['skipped', 'withdrawn'] },
  { name: 'waiting', tone: 'calm', states: ['waiting'] },
] as const satisfies readonly {
  name: string;
  tone: Tone;
  states: readonly RolloutDeviceStateName[];
}[];

/** Devices of each kind of {@link HEALTH}, those that there are none of left out. */
export function healthOf(
  counts: RolloutView['counts'],
): { readonly name: string; readonly tone: Tone; readonly count: number }[] {
  return HEALTH.map(({ name, tone, states }) => ({
    name,
    tone,
    count: states.reduce((sum, state) => sum + (counts[state] ?? 0), 0),
  })).filter(({ count }) => count > 0);
}

/** Which devices a stage reaches, and what opens the next one. */
export function stageText({ select, successRate, soakMs }: RolloutPlan['stages'][number]): string {
  const soak = soakMs === 0 ? '' : `, watched for ${spanText(soakMs)}`;
  return `${selectionText(select)}; goes on when ${percentText(successRate)} are confirmed${soak}`;
}

function selectionText(select: RolloutPlan['stages'][number]['select']): string {
  if ('percent' in select) return `up to ${select.percent} % of the devices`;
  if ('count' in select) return `up to ${counted(select.count, 'device')}`;
  if ('group' in select) return `the group ${select.group}`;
  return counted(select.devices.length, 'named device');
}

/** 0.05 as "5 %". */
export function percentText(rate: number): string {
  return `${Math.round(rate * 1_000) / 10} %`;
}
