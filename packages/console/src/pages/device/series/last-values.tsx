/** The last value of each series, with its course over the hour before. @module */
import type { SeriesView } from '@holdfast/protocol/api';
import { type ReactNode, useMemo } from 'react';
import { Link } from 'react-router';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { ProblemMessage } from '../../../parts/message.tsx';
import { countText } from '../../../parts/number-text.ts';
import { Panel } from '../../../parts/panel.tsx';
import { Time } from '../../../parts/time.tsx';
import { tabPath } from '../device-tabs.tsx';
import { plotOf } from './points.ts';
import { spanOf } from './spans.ts';
import { Sparkline } from './sparkline.tsx';
import { usePoints, useSeries } from './use-points.ts';
import { valueText } from './value-text.ts';
import styles from './last-values.module.css';

/** Values for a glance; the others are on the part with the charts. */
const SHOWN = 8;
const HOUR = spanOf('hour');
/** The end of a span is no part of it. */
const BEHIND_MS = 1;

/** The panel. */
export function LastValues({ id }: { readonly id: string }): ReactNode {
  const { data, error } = useSeries(id);
  const series = data?.series ?? [];
  const isCut = series.length > SHOWN;
  return (
    <Panel
      title="Last values"
      actions={<Link to={tabPath(id, 'readings')}>Charts and readings</Link>}
      isFlush
    >
      <ProblemMessage error={error} />
      {data === undefined && error === null && <Loading what="the last values" />}
      {data !== undefined && series.length === 0 && (
        <Empty title="It has reported no numbers yet">
          They appear with its first reading on <code>d/{id}/telemetry</code>.
        </Empty>
      )}
      <ul className={styles['values']}>
        {series.slice(0, SHOWN).map((each) => (
          <LastValue key={each.name} id={id} series={each} />
        ))}
      </ul>
      {isCut && (
        <p className={styles['more']}>
          <Link to={tabPath(id, 'readings')}>All {countText(series.length)} series</Link>
        </p>
      )}
    </Panel>
  );
}

function LastValue({
  id,
  series: { name, kind, lastAt, lastValue },
}: {
  readonly id: string;
  readonly series: SeriesView;
}): ReactNode {
  // The hour before the last value, so that a device that is away shows how it was.
  const points = usePoints({ id, series: name, span: HOUR, toMs: endMs(lastAt) });
  const plot = useMemo(() => points.data && plotOf(points.data), [points.data]);
  return (
    <li className={styles['row']}>
      <span className={styles['name']}>{name}</span>
      <span className={styles['spark']}>
        {plot !== undefined && plot.timesMs.length > 0 && (
          <Sparkline timesMs={plot.timesMs} values={plot.values} />
        )}
      </span>
      <span className={styles['value']}>{valueText(lastValue, kind)}</span>
      <span className={styles['when']}>
        <Time at={lastAt} />
      </span>
    </li>
  );
}

/** To ten seconds, so that a fast device does not ask for each of its values. */
function endMs(lastAt: string): number {
  return Math.ceil((Date.parse(lastAt) + BEHIND_MS) / 10_000) * 10_000;
}
