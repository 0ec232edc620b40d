/** The course of a value, without axes: only for a glance. @module */
import type { ReactNode } from 'react';
import styles from './sparkline.module.css';

const WIDTH = 120;
const HEIGHT = 28;
const EDGE = 2;

/** A line. What it shows stands beside it as text, so it is hidden from who listens. */
export function Sparkline({
  timesMs,
  values,
}: {
  readonly timesMs: readonly number[];
  readonly values: readonly (number | null)[];
}): ReactNode {
  const known = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const [from = 0, to = 0] = [timesMs[0], timesMs.at(-1)];
  const x = (ms: number): number =>
    to === from ? WIDTH / 2 : EDGE + ((ms - from) / (to - from)) * (WIDTH - 2 * EDGE);
  const y = (value: number): number =>
    high === low ? HEIGHT / 2 : EDGE + (1 - (value - low) / (high - low)) * (HEIGHT - 2 * EDGE);
  let isBegun = false;
  const path = timesMs
    .map((ms, at) => {
      const value = values[at] ?? null;
      const command = isBegun ? 'L' : 'M';
      isBegun = value !== null;
      return value === null ? '' : `${command}${x(ms).toFixed(1)} ${y(value).toFixed(1)}`;
    })
    .join('');
  const last = known.at(-1);
  return (
    <svg className={styles['line']} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path d={path} className={styles['path']} />
      {last !== undefined && <circle cx={x(to)} cy={y(last)} r={2} className={styles['dot']} />}
    </svg>
  );
}
