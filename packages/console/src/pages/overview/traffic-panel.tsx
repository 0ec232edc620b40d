/** Messages, refusals and connections over time. @module */
import { FIGURE_SPANS, type FigureSpan } from '@holdfast/protocol';
import type { Figures } from '@holdfast/protocol/api';
import { SegmentedControl } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useAsk } from '../../api/use-ask.ts';
import { Chart } from '../../parts/chart.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { ProblemMessage } from '../../parts/message.tsx';
import { countText, rateText } from '../../parts/number-text.ts';
import { Panel } from '../../parts/panel.tsx';
import {
  SPAN_WORDS,
  connectionsSummary,
  messagesSummary,
  readoutOf,
  refusedSummary,
} from './figures-text.ts';
import { RefusedCodes } from './refused-codes.tsx';
import styles from './overview.module.css';

const SPANS = [
  { value: 'hour', label: 'Hour' },
  { value: 'day', label: 'Day' },
  { value: 'month', label: 'Month' },
] as const satisfies { value: FigureSpan; label: string }[];

/** The panel. */
export function TrafficPanel(): ReactNode {
  const [span, setSpan] = useState<FigureSpan>('hour');
  const figures = useAsk<Figures>(`/v1/figures?span=${span}`, {
    everyMs: FIGURE_SPANS[span].stepMs,
  });
  return (
    <Panel
      title="Messages"
      note={`What was accepted and what was refused in ${SPAN_WORDS[span]}. A gap: the server was not running.`}
      actions={
        <SegmentedControl
          data={[...SPANS]}
          value={span}
          onChange={(value) => setSpan(value)}
          aria-label="How far back"
        />
      }
    >
      <ProblemMessage error={figures.error} />
      {figures.data === undefined ? (
        figures.error === null && <Loading what="the figures" />
      ) : (
        <Traffic figures={figures.data} />
      )}
    </Panel>
  );
}

function Traffic({ figures }: { readonly figures: Figures }): ReactNode {
  const [point, setPoint] = useState<number | undefined>();
  const { span, times, accepted, refused, connections, byCode } = figures;
  if (times.length === 0 || accepted.every((value) => value === null)) {
    return (
      <Empty title="Nothing was counted yet.">
        The server looks every ten seconds; the first figures stand here in a moment.
      </Empty>
    );
  }
  // Refusals are rare: by the second they would be a row of zeros.
  const refusedPerMinute = refused.map((value) => (value === null ? null : value * 60));
  const toMs = (times.at(-1) ?? 0) + figures.stepMs;
  const axis = {
    timesMs: times,
    spanMs: [toMs - FIGURE_SPANS[span].spanMs, toMs] as const,
    onPoint: setPoint,
  };
  return (
    <div className={styles['charts']}>
      <div>
        <p className={styles['readout']} aria-hidden="true">
          {readoutOf(figures, point).map((text) => (
            <span key={text}>{text}</span>
          ))}
        </p>
        <Chart
          {...axis}
          lines={[{ label: 'accepted a second', values: accepted, tone: 'info', isArea: true }]}
          valueText={rateText}
          summary={messagesSummary(figures)}
          heightPx={180}
        />
      </div>
      <Chart
        {...axis}
        lines={[{ label: 'refused a minute', values: refusedPerMinute, tone: 'bad', isArea: true }]}
        valueText={rateText}
        summary={refusedSummary(figures)}
        heightPx={140}
      />
      <Chart
        {...axis}
        lines={[{ label: 'open connections', values: connections, tone: 'calm' }]}
        valueText={(value) => countText(Math.round(value))}
        summary={connectionsSummary(figures)}
        heightPx={120}
      />
      <RefusedCodes span={span} byCode={byCode} summary={refusedSummary(figures)} />
    </div>
  );
}
