/** Devices: adding, claiming, revoking, commanding. @module */
import {
  AddDeviceRequestSchema,
  ClaimedDeviceSchema,
  DeviceDetailSchema,
  DeviceListSchema,
  DevicePathSchema,
  RevokeDeviceRequestSchema,
  RevokedDeviceSchema,
  SendCommandRequestSchema,
  SentCommandSchema,
  refuse,
} from '@holdfast/protocol';
import type { Device } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { accepted } from './errors.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { certificateView, claimView, deviceView } from './views.ts';

const params = DevicePathSchema;

export function addDeviceRoutes(routes: Routes, deps: ApiDeps): void {
  const { registry, recordAct, issueClaim, sendCommand } = deps;
  const deviceOf = (id: string): Device =>
    accepted(registry.byId(id) ?? refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`));

  routes.add(
    'device:read',
    {
      method: 'get',
      path: '/v1/devices',
      summary: 'Lists the devices.',
      responses: { 200: json(DeviceListSchema, 'All devices, in the order of their ids.') },
    },
    (c) => c.json({ devices: registry.all().map(deviceView) }, 200),
  );

  routes.add(
    'device:claim',
    {
      method: 'post',
      path: '/v1/devices',
      summary: 'Registers a device and makes its claim.',
      request: { body: jsonBody(AddDeviceRequestSchema) },
      responses: { 201: json(ClaimedDeviceSchema, 'The device, and its claim this once.') },
    },
    async (c) => {
      const { id, class: className } = c.req.valid('json');
      const device = accepted(registry.add({ id, class: className }));
      const claim = accepted(issueClaim(device));
      const { principal } = c.get('caller');
      await recordAct({ action: 'device.add', principal, target: id, facts: { class: className } });
      return c.json({ device: deviceView(device), claim: claimView(claim) }, 201);
    },
  );

  routes.add(
    'device:read',
    {
      method: 'get',
      path: '/v1/devices/{id}',
      summary: 'Shows a device with its certificates.',
      request: { params },
      responses: { 200: json(DeviceDetailSchema, 'The device.') },
    },
    (c) => {
      const device = deviceOf(c.req.valid('param').id);
      const certificates = registry.certificatesOf(device.id).map(certificateView);
      return c.json({ device: deviceView(device), certificates }, 200);
    },
  );

  routes.add(
    'device:claim',
    {
      method: 'post',
      path: '/v1/devices/{id}/claim',
      summary: 'Makes a new claim for a device; an earlier one is void.',
      request: { params },
      responses: { 201: json(ClaimedDeviceSchema, 'The device, and its claim this once.') },
    },
    async (c) => {
      const before = deviceOf(c.req.valid('param').id);
      const claim = accepted(issueClaim(before));
      const device = deviceOf(before.id);
      const { principal } = c.get('caller');
      const facts = { stateBefore: before.state, stateAfter: device.state };
      await recordAct({ action: 'device.claim', principal, target: device.id, facts });
      return c.json({ device: deviceView(device), claim: claimView(claim) }, 201);
    },
  );

  routes.add(
    'device:revoke',
    {
      method: 'post',
      path: '/v1/devices/{id}/revoke',
      summary: 'Revokes a device: its connections close at once, and nothing of it gets in again.',
      request: { params, body: jsonBody(RevokeDeviceRequestSchema) },
      responses: { 200: json(RevokedDeviceSchema, 'The device.') },
    },
    async (c) => {
      const before = deviceOf(c.req.valid('param').id);
      const { reason } = c.req.valid('json');
      // The effect comes first: a failing log must not keep a stolen device connected.
      const device = registry.revoke(before, reason);
      const { principal } = c.get('caller');
      const facts = { stateBefore: before.state, stateAfter: device.state };
      await recordAct({ action: 'device.revoke', principal, target: device.id, reason, facts });
      return c.json({ device: deviceView(device) }, 200);
    },
  );

  routes.add(
    'device:command',
    {
      method: 'post',
      path: '/v1/devices/{id}/commands',
      summary: 'Sends a signed command to a device.',
      request: { params, body: jsonBody(SendCommandRequestSchema) },
      responses: { 201: json(SentCommandSchema, 'Where it stands on the log, and who got it.') },
    },
    async (c) => {
      const { id: deviceId } = deviceOf(c.req.valid('param').id);
      const { name, body } = c.req.valid('json');
      const { principal } = c.get('caller');
      const sent = accepted(await sendCommand({ deviceId, name, body, principal }));
      return c.json(sent, 201);
    },
  );
}
