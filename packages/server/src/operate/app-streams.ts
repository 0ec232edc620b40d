/** Live readings for owners' apps. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { DevicePathSchema } from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { appPrincipal } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { APP_STREAMS_MAX, APP_STREAMS_OF_OWNER_MAX } from './limits.ts';
import type { Routes } from './routes.ts';
import { Streams } from './stream.ts';
import { readingView } from './views.ts';

export function addAppStreamRoutes(routes: Routes, deps: ApiDeps): void {
  const { owners, histories } = deps;
  const streams = new Streams(deps, APP_STREAMS_MAX);
  const counts = new Map<string, number>();
  /** Counts a stream of an owner; gives how to take it back. */
  const take = (ownerId: string): (() => void) | Refusal => {
    const count = counts.get(ownerId) ?? 0;
    if (count >= APP_STREAMS_OF_OWNER_MAX) {
      return refuse('E_OPERATE_RATE', `${APP_STREAMS_OF_OWNER_MAX} streams of ${ownerId} are open`);
    }
    counts.set(ownerId, count + 1);
    return () => {
      const left = (counts.get(ownerId) ?? 1) - 1;
      if (left > 0) counts.set(ownerId, left);
      else counts.delete(ownerId);
    };
  };

  routes.add(
    { by: 'app', action: 'device:read', on: 'device' },
    {
      method: 'get',
      path: '/v1/app/devices/{id}/readings/stream',
      summary: 'Follows verified readings of a device of the owner: event `reading`.',
      request: { params: DevicePathSchema },
      responses: {
        200: { description: 'Server-sent events.', content: { 'text/event-stream': {} } },
      },
    },
    (c: Context<ApiEnv>) => {
      const { id } = c.get('device');
      const [{ id: appId, ownerId }, access] = [c.get('app'), c.get('appAccess')];
      const { sinceMs = 0 } = owners.pairingOf(id) ?? {};
      const principal = appPrincipal(appId);
      // Given away and taken back in between, it is another beginning.
      const mayStill = (): boolean =>
        access.isLive() &&
        owners.pairingOf(id)?.sinceMs === sinceMs &&
        access.device(id, 'device:read') !== undefined;
      const isHead = c.req.method === 'HEAD';
      const giveBack = isHead ? () => {} : take(ownerId);
      if (giveBack instanceof Refusal) throw new RefusedRequest(giveBack);
      const watch = (recheck: () => void): (() => void) =>
        owners.onChange(({ lost, renewed }) => {
          if (lost.includes(principal) || renewed === principal) recheck();
        });
      const history = histories.readings(id);
      const source = { event: 'reading', history, view: readingView, mayStill, watch };
      try {
        return streams.openWhile(c, { ...source, onEnd: giveBack });
      } catch (error) {
        giveBack();
        throw error;
      }
    },
  );
}
