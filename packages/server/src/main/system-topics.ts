/** What the server says of itself on `$holdfast/…`, for those who may subscribe to it. @module */
import { updateTopic } from '../authorize/index.ts';
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
      const expiresAtMs = atMs + 2 * INTERVAL_MS;
      const content = { ts: atMs, ...figures };
      router.routeMessage(ofServer(`$holdfast/${name}`, content, { retain: true, expiresAtMs }));
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

/**
 * Tells a device on `$holdfast/update/<device>` that there is news of its update, as
 * `{"ts", "revision"}`, so that it polls at once. Nothing is believed of it, nothing is kept: a
 * device that is away polls when it comes back.
 */
export function updateAnnouncer(
  router: Pick<Router, 'routeMessage'>,
  clock: Clock,
): (deviceId: string, revision: string) => void {
  return (deviceId, revision) => {
    const atMs = clock.nowMs();
    const options = { retain: false, expiresAtMs: atMs + ANNOUNCED_MS };
    router.routeMessage(ofServer(updateTopic(deviceId), { ts: atMs, revision }, options));
  };
}

/** How long news of an update wait in a queue, in milliseconds; then the next poll is near. */
const ANNOUNCED_MS = 60_000;

/** A message of the server itself, which is in no journal. */
function ofServer(
  topic: string,
  content: Readonly<Record<string, number | string>>,
  { retain, expiresAtMs }: { readonly retain: boolean; readonly expiresAtMs: number },
): Parameters<Router['routeMessage']>[0] {
  return {
    index: -1,
    keyRef: 0,
    principal: 'server',
    topic,
    payload: Buffer.from(JSON.stringify(content), 'utf8'),
    qos: 0,
    retain,
    forwarded: new Uint8Array(0),
    expiresAtMs,
    detach: () => {},
  };
}
