/** What the server counts, over time, joined to what counts it. @module */
import { Figures, type Traffic } from '../telemetry/index.ts';
import type { Context } from './context.ts';
import type { Flow } from './flow.ts';
import type { Metrics } from './metrics.ts';
import type { Storage } from './storage.ts';

/** The figures, and the counters that they are made of. */
export interface RunningFigures {
  readonly figures: Figures;
  readonly traffic: () => Traffic;
}

/** Begins to look at the counters. */
export function openFigures(
  { clock, log, onUndo }: Context,
  {
    store,
    sessions,
    metrics,
  }: Pick<Storage, 'store'> &
    Pick<Flow, 'sessions'> & { readonly metrics: Pick<Metrics, 'totals'> },
): RunningFigures {
  const traffic = (): Traffic => ({
    ...metrics.totals(),
    connections: sessions.count,
    sessions: sessions.sessionCount,
  });
  const figures = new Figures({ clock, log, store, read: traffic });
  figures.start();
  onUndo(() => figures.stop());
  return { figures, traffic };
}
