/** Draws the memory of a server over time. @module */
import { text } from './draw.ts';

const WIDTH = 760;
const HEIGHT = 260;
const MARGIN = 56;

/** A point in time. */
export interface MemoryPoint {
  readonly seconds: number;
  readonly megabytes: number;
}

/**
 * An SVG, from zero upwards: a picture that cannot make a slope look flat.
 * @param live - What was alive on the heap whenever all garbage had been collected; a second line.
 */
export function drawMemory(
  points: readonly MemoryPoint[],
  live: readonly MemoryPoint[] = [],
): string {
  const secondsMax = Math.max(1, ...points.map(({ seconds }) => seconds));
  const megabytesMax = Math.max(1, ...points.map(({ megabytes }) => megabytes)) * 1.1;
  const x = (seconds: number): number => MARGIN + (seconds / secondsMax) * (WIDTH - 2 * MARGIN);
  const y = (megabytes: number): number =>
    HEIGHT - MARGIN - (megabytes / megabytesMax) * (HEIGHT - 2 * MARGIN);
  const line = (through: readonly MemoryPoint[], color: string): string => {
    const path = through
      .map(({ seconds, megabytes }) => `${x(seconds).toFixed(1)},${y(megabytes).toFixed(1)}`)
      .join(' ');
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>\n`;
  };
  const title =
    'Memory of the server, MB: of the process (blue), and what is alive on its heap (orange)';
  const base = HEIGHT - MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" `,
    'font-family="sans-serif" font-size="12">\n',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>\n`,
    `<line x1="${MARGIN}" y1="${base}" x2="${WIDTH - MARGIN}" y2="${base}" stroke="#9aa4ae"/>\n`,
    line(points, '#1f6feb'),
    line(live, '#d2711b'),
    text({ x: MARGIN, y: 24, anchor: 'start', weight: 'bold' }, title),
    text(
      { x: MARGIN - 6, y: Math.round(y(megabytesMax / 1.1)), anchor: 'end' },
      (megabytesMax / 1.1).toFixed(0),
    ),
    text({ x: MARGIN - 6, y: base, anchor: 'end' }, '0'),
    text({ x: WIDTH - MARGIN, y: base + 20, anchor: 'end' }, `${(secondsMax / 60).toFixed(0)} min`),
    '</svg>\n',
  ].join('');
}
