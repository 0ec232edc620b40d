/** Erasure: what a device has sent, for good. @module */
import {
  DevicePathSchema,
  EraseDeviceRequestSchema,
  ErasedDeviceSchema,
} from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

export function addEraseRoutes(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'device:erase', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/erase',
      summary: 'Destroys the keys of what a device has sent, here and in all backups.',
      request: { params: DevicePathSchema, body: jsonBody(EraseDeviceRequestSchema) },
      responses: { 200: json(ErasedDeviceSchema, 'How far the erasure has come.') },
    },
    async (c) => {
      requireReady(deps);
      const { id: device } = c.get('device');
      const { reason } = c.req.valid('json');
      const { principal } = c.get('caller');
      // What takes away is done first and recorded then.
      const { keyRefs, pending, isScrubbed } = await deps.eraseDevice(device);
      const facts = { keyRefs, pending, isScrubbed };
      await deps.recordAct({ action: 'device.erase', principal, target: device, reason, facts });
      return c.json({ device, keys: keyRefs.length, pending: [...pending], isScrubbed }, 200);
    },
  );
}
