/** What owners are asked before an update, by their apps. ETSI EN 303 645 §5.3-6, -11, -12. @module */
import {
  DevicePathSchema,
  OwnedUpdateListSchema,
  UpdateConsentRequestSchema,
} from '@holdfast/protocol/api';
import { appPrincipal } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { ownedUpdateView } from './rollout-views.ts';
import { type Routes, json, jsonBody } from './routes.ts';

export function addUpdateConsentRoutes(routes: Routes, deps: ApiDeps): void {
  const { rollouts, owners, clock } = deps;
  routes.add(
    { by: 'app', action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: '/v1/app/updates',
      summary: 'Lists the updates that wait for the owner: what they are for, and until when.',
      responses: { 200: json(OwnedUpdateListSchema, 'The updates.') },
    },
    (c) => {
      const access = c.get('appAccess');
      const devices = owners
        .pairingsOf(c.get('app').ownerId)
        .map(({ deviceId }) => deviceId)
        .filter((id) => access.device(id, 'device:read') !== undefined);
      const updates = rollouts
        .asked(devices)
        .flatMap((asked) => ownedUpdateView(asked, deps.updates.releases) ?? []);
      return c.json({ updates }, 200);
    },
  );

  routes.add(
    { by: 'app', action: 'device:consent', on: 'device' },
    {
      method: 'post',
      path: '/v1/app/devices/{id}/update-consent',
      summary: 'Agrees to the update of a device, now or from a time on.',
      request: { params: DevicePathSchema, body: jsonBody(UpdateConsentRequestSchema) },
      responses: { 204: { description: 'It is noted.' } },
    },
    async (c) => {
      const { id } = c.get('device');
      const { from } = c.req.valid('json');
      const fromMs = from === undefined ? clock.nowMs() : Date.parse(from);
      const problem = rollouts.judgeConsent(id, fromMs);
      if (problem !== undefined) throw new RefusedRequest(problem);
      const principal = appPrincipal(c.get('app').id);
      const facts = { from: new Date(fromMs).toISOString() };
      await recordFirst(deps, { action: 'rollout.consent', principal, target: id, facts });
      accepted(rollouts.consent(id, fromMs));
      return c.body(null, 204);
    },
  );
}
