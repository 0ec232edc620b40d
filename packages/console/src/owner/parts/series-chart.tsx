/** A series of numbers over a time, small. @module */
import { type PointerEvent, type ReactNode, useState } from 'react';
import { type ChartPoint, HEIGHT, WIDTH, nearest, shapesOf } from './chart-path.ts';
import styles from './series-chart.module.css';

/** What a chart shows. */
export interface SeriesChartProps {
  readonly name: string;
  readonly points: readonly ChartPoint[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Two points that are further apart are not joined. */
  readonly gapMs: number;
  /** What the time is called: "the last hour", "since 8:31 PM". */
  readonly span: string;
  readonly text: (value: number) => string;
  /** A value holds until the next one: it is on or off, and nothing in between. */
  readonly isStepped: boolean;
}

export function SeriesChart(props: SeriesChartProps): ReactNode {
  const { name, points, fromMs, toMs, gapMs, span, text, isStepped } = props;
  const [atMs, setAtMs] = useState<number>();
  if (points.length === 0) return <p className={styles['scale']}>Nothing came in {span}.</p>;
  const { line, band, lone, low, high } = shapesOf(points, { fromMs, toMs, gapMs, isStepped });
  const shown = atMs === undefined ? undefined : nearest(points, atMs);
  const range = rangeText(text(low), text(high), isStepped);
  const follow = (event: PointerEvent<SVGSVGElement>): void => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setAtMs(fromMs + ((event.clientX - left) / width) * (toMs - fromMs));
  };
  const cursorX = shown === undefined ? 0 : ((shown.atMs - fromMs) / (toMs - fromMs)) * WIDTH;
  return (
    <figure className={styles['chart']}>
      <svg
        className={styles['plot']}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${name}, ${span}: ${range}.`}
        onPointerDown={follow}
        onPointerMove={follow}
        onPointerLeave={() => setAtMs(undefined)}
      >
        <path className={styles['grid']} d={`M0 0H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
        <path className={styles['band']} d={band} />
        <path className={styles['line']} d={line} />
        <path className={styles['lone']} d={lone} />
        {shown !== undefined && <path className={styles['cursor']} d={`M${cursorX} 0V${HEIGHT}`} />}
      </svg>
      <figcaption className={styles['scale']}>
        <span>{shown === undefined ? range : text(shown.value)}</span>
        <span>{shown === undefined ? span : timeText(shown.atMs)}</span>
      </figcaption>
    </figure>
  );
}

function rangeText(low: string, high: string, isStepped: boolean): string {
  if (low === high) return isStepped ? `always ${low}` : low;
  return isStepped ? `${low} and ${high}` : `between ${low} and ${high}`;
}

function timeText(atMs: number): string {
  return new Date(atMs).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
}
