/** What a simulation shows of itself: one screen on a terminal, a line where there is none. Pure. @module */
import { spanText } from '../local-time.ts';
import type { Paint } from '../paint.ts';
import { printable } from '../printable.ts';
import { table } from '../table.ts';
import { REASONS_SHOWN_MAX } from './limits.ts';
import { MISDEED_TEXTS } from './misdeeds.ts';
import type { PlannedDevice } from './plan.ts';
import type { RefusedKind } from './refusal-tally.ts';

/** How a simulation stands. */
export interface Figures {
  readonly devices: number;
  readonly connected: number;
  readonly readingsPerSecond: number;
  readonly acknowledged: number;
  readonly keptBefore: number;
  readonly passedOver: number;
  readonly commands: number;
  readonly reconnects: number;
  readonly refused: readonly RefusedKind[];
  /** Why a device cannot go on, and how many cannot. */
  readonly trouble?: { readonly count: number; readonly example: string } | undefined;
  readonly runningMs: number;
}

/** What is said above the figures. */
export interface ScreenFacts {
  readonly kind: string;
  /** Where the console is. */
  readonly console: string;
  /** Who misbehaves. */
  readonly misbehaving: readonly PlannedDevice[];
  /** What takes it away again. */
  readonly removal: string;
}

/** The lines of the screen. */
export function screenText(figures: Figures, facts: ScreenFacts, paint: Paint): string {
  const { devices, connected, runningMs, trouble } = figures;
  const away = devices - connected;
  const rows = [
    ['connected', `${count(connected)} of ${count(devices)}${away === 0 ? '' : `, ${away} away`}`],
    ['readings', readingsText(figures)],
    ['commands', figures.commands === 0 ? 'none yet' : `${count(figures.commands)} answered`],
    ['refused', refusedText(figures, paint)],
    ...(trouble === undefined ? [] : [['trouble', paint.bad(troubleText(trouble))]]),
  ];
  const head = `${paint.strong(`Simulating ${count(devices)} × ${facts.kind}`)} for ${spanText(runningMs)}`;
  return `${head}\n\n${table(rows, 2)}${reasons(figures, facts)}\n${paint.faint(howToEnd(facts))}\n`;
}

/** The same in one line. */
export function lineText(figures: Figures): string {
  const { devices, connected, readingsPerSecond, acknowledged, refused, commands } = figures;
  const codes = refused.map((kind) => `${kind.code} ${count(kind.count)}`);
  const parts = [
    `${connected} of ${devices} connected`,
    `${readingsPerSecond.toFixed(1)} readings/s, ${count(acknowledged)} so far`,
    `${commands} commands`,
    codes.length === 0 ? 'nothing refused' : `refused ${codes.join(', ')}`,
  ];
  return `${parts.join('; ')}\n`;
}

/** The same for programs. */
export function figuresJson(figures: Figures, at: string): Record<string, unknown> {
  const { refused, readingsPerSecond, trouble, ...rest } = figures;
  return {
    at,
    ...rest,
    readingsPerSecond: Math.round(readingsPerSecond * 10) / 10,
    refused: Object.fromEntries(refused.map((kind) => [kind.code, kind.count])),
    ...(trouble !== undefined && { trouble }),
  };
}

/** Who misbehaves, one a line; empty when nobody does. */
export function misbehavingText(misbehaving: readonly PlannedDevice[]): string {
  const rows = misbehaving.flatMap(({ id, misdeed }) =>
    misdeed === undefined ? [] : [[id, MISDEED_TEXTS[misdeed]]],
  );
  return rows.length === 0 ? '' : table(rows, 2);
}

function readingsText({ readingsPerSecond, ...figures }: Figures): string {
  const { acknowledged, keptBefore, passedOver } = figures;
  const kept = keptBefore === 0 ? '' : `, ${count(keptBefore)} of them measured before`;
  const over = passedOver === 0 ? '' : `; ${count(passedOver)} passed over`;
  return `${readingsPerSecond.toFixed(1)} a second, ${count(acknowledged)} so far${kept}${over}`;
}

function refusedText({ refused }: Figures, paint: Paint): string {
  const total = refused.reduce((sum, kind) => sum + kind.count, 0);
  if (total === 0) return 'nothing yet, as the server counts';
  return paint.bad(`${count(total)}, as the server counts`);
}

function reasons({ refused }: Figures, { misbehaving, console: url }: ScreenFacts): string {
  const rows = refused
    .slice(0, REASONS_SHOWN_MAX)
    .map(({ code, count: times, device }) => [
      code,
      `${count(times)} ×`,
      whoText(device, misbehaving),
    ]);
  const list = rows.length === 0 ? '' : `\n${table(rows, 4)}`;
  return `${list}\n  See it in the console: ${printable(url)}\n`;
}

function whoText(device: string, misbehaving: readonly PlannedDevice[]): string {
  const misdeed = misbehaving.find(({ id }) => id === device)?.misdeed;
  const what = misdeed === undefined ? '' : ` ${MISDEED_TEXTS[misdeed]}`;
  return `${printable(device)}${what}`;
}

function troubleText({ count: devices, example }: NonNullable<Figures['trouble']>): string {
  return `${count(devices)} cannot go on: ${printable(example)}`;
}

function count(number: number): string {
  return new Intl.NumberFormat('en').format(number);
}

function howToEnd({ removal }: ScreenFacts): string {
  return `Ctrl-C stops it; the devices stay. To take them away: ${printable(removal)}`;
}

/** The command that takes a simulation away. */
export function removalCommand(data: string | undefined): string {
  return `holdfast simulate remove${data === undefined ? '' : ` --data ${data}`}`;
}
