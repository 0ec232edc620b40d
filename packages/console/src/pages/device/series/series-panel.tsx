/** The charts of a device. @module */
import type { SeriesListView, SeriesView } from '@holdfast/protocol/api';
import { Button, SegmentedControl, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Empty, Loading } from '../../../parts/empty.tsx';
import { Message, ProblemMessage } from '../../../parts/message.tsx';
import { countText, counted } from '../../../parts/number-text.ts';
import { Panel } from '../../../parts/panel.tsx';
import { SeriesCard } from './series-card.tsx';
import { SPANS, type Span, type SpanName, spanOf } from './spans.ts';
import { useSeries } from './use-points.ts';
import styles from './series-panel.module.css';

/** From so many series on, a field to find one of them is worth its place. */
const SEARCHED_MIN = 7;
/** With `channel_2` before `channel_10`. */
const NAMES = new Intl.Collator('en', { numeric: true });
/** Charts that are shown at first. */
const SHOWN = 12;

/** The panel. */
export function SeriesPanel({ id }: { readonly id: string }): ReactNode {
  const { data, error } = useSeries(id);
  const [name, setName] = useState<SpanName>('hour');
  return (
    <Panel
      title="Charts"
      note="Every number and truth value that it reports, by the time that it signed."
      actions={
        <SegmentedControl
          size="xs"
          value={name}
          onChange={setName}
          data={SPANS.map(({ name: value, label }) => ({ value, label }))}
          aria-label="How far back"
        />
      }
    >
      <ProblemMessage error={error} />
      {data === undefined && error === null && <Loading what="the series" />}
      {data !== undefined && <SeriesCards id={id} list={data} span={spanOf(name)} />}
    </Panel>
  );
}

function SeriesCards({
  id,
  list: { series, passedOver, behind },
  span,
}: {
  readonly id: string;
  readonly list: SeriesListView;
  readonly span: Span;
}): ReactNode {
  const [text, setText] = useState('');
  const [shown, setShown] = useState(SHOWN);
  if (series.length === 0) {
    return (
      <Empty title="There is nothing to draw yet">
        A chart begins with the first number in a reading, such as {'{"temperature": 21.5}'} on{' '}
        <code>d/{id}/telemetry</code>.
      </Empty>
    );
  }
  const found = matching(series, text);
  return (
    <>
      {behind > 0 && (
        <Message tone="info">
          The charts are being made anew: {counted(behind, 'entry', 'entries')} of the log are
          missing yet.
        </Message>
      )}
      {passedOver > 0 && (
        <Message tone="warn" title={`${countText(passedOver)} values are not in any chart`}>
          The device reports more different numbers than are kept apart. They are in its readings.
        </Message>
      )}
      {series.length >= SEARCHED_MIN && (
        <TextInput
          className={styles['search']}
          label="Find a series"
          placeholder="temperature"
          description={`${countText(found.length)} of ${countText(series.length)}`}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      <div className={styles['cards']} data-single={series.length === 1}>
        {found.slice(0, shown).map((each) => (
          <SeriesCard key={each.name} id={id} series={each} span={span} />
        ))}
      </div>
      {found.length > shown && (
        <div className={styles['more']}>
          <Button variant="default" onClick={() => setShown(shown + SHOWN)}>
            Show {countText(Math.min(SHOWN, found.length - shown))} more of{' '}
            {countText(found.length)}
          </Button>
        </div>
      )}
    </>
  );
}

function matching(series: readonly SeriesView[], text: string): readonly SeriesView[] {
  const wanted = text.trim().toLowerCase();
  return series
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .toSorted((a, b) => NAMES.compare(a.name, b.name));
}
