/** The chart of one series. @module */
import type { SeriesPage, SeriesView } from '@holdfast/protocol/api';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { Chart } from '../../../parts/chart.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { countText, counted } from '../../../parts/number-text.ts';
import { Time } from '../../../parts/time.tsx';
import { type Plot, type PlotFigures, figuresOf, plotOf } from './points.ts';
import { type Span, axisOf } from './spans.ts';
import { usePoints } from './use-points.ts';
import { axisText, valueText } from './value-text.ts';
import styles from './series-card.module.css';

/** A card. Its values are asked for when it comes into view: a device can have a thousand series. */
export function SeriesCard({
  id,
  series,
  span,
}: {
  readonly id: string;
  readonly series: SeriesView;
  readonly span: Span;
}): ReactNode {
  const { place, isSeen } = useSeen();
  const { name, kind, lastAt, lastValue } = series;
  const points = usePoints({ id, series: name, span, isWanted: isSeen });
  return (
    <section ref={place} className={styles['card']} aria-label={name}>
      <header className={styles['header']}>
        <h3 className={styles['name']}>{name}</h3>
        <p className={styles['last']}>
          <span className={styles['value']}>{valueText(lastValue, kind)}</span> <Time at={lastAt} />
        </p>
      </header>
      <ProblemMessage error={points.error} />
      {points.data === undefined ? (
        <div className={styles['waiting']} />
      ) : (
        <SeriesChart series={series} span={span} page={points.data} />
      )}
    </section>
  );
}

function SeriesChart({
  series: { name, kind, firstAt },
  span,
  page,
}: {
  readonly series: SeriesView;
  readonly span: Span;
  readonly page: SeriesPage;
}): ReactNode {
  const plot = useMemo(() => plotOf(page), [page]);
  const figures = useMemo(() => figuresOf(page), [page]);
  const spanMs = useMemo(
    () => axisOf(span, Date.parse(firstAt), Date.now()),
    [page, span, firstAt],
  );
  const [at, setAt] = useState<number | undefined>();
  if (figures === undefined) {
    return <p className={styles['none']}>No values {span.words}. Choose a longer time.</p>;
  }
  const text = (value: number): string => valueText(value, kind);
  return (
    <>
      <Chart
        timesMs={plot.timesMs}
        lines={[{ label: plot.isRolledUp ? 'mean' : 'value', values: plot.values, tone: 'info' }]}
        {...(plot.isRolledUp && {
          band: { label: 'lowest to highest', low: plot.low, high: plot.high, tone: 'info' },
        })}
        spanMs={spanMs}
        valueText={(value) => axisText(value, kind)}
        summary={summaryOf(name, { figures, span, text })}
        isFromZero={kind === 'boolean'}
        heightPx={170}
        hasLegend={plot.isRolledUp}
        onPoint={setAt}
      />
      <p className={styles['figures']}>{pointText(plot, at, text) ?? figuresText(figures, kind)}</p>
    </>
  );
}

type ValueText = (value: number) => string;

function figuresText({ count, low, high, mean }: PlotFigures, kind: SeriesView['kind']): string {
  const values = counted(count, 'value');
  if (kind === 'boolean') return `${values}, ${Math.round(mean * 100)} of 100 are true`;
  return `${values}, ${valueText(low, kind)} to ${valueText(high, kind)}, on average ${MEAN(mean)}`;
}

const MEAN = (mean: number): string =>
  Number(mean.toPrecision(4)).toLocaleString('en', { maximumSignificantDigits: 4 });

/** What stands below the pointer. */
function pointText(
  { timesMs, values, low, high, isRolledUp }: Plot,
  at: number | undefined,
  text: ValueText,
): string | undefined {
  if (at === undefined) return undefined;
  const [ms, value, from, to] = [timesMs[at], values[at], low[at], high[at]];
  if (ms === undefined || value === undefined || value === null) return undefined;
  const time = new Date(ms).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' });
  if (!isRolledUp || from === null || from === undefined || to === null || to === undefined) {
    return `${time}: ${text(value)}`;
  }
  return `${time}: ${text(from)} to ${text(to)}, on average ${MEAN(value)}`;
}

function summaryOf(
  name: string,
  { figures, span, text }: { figures: PlotFigures; span: Span; text: ValueText },
): string {
  const { count, low, high, last } = figures;
  return (
    `${name} ${span.words}: ${countText(count)} values between ${text(low)} and ${text(high)}; ` +
    `the last one is ${text(last)}.`
  );
}

/** Whether an element has come into view. It stays seen. */
function useSeen(): { place: React.RefObject<HTMLElement | null>; isSeen: boolean } {
  const place = useRef<HTMLElement>(null);
  const [isSeen, setIsSeen] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (element === null || isSeen) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) setIsSeen(true);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [isSeen]);
  return { place, isSeen };
}
