/** A row of bars that shows how values go up and down. @module */

const BARS = '▁▂▃▄▅▆▇█';

/** As many bars as `width` at most; each is the mean of the values that fall on it. */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(values.length, Math.max(1, width));
  const means = Array.from({ length: count }, (_, at) => {
    const start = Math.floor((at * values.length) / count);
    const end = Math.floor(((at + 1) * values.length) / count);
    const part = values.slice(start, end);
    return part.reduce((sum, value) => sum + value / part.length, 0);
  });
  const low = Math.min(...means);
  const span = Math.max(...means) - low;
  return means
    .map((mean) => BARS[span > 0 ? Math.round(((mean - low) / span) * (BARS.length - 1)) : 0])
    .join('');
}
