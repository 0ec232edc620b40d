/** What a device measures: the last value and a chart of each series. @module */
import type { SeriesView } from '@holdfast/protocol/api';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Badge } from '../../parts/badge.tsx';
import { listSeries } from '../owner-api.ts';
import { Button } from '../parts/button.tsx';
import { ProblemBox } from '../parts/problem.tsx';
import { SeriesChart } from '../parts/series-chart.tsx';
import { valueText } from '../parts/value-text.ts';
import { When } from '../parts/when.tsx';
import { CHART_RANGES, type ChartRange, HOUR, readChart } from './chart-ranges.ts';
import controls from '../parts/controls.module.css';
import styles from './series-card.module.css';

/** Charts that are drawn at once; the others when somebody asks for them. */
const SHOWN_SERIES = 6;
const ASKED_EVERY_MS = 30_000;

export function SeriesCard({
  deviceId,
  isLive,
}: {
  readonly deviceId: string;
  readonly isLive: boolean;
}): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['series', deviceId],
    queryFn: () => listSeries(deviceId),
    refetchInterval: ASKED_EVERY_MS,
  });
  const [range, setRange] = useState<ChartRange>(HOUR);
  const [showsAll, setShowsAll] = useState(false);
  const series = data?.series ?? [];
  const shown = showsAll ? series : series.slice(0, SHOWN_SERIES);
  return (
    <div className={controls['card']}>
      <div className={controls['heading']}>
        <h2>Readings</h2>
        <Badge tone={isLive ? 'good' : 'calm'}>{isLive ? 'live' : 'not live'}</Badge>
      </div>
      {data === undefined && <ProblemBox error={error} />}
      {data !== undefined && series.length === 0 && (
        <p>The device has sent no numbers since you have it. They appear here by themselves.</p>
      )}
      {series.length > 0 && <Ranges range={range} onRange={setRange} />}
      {shown.map((one) => (
        <OneSeries key={one.name} deviceId={deviceId} series={one} range={range} isLive={isLive} />
      ))}
      {series.length > shown.length && (
        <Button isWide onPress={() => setShowsAll(true)}>
          Show {series.length - shown.length} more
        </Button>
      )}
    </div>
  );
}

function Ranges({
  range,
  onRange,
}: {
  readonly range: ChartRange;
  readonly onRange: (range: ChartRange) => void;
}): ReactNode {
  return (
    <div className={styles['ranges']} role="group" aria-label="Time that the charts show">
      {CHART_RANGES.map((one) => (
        <button
          key={one.label}
          type="button"
          className={styles['range']}
          aria-pressed={one === range}
          onClick={() => onRange(one)}
        >
          {one.label}
        </button>
      ))}
    </div>
  );
}

function OneSeries({
  deviceId,
  series: { name, kind, lastValue, lastAt },
  range,
  isLive,
}: {
  readonly deviceId: string;
  readonly series: SeriesView;
  readonly range: ChartRange;
  readonly isLive: boolean;
}): ReactNode {
  const { data, error } = useQuery({
    queryKey: ['points', deviceId, name, range.label],
    queryFn: () => readChart(deviceId, name, range),
    refetchInterval: ASKED_EVERY_MS,
    placeholderData: keepPreviousData,
  });
  return (
    <div className={styles['series']}>
      <div className={styles['top']}>
        <h3 className={styles['name']}>{name}</h3>
        <span className={styles['now']}>
          <span className={controls['quiet']}>
            <When at={lastAt} />
          </span>
          <span className={styles['value']} data-stale={!isLive}>
            {valueText(lastValue, kind)}
          </span>
        </span>
      </div>
      {data === undefined && <ProblemBox error={error} />}
      {data !== undefined && (
        <SeriesChart
          {...data}
          name={name}
          text={(value) => valueText(value, kind)}
          isStepped={kind === 'boolean'}
        />
      )}
    </div>
  );
}
