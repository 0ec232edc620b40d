/** What the server says of itself on `$holdfast/…`, for those who may subscribe to it. @module */
import type { CancelTimer, Clock } from '../kernel/index.ts';
import type { Router } from '../route/index.ts';
import type { SessionTable } from '../session/index.ts';
import type { Metrics } from './metrics.ts';

/** The figures of a running server, all counted since its start unless they are a level. */
export function systemFigures(sessions: SessionTable, metrics: Metrics): SystemFigures {
  const { accepted, refused, dropped } = metrics.totals();
  return {
    connections: {
      connected: sessions.count,
      sessions: sessions.sessionCount,
      queued: sessions.queuedCount,
    },
    rates: { accepted, dropped },
    refusals: refused,
  };
}

/** How often the figures are published. */
const INTERVAL_MS = 10_000;

/** What is published: one object of numbers for each topic below `$holdfast/`. */
export type SystemFigures = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * Publishes figures, retained so that who subscribes has them at once. They say nothing of single
 * devices, are not stored in the journal, and are gone with the server.
 * @returns how to stop.
 */
export function publishSystemTopics(
  router: Pick<Router, 'routeMessage'>,
  { clock, read }: { clock: Clock; read: () => SystemFigures },
): CancelTimer {
  const publish = (): void => {
    const atMs = clock.nowMs();
    for (const [name, figures] of Object.entries(read())) {
      const payload = Buffer.from(JSON.stringify({ ts: atMs, ...figures }), 'utf8');
      router.routeMessage({
        index: -1,
        keyRef: 0,
        principal: 'server',
        topic: `$holdfast/${name}`,
        payload,
        qos: 0,
        retain: true,
        forwarded: new Uint8Array(0),
        expiresAtMs: atMs + 2 * INTERVAL_MS,
        detach: () => {},
      });
    }
  };
  let cancel: CancelTimer = () => {};
  const schedule = (): void => {
    cancel = clock.after(INTERVAL_MS, () => {
      publish();
      schedule();
    });
  };
  publish();
  schedule();
  return () => cancel();
}
