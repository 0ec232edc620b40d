/** A chart over time. @module */
import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import UPlot from 'uplot';
import { timeTexts } from './chart-times.ts';
import type { Tone } from './tone.ts';
import styles from './chart.module.css';

/** One line of a chart. */
export interface ChartLine {
  readonly label: string;
  /** One for each time; null where nothing is known, which is shown as a gap. */
  readonly values: readonly (number | null)[];
  readonly tone: Tone;
  /** Filled down to zero. */
  readonly isArea?: boolean;
}

/** An area of a chart; null where nothing is known. */
export interface ChartBand {
  readonly label: string;
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
  readonly tone: Tone;
}

/** What a chart shows. */
export interface ChartProps {
  /** Milliseconds since 1970, ascending. */
  readonly timesMs: readonly number[];
  readonly lines: readonly ChartLine[];
  /** An area between a lowest and a highest value, such as of spans of time. */
  readonly band?: ChartBand;
  /** The first and the last time of the axis; without it, those of the data. */
  readonly spanMs?: readonly [from: number, to: number];
  /** How a value is written, with its unit. */
  readonly valueText: (value: number) => string;
  /** The same in a sentence, for who cannot see it. */
  readonly summary: string;
  readonly heightPx?: number;
  /** Names the lines below; true unless told. */
  readonly hasLegend?: boolean;
  /** The vertical axis begins at zero; true unless told. */
  readonly isFromZero?: boolean;
  /** Called with the place of the time that the pointer is at; undefined when it leaves. */
  readonly onPoint?: (at: number | undefined) => void;
}

/** A chart that follows the width of its place and the theme. */
export function Chart(props: ChartProps): ReactNode {
  const { timesMs, lines, band, summary, heightPx = 180, hasLegend = true } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const latest = useRef(props);
  const scheme = useComputedColorScheme('light');
  latest.current = props;
  const [fromMs, toMs] = props.spanMs ?? [];
  const shape = [...lines, ...(band ? [band] : [])]
    .map(({ label, tone }) => `${label}/${tone}`)
    .join();
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new UPlot(
      optionsOf(element, latest),
      dataOf({ band: undefined, ...latest.current }),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: heightPx });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [scheme, shape, heightPx]);
  useEffect(() => {
    plot.current?.setData(dataOf({ timesMs, lines, band }));
  }, [timesMs, lines, band, fromMs, toMs]);
  return (
    <figure className={styles['chart']} role="img" aria-label={summary}>
      <div ref={place} style={{ height: heightPx }} />
      {hasLegend && (
        <figcaption className={styles['legend']} aria-hidden="true">
          {lines.map(({ label, tone }) => (
            <span key={label} className={styles['key']} data-tone={tone}>
              {label}
            </span>
          ))}
          {band !== undefined && (
            <span className={styles['key']} data-tone={band.tone} data-band="true">
              {band.label}
            </span>
          )}
        </figcaption>
      )}
    </figure>
  );
}

function dataOf({
  timesMs,
  lines,
  band,
}: Pick<ChartProps, 'timesMs' | 'lines'> & {
  readonly band: ChartBand | undefined;
}): UPlot.AlignedData {
  // What comes first is drawn first: lines stand before the band.
  const edges = band === undefined ? [] : [[...band.low], [...band.high]];
  const rows = lines.map(({ values }) => [...values]);
  return [timesMs.map((ms) => ms / 1_000), ...edges, ...rows];
}

function optionsOf(element: HTMLElement, latest: { readonly current: ChartProps }): UPlot.Options {
  const { lines, band, heightPx = 180, isFromZero = true } = latest.current;
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const axis: UPlot.Axis = {
    stroke: color('--mantine-color-dimmed'),
    grid: { stroke: color('--holdfast-line'), width: 1 },
    ticks: { show: false },
    font: `12px ${style.fontFamily}`,
  };
  return {
    width: element.clientWidth,
    height: heightPx,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: (_, low, high) => spanOf(latest.current, [low, high]) },
      y: { range: (_, low, high) => rangeOf(low, high, isFromZero) },
    },
    axes: [
      {
        ...axis,
        size: 30,
        space: 72,
        values: (_, times, __, ___, stepS) => timeTexts(times, stepS),
      },
      {
        ...axis,
        size: 64,
        values: (_, values) => values.map((value) => latest.current.valueText(value)),
      },
    ],
    series: [
      {},
      ...(band === undefined ? [] : [EDGE, EDGE]),
      ...lines.map(({ label, tone, isArea = false }) => ({
        label,
        stroke: color(`--holdfast-${tone}`),
        width: 1.5,
        points: { show: () => latest.current.timesMs.length <= SPARSE_MAX, size: 5 },
        spanGaps: false,
        fill: isArea ? color(`--holdfast-${tone}-soft`) : 'transparent',
      })),
    ],
    ...(band && {
      bands: [
        {
          series: [2, 1],
          fill: color(`--holdfast-${band.tone}-soft`),
        },
      ],
    }),
    hooks: {
      setCursor: [(chart) => latest.current.onPoint?.(chart.cursor.idx ?? undefined)],
    },
  };
}

/** So few values are shown one by one: a line between two of them would hide that. */
const SPARSE_MAX = 40;

/** An edge of a band, which is not drawn. */
const EDGE: UPlot.Series = { width: 0, points: { show: false }, spanGaps: false };

function spanOf(
  { spanMs }: ChartProps,
  [low, high]: readonly [number | null, number | null],
): [number, number] {
  if (spanMs !== undefined) return [spanMs[0] / 1_000, spanMs[1] / 1_000];
  const nowS = Date.now() / 1_000;
  const [from, to] = [low ?? nowS, high ?? nowS];
  return to > from ? [from, to] : [from - 30, to + 30];
}

/** A flat line needs room above it, and an empty chart some range at all. */
function rangeOf(low: number | null, high: number | null, isFromZero: boolean): [number, number] {
  const from = isFromZero ? Math.min(0, low ?? 0) : (low ?? 0);
  const to = Math.max(high ?? 1, isFromZero ? 0 : from);
  const room = (to - from) * 0.08;
  return to === from
    ? [isFromZero ? from : from - 1, to + 1]
    : [isFromZero ? from : from - room, to + room];
}
