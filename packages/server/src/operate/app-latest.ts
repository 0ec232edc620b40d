/** The last values of all devices of an owner, for the first page of an app. @module */
import { AppLatestQuerySchema, LatestListSchema } from '@holdfast/protocol/api';
import { contentKeyRefsOf } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { APP_LATEST_DEVICES_MAX, APP_LATEST_VALUES_MAX } from './limits.ts';
import { type Routes, json } from './routes.ts';
import { latestView } from './series-views.ts';

export function addAppLatestRoute(routes: Routes, deps: ApiDeps): void {
  const { owners, series } = deps;
  routes.add(
    { by: 'app', action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: '/v1/app/readings/latest',
      summary: 'Reads the last values of the devices of the owner, the newest of each.',
      request: { query: AppLatestQuerySchema },
      responses: { 200: json(LatestListSchema, 'In the order of the ids of the devices.') },
    },
    async (c) => {
      const { after = '' } = c.req.valid('query');
      const { ownerId } = c.get('app');
      const access = c.get('appAccess');
      const devices = owners.pairingsOf(ownerId).flatMap(({ deviceId }) => {
        const device = deviceId > after ? access.device(deviceId, 'device:read') : undefined;
        return device === undefined ? [] : [device];
      });
      const page = devices.slice(0, APP_LATEST_DEVICES_MAX);
      const found = await series.latest(page.map((device) => contentKeyRefsOf(device)));
      const latest = page.flatMap(({ id }, at) => {
        // What was sent before is not this owner's; a device may have been lost in the meantime.
        const pairing = owners.pairingOf(id);
        const sinceMs = pairing?.ownerId === ownerId ? pairing.sinceMs : Infinity;
        const values = (found.devices[at]?.values ?? [])
          .filter(({ timeMs }) => timeMs >= sinceMs)
          .toSorted((a, b) => b.timeMs - a.timeMs)
          .slice(0, APP_LATEST_VALUES_MAX)
          .map(latestView);
        return values.length === 0 ? [] : [{ device: id, values }];
      });
      const next = devices.length > page.length ? page.at(-1)?.id : undefined;
      const answer = { latest, behind: found.behind };
      return c.json(next === undefined ? answer : { ...answer, next }, 200);
    },
  );
}
