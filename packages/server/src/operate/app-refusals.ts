/** What was refused of an owner's device: how often, and of which kind. @module */
import { DevicePathSchema, OwnedRefusalListSchema } from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { OwnedRefusalsReader } from './refusals/owned-refusals.ts';
import { type Routes, json } from './routes.ts';
import { isoTime } from './views.ts';

export function addAppRefusalRoute(routes: Routes, deps: ApiDeps): void {
  const { owners, clock } = deps;
  const reader = new OwnedRefusalsReader(deps);
  routes.add(
    { by: 'app', action: 'device:read', on: 'device' },
    {
      method: 'get',
      path: '/v1/app/devices/{id}/refusals',
      summary: 'Counts what was refused of a device of the owner in the last day, by kind.',
      request: { params: DevicePathSchema },
      responses: { 200: json(OwnedRefusalListSchema, 'The newest first; empty for none.') },
    },
    async (c) => {
      const { id } = c.get('device');
      const { ownerId } = c.get('app');
      const { sinceMs: pairedMs = clock.nowMs() } = owners.pairingOf(id) ?? {};
      const { sinceMs, kinds } = await reader.of(id, pairedMs);
      // What came before is not this owner's; who lost the device in the meantime gets nothing.
      const pairing = owners.pairingOf(id);
      const isOwn = pairing?.ownerId === ownerId && pairing.sinceMs === pairedMs;
      const refusals = (isOwn ? kinds : []).map(({ kind, count, firstMs, lastMs }) => {
        return { kind, count, firstAt: isoTime(firstMs), lastAt: isoTime(lastMs) };
      });
      return c.json({ since: isoTime(sinceMs), refusals }, 200);
    },
  );
}
