/** Draws how queries grow with the number of readings, both axes logarithmic. @module */
import type { Measured } from './measure.ts';

const WIDTH = 760;
const HEIGHT = 360;
const LEFT = 60;
const RIGHT = 250;
const TOP = 30;
const BOTTOM = 40;
const COLORS = ['#0b6bcb', '#c0392b', '#1e8449', '#8e44ad', '#b9770e'];
const NAME_HEIGHT = 15;
const MS_MIN = 0.01;
const MS_MAX = 1_000;

const count = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** An SVG picture: a line for each query. */
export function drawGrowth(measured: readonly Measured[]): string {
  const sizes = measured.map(({ readings }) => readings);
  const [low, high] = [Math.log10(Math.min(...sizes)), Math.log10(Math.max(...sizes))];
  const x = (readings: number): number => {
    const part = high > low ? (Math.log10(readings) - low) / (high - low) : 0.5;
    return LEFT + part * (WIDTH - LEFT - RIGHT);
  };
  const y = (ms: number): number => {
    const part = Math.log10(Math.max(ms, MS_MIN) / MS_MIN) / Math.log10(MS_MAX / MS_MIN);
    return HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM);
  };
  const grid = [0.01, 0.1, 1, 10, 100, 1_000].map(
    (ms) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(ms)}" y2="${y(ms)}" stroke="#ddd"/>` +
      `<text x="${LEFT - 6}" y="${y(ms) + 4}" text-anchor="end">${ms} ms</text>`,
  );
  const ticks = sizes.map(
    (size) =>
      `<text x="${x(size)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">` +
      `${count.format(size)}</text>`,
  );
  const curves = Object.keys(measured[0]?.queries ?? {}).map((name, at) => {
    const points = measured.map(
      ({ readings, queries }) => [x(readings), y(queries[name]?.medianMs ?? MS_MIN)] as const,
    );
    return { name, color: COLORS[at % COLORS.length], points, endsAt: points.at(-1)?.[1] ?? 0 };
  });
  // From the top; each name stands beside the end of its line, and below the name before it.
  curves.sort((a, b) => a.endsAt - b.endsAt);
  let above = 0;
  const lines = curves.map(({ name, color, points, endsAt }) => {
    above = Math.max(endsAt + 4, above + NAME_HEIGHT);
    const places = points.map((point) => point.map((value) => value.toFixed(1)).join(','));
    return (
      `<polyline points="${places.join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>` +
      `<text x="${WIDTH - RIGHT + 8}" y="${above.toFixed(1)}" fill="${color}">${name}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
      `font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="18">Time of a query (median) by readings in the store</text>`,
    ...grid,
    ...ticks,
    ...lines,
    '</svg>\n',
  ].join('\n');
}
