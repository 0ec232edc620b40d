/** One stream of all that happens, for the page that somebody looks at. @module */
import type { ApiDeps } from '../deps.ts';
import { NOTED_DEVICE_LOOKS } from '../limits.ts';
import type { Routes } from '../routes.ts';
import { Streams } from '../stream.ts';
import { LiveHub } from './live-hub.ts';

export function addLiveRoute(routes: Routes, deps: ApiDeps): void {
  const streams = new Streams(deps);
  const hub = new LiveHub(deps);
  routes.add(
    { action: 'server:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/live',
      summary: 'Follows what happens: figures, refusals, acts, and states of devices.',
      responses: {
        200: {
          description: 'Server-sent events, those that the caller may see; see LIVE_EVENTS.',
          content: { 'text/event-stream': {} },
        },
      },
    },
    (c) => {
      const [caller, access] = [c.get('caller'), c.get('access')];
      const { clock, people } = deps;
      if (hub.isIdle) routes.takeLooks(c, deps.registry.columns.count * NOTED_DEVICE_LOOKS);
      return streams.openEvents(c, {
        mayStill: () =>
          people.liveUntilMs(caller) > clock.nowMs() && access.stillPermits({ kind: 'server' }),
        begin: (send) => hub.join({ access, send }),
      });
    },
  );
}
