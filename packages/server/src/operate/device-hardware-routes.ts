import { refuse } from '@holdfast/protocol';
/** Which kind of hardware a device is: it decides which releases are for it. @module */
import {
  ChangedDeviceSchema,
  DevicePathSchema,
  SetHardwareRequestSchema,
} from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import type { ApiDeps } from './deps.ts';
import { accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { deviceView } from './views.ts';

export function addDeviceHardwareRoutes(routes: Routes, deps: ApiDeps): void {
  const { registry } = deps;
  routes.add(
    { action: 'device:hardware', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/set-hardware',
      summary: 'Says which kind of hardware a device is, as releases name it.',
      request: { params: DevicePathSchema, body: jsonBody(SetHardwareRequestSchema) },
      responses: { 200: json(ChangedDeviceSchema, 'The device as it is now.') },
    },
    async (c) => {
      const { id, hardware: before } = c.get('device');
      const { hardware, reason } = c.req.valid('json');
      const { principal } = c.get('caller');
      const facts = { hardwareBefore: before, hardware };
      const act: Act = { action: 'device.set-hardware', principal, target: id, reason, facts };
      await recordFirst(deps, act);
      registry.setHardware([id], hardware);
      const absent = refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`);
      return c.json({ device: deviceView(accepted(registry.byId(id) ?? absent)) }, 200);
    },
  );
}
