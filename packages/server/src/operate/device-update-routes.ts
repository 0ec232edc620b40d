/** What a device is to run, what it told of it, and what became of its updates before. @module */
import { parseDeviceId, refuse } from '@holdfast/protocol';
import {
  AssignReleaseRequestSchema,
  DevicePathSchema,
  DeviceUpdateListSchema,
  DeviceUpdateViewSchema,
} from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { deviceUpdateView } from './firmware-views.ts';
import { requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { updateTimeline } from './update-timeline.ts';

const view = { 200: json(DeviceUpdateViewSchema, 'How the update of the device stands.') };

export function addDeviceUpdateRoutes(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'device:read', on: 'device' },
    {
      method: 'get',
      path: '/v1/devices/{id}/update',
      summary: 'Shows what a device is to run, and what it told of it.',
      request: { params: DevicePathSchema },
      responses: view,
    },
    (c) => c.json(deviceUpdateView(c.get('device').id, deps.updates), 200),
  );
  routes.add(
    { action: 'device:read', on: 'device' },
    {
      method: 'get',
      path: '/v1/devices/{id}/updates',
      summary: 'Shows what became of the updates of a device, step by step, newest first.',
      request: { params: DevicePathSchema },
      responses: { 200: json(DeviceUpdateListSchema, 'The last steps.') },
    },
    async (c) => c.json(await updateTimeline(c.get('device').id, deps), 200),
  );
  routes.add(
    { action: 'device:update', on: 'device' },
    {
      method: 'put',
      path: '/v1/devices/{id}/update',
      summary: 'Says what a device is to run.',
      request: { params: DevicePathSchema, body: jsonBody(AssignReleaseRequestSchema) },
      responses: view,
    },
    async (c) => {
      requireReady(deps);
      const { id } = c.get('device');
      const { release: wanted, reason } = c.req.valid('json');
      const { releases, director, reports } = deps.updates;
      const release = wanted === null ? undefined : releases.byId(wanted);
      if (wanted !== null && release === undefined) {
        throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', `There is no release ${wanted}.`));
      }
      const hardware = reports.of(id)?.hardware;
      if (release !== undefined && hardware !== undefined) {
        const fits = release.custom.hardware.includes(hardware);
        const detail = `${release.id} is not for ${hardware}, the hardware of ${id}.`;
        if (!fits) throw new RefusedRequest(refuse('E_OPERATE_CONFLICT', detail));
      }
      const { principal } = c.get('caller');
      const device = accepted(parseDeviceId(id));
      await director.assign(device, release, { principal, reason });
      return c.json(deviceUpdateView(id, deps.updates), 200);
    },
  );
}
