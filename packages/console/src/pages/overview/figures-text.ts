/** Charts of figures in words. Pure. @module */
import type { FigureSpan } from '@holdfast/protocol';
import type { Figures } from '@holdfast/protocol/api';
import { counted, rateText } from '../../parts/number-text.ts';

type Line = Figures['accepted'];

/** How spans are called. */
export const SPAN_WORDS: Readonly<Record<FigureSpan, string>> = {
  hour: 'the last hour',
  day: 'the last day',
  month: 'the last month',
};

/** What the chart of messages shows, for who cannot see it. */
export function messagesSummary({ span, accepted }: Pick<Figures, 'span' | 'accepted'>): string {
  const known = knownOf(accepted);
  if (known.length === 0) return `Nothing was counted in ${SPAN_WORDS[span]} yet.`;
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const last = known.at(-1) ?? 0;
  const between =
    rateText(low) === rateText(high)
      ? `${rateText(high)} messages a second`
      : `Between ${rateText(low)} and ${rateText(high)} messages a second`;
  return `${between} in ${SPAN_WORDS[span]}; ${rateText(last)} at its end.`;
}

/** What the chart of refusals shows. */
export function refusedSummary(figures: Pick<Figures, 'span' | 'stepMs' | 'refused'>): string {
  const { span } = figures;
  const total = refusedTotal(figures);
  if (total === 0) return `Nothing was refused in ${SPAN_WORDS[span]}.`;
  return `${counted(total, 'refusal')} in ${SPAN_WORDS[span]}.`;
}

/** What the chart of connections shows. */
export function connectionsSummary({
  span,
  connections,
}: Pick<Figures, 'span' | 'connections'>): string {
  const known = knownOf(connections);
  if (known.length === 0) return `Nothing was counted in ${SPAN_WORDS[span]} yet.`;
  const [low, high] = [Math.floor(Math.min(...known)), Math.ceil(Math.max(...known))];
  return `Between ${low} and ${high} open connections in ${SPAN_WORDS[span]}.`;
}

/** About how many were refused in all: rates are averages of steps. */
export function refusedTotal({ stepMs, refused }: Pick<Figures, 'stepMs' | 'refused'>): number {
  const sum = knownOf(refused).reduce((total, perS) => total + perS, 0);
  return Math.round((sum * stepMs) / 1_000);
}

/** The figures at one time, in words; at the end of the span without one. */
export function readoutOf(figures: Figures, at: number | undefined): readonly string[] {
  const place = at ?? figures.times.length - 1;
  const timeMs = figures.times[place];
  if (timeMs === undefined) return [];
  const accepted = figures.accepted[place] ?? null;
  const when = momentText(timeMs, figures.span);
  if (accepted === null) return [when, 'the server was not running'];
  return [
    when,
    `${rateText(accepted)}/s accepted`,
    `${rateText((figures.refused[place] ?? 0) * 60)}/min refused`,
    counted(Math.round(figures.connections[place] ?? 0), 'connection'),
  ];
}

function momentText(ms: number, span: FigureSpan): string {
  // As on the axis below it.
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const date = new Date(ms);
  if (span === 'hour') return date.toLocaleTimeString(undefined, { ...time, second: '2-digit' });
  if (span === 'day') return date.toLocaleTimeString(undefined, time);
  return date.toLocaleString(undefined, { month: 'short', day: 'numeric', ...time });
}

function knownOf(line: Line): number[] {
  return line.filter((value) => value !== null);
}
