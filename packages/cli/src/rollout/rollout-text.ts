/** Rollouts, and who would get them, as people read them. @module */
import type { RolloutForecast, RolloutStage, RolloutView } from '@holdfast/protocol/api';
import { countText } from '../device-selection.ts';
import { localTime, spanText } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import type { World } from '../world.ts';

const BAR_WIDTH = 24;
/** Devices that a dry run names of each kind. */
const LISTED_MAX = 5;

type Reader = Pick<World, 'stdout' | 'timeZone'>;
type Counts = RolloutView['counts'];

/** One line for each rollout. */
export function rolloutsText(rollouts: readonly RolloutView[], { timeZone }: Reader): string {
  if (rollouts.length === 0) return 'There are no rollouts yet.\n';
  const rows = rollouts.map(({ id, release, state, stage, stages, counts, devices, stateAt }) => [
    id,
    printable(release),
    state,
    `stage ${Math.min(stage + 1, stages.length)} of ${stages.length}`,
    `${counts.confirmed} of ${devices} confirmed`,
    troubleText(counts),
    localTime(stateAt, timeZone),
  ]);
  return table(rows);
}

/** A rollout with a bar for each stage. */
export function rolloutText(rollout: RolloutView, world: Reader): string {
  const { id, release, state, stateBy, stateAt, stateReason, plan } = rollout;
  const paint = paintFor(world.stdout);
  const since = localTime(stateAt, world.timeZone);
  const shownState = state === 'paused' || state === 'aborted' ? paint.bad(state) : state;
  const lines = [
    `${paint.strong(printable(release))}  rollout ${id}: ${shownState} by ${printable(stateBy)}, ${since}`,
  ];
  if (stateReason !== '') lines.push(`  ${printable(stateReason)}`);
  if (state === 'running' && !rollout.isInWindow) lines.push('  Its windows are closed now.');
  const rows = rollout.stages.map((stage, at) => stageRow(rollout, stage, at));
  const beyond = rollout.devices - rollout.stages.reduce((sum, one) => sum + one.devices, 0);
  lines.push(table(rows, 2).trimEnd());
  if (beyond > 0) lines.push(`  ${countText(beyond)} that no stage has reached`);
  if (plan.needsConsent) lines.push('  Owners are asked first.');
  if (rollout.reasons.length > 0) lines.push('Why devices failed or went back:');
  for (const { why, count } of rollout.reasons) lines.push(`  ${count} × ${printable(why)}`);
  const next = nextStep(rollout);
  if (next !== undefined) lines.push(paint.faint(next));
  return `${lines.join('\n')}\n`;
}

/** What a dry run has found. */
export function forecastText({
  release,
  devices,
  asked,
  stages,
  excluded,
}: RolloutForecast): string {
  const lines = [`${countText(devices)} would get ${printable(release)}.`];
  if (asked > 0) lines.push(`The owners of ${asked} of them are asked first.`);
  const rows = stages.map(({ devices: count, listed }, at) => [
    `stage ${at + 1}`,
    countText(count),
    listedText(listed, count),
  ]);
  lines.push(table(rows, 2).trimEnd());
  for (const { code, devices: count, listed } of excluded) {
    lines.push(`${countText(count)} would not (${code}):`);
    for (const { why } of listed.slice(0, LISTED_MAX)) lines.push(`  ${printable(why)}`);
    if (count > LISTED_MAX) lines.push(`  and ${count - LISTED_MAX} more`);
  }
  return `${lines.join('\n')}\n`;
}

/** As many characters as there are shares: confirmed, at work, failed, and the rest. */
export function bar(counts: Counts, devices: number): string {
  const { confirmed, failed, reverted, offered, downloading, staged, trial } = counts;
  const width = (count: number): number =>
    devices === 0 ? 0 : Math.floor((count * BAR_WIDTH) / devices);
  const bad = failed + reverted === 0 ? 0 : Math.max(1, width(failed + reverted));
  const good = Math.min(width(confirmed), BAR_WIDTH - bad);
  const busy = Math.min(width(offered + downloading + staged + trial), BAR_WIDTH - bad - good);
  const rest = BAR_WIDTH - good - busy - bad;
  return `${'█'.repeat(good)}${'▒'.repeat(busy)}${'✗'.repeat(bad)}${'·'.repeat(rest)}`;
}

function stageRow(
  { plan, stage: open, gateMetAt }: RolloutView,
  { devices, counts, overdue, silent }: RolloutView['stages'][number],
  at: number,
): string[] {
  const stage = plan.stages[at];
  const what = stage === undefined ? '' : selectionText(stage);
  if (at > open) return [`${at + 1}`, what, '·'.repeat(BAR_WIDTH), 'not open yet'];
  const busy = counts.offered + counts.downloading + counts.staged + counts.trial;
  const parts = [`${counts.confirmed} of ${devices} confirmed`];
  if (counts.waiting > 0) parts.push(`${counts.waiting} waiting`);
  if (busy > 0) parts.push(`${busy} in progress`);
  const trouble = troubleText(counts);
  if (trouble !== '') parts.push(trouble);
  if (overdue > 0) parts.push(`${overdue} overdue`);
  if (silent > 0) parts.push(`${silent} silent`);
  if (at === open && gateMetAt !== undefined && (stage?.soakMs ?? 0) > 0) {
    parts.push(`watched for ${spanText(stage?.soakMs ?? 0)}`);
  }
  return [`${at + 1}`, what, bar(counts, devices), parts.join(', ')];
}

function selectionText({ select }: RolloutStage): string {
  if ('percent' in select) return `${select.percent} %`;
  if ('count' in select) return countText(select.count);
  if ('group' in select) return `group ${printable(select.group)}`;
  return countText(select.devices.length);
}

function troubleText({ failed, reverted, skipped, withdrawn }: Counts): string {
  return Object.entries({ failed, reverted, skipped, withdrawn })
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${count} ${what}`)
    .join(', ');
}

function listedText(listed: readonly string[], count: number): string {
  const named = listed.slice(0, LISTED_MAX).map(printable).join(', ');
  return count > LISTED_MAX ? `${named}, …` : named;
}

function nextStep({ id, state }: RolloutView): string | undefined {
  if (state === 'draft') return `Start it: holdfast rollout start ${id}`;
  if (state === 'waiting-approval') {
    return `When somebody has approved it: holdfast rollout start ${id}`;
  }
  if (state !== 'paused') return undefined;
  return `Go on: holdfast rollout resume ${id}; or with a newer release: rollout forward ${id} …`;
}
