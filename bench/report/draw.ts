/** Draws the results as one picture: bars for each case. @module */
import { BASELINE } from '../brokers/index.ts';
import { type CaseResult, type RunResult, type TargetResult, spreadOf } from '../results.ts';
import { connectCpuOf, cpuOf, idleKilobytesOf, rateOf } from './table.ts';

/** A group of bars. */
interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

interface Bar {
  readonly name: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const WIDTH = 860;
const NAME_WIDTH = 170;
const BAR_WIDTH = 500;
const BAR_HEIGHT = 18;
const TITLE_HEIGHT = 40;
const MARGIN = 16;

/** Draws all cases that have a result. Gives SVG. */
export function drawResults(results: readonly CaseResult[]): string {
  const charts = results.flatMap(chartsOf).filter(({ bars }) => bars.length > 0);
  let top = MARGIN;
  const parts: string[] = [];
  for (const chart of charts) {
    parts.push(drawChart(chart, top));
    top += TITLE_HEIGHT + chart.bars.length * (BAR_HEIGHT + 4) + MARGIN;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${top}" `,
    `viewBox="0 0 ${WIDTH} ${top}" font-family="sans-serif" font-size="12">\n`,
    `<rect width="100%" height="100%" fill="#ffffff"/>\n`,
    ...parts,
    '</svg>\n',
  ].join('');
}

function chartsOf({ title, kind, targets }: CaseResult): Chart[] {
  const chart = (unit: string, read: (run: RunResult) => number | undefined): Chart => ({
    title,
    unit,
    bars: targets.flatMap((target) => barOf(target, read)),
  });
  if (kind === 'flow') {
    return [
      chart('messages/s, more is better', rateOf),
      chart('broker CPU µs a message, less is better', cpuOf),
    ];
  }
  if (kind === 'latency')
    return [chart('p99 ms, less is better', ({ flow }) => flow?.latencyMs?.p99)];
  if (kind === 'idle') return [chart('kB a connection, less is better', idleKilobytesOf)];
  return [
    chart('CPU µs, full handshake, less is better', (run) => connectCpuOf(run, 'full')),
    chart('CPU µs, resumed, less is better', (run) => connectCpuOf(run, 'resumed')),
  ];
}

function barOf({ name, runs }: TargetResult, read: (run: RunResult) => number | undefined): Bar[] {
  const spread = spreadOf(runs.map(read));
  return spread === undefined ? [] : [{ name, ...spread }];
}

function drawChart({ title, unit, bars }: Chart, top: number): string {
  const largest = Math.max(...bars.map(({ high }) => high), Number.MIN_VALUE);
  const x = (value: number): number => NAME_WIDTH + (value / largest) * BAR_WIDTH;
  const baseline = bars.find(({ name }) => name === BASELINE)?.median;
  const rows = bars.map(({ name, median, low, high }, at) => {
    const y = top + TITLE_HEIGHT + at * (BAR_HEIGHT + 4);
    const middle = y + BAR_HEIGHT / 2;
    const ratio = baseline === undefined ? '' : ` (${(median / baseline).toFixed(2)} ×)`;
    return [
      text({ x: NAME_WIDTH - 8, y: middle + 4, anchor: 'end' }, name),
      `<rect x="${NAME_WIDTH}" y="${y}" width="${(x(median) - NAME_WIDTH).toFixed(1)}" `,
      `height="${BAR_HEIGHT}" fill="${colorOf(name)}"/>\n`,
      `<path d="M${x(low).toFixed(1)} ${middle}H${x(high).toFixed(1)}" stroke="#222222"/>\n`,
      text({ x: x(high) + 8, y: middle + 4, anchor: 'start' }, `${shorten(median)}${ratio}`),
    ].join('');
  });
  return [
    text({ x: MARGIN, y: top + 14, anchor: 'start', weight: 'bold' }, title),
    text({ x: MARGIN, y: top + 30, anchor: 'start' }, unit),
    ...rows,
  ].join('');
}

export function text(
  at: { x: number; y: number; anchor: 'start' | 'end'; weight?: 'bold' },
  content: string,
): string {
  const { x, y, anchor, weight = 'normal' } = at;
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}" font-weight="${weight}">${escaped}</text>\n`;
}

/** Holdfast in one color, the baseline in another, the rest in grey. */
function colorOf(name: string): string {
  if (name.startsWith('holdfast')) return '#1f6feb';
  return name === BASELINE ? '#d2711b' : '#9aa4ae';
}

function shorten(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(value >= 10 ? 1 : 2);
}
