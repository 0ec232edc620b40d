/** Devices: adding, claiming, revoking, commanding. @module */
import { refuse } from '@holdfast/protocol';
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
} from '@holdfast/protocol/api';
import { MAY_NOT_ENROLL } from '../enroll/index.ts';
import type { Device } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { certificateView, claimView, deviceView } from './views.ts';

const params = DevicePathSchema;

export function addDeviceRoutes(routes: Routes, deps: ApiDeps): void {
  const { registry, recordAct, issueClaim, sendCommand } = deps;
  const deviceOf = (id: string): Device =>
    accepted(registry.byId(id) ?? refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`));
  /** Ids whose addition is being recorded. */
  const adding = new Set<string>();

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
      if (adding.has(id) || registry.byId(id) !== undefined) throw conflict(`${id} exists.`);
      adding.add(id);
      try {
        const { principal } = c.get('caller');
        const facts = { class: className };
        await recordFirst(deps, { action: 'device.add', principal, target: id, facts });
        const device = accepted(registry.add({ id, class: className }));
        const claim = accepted(issueClaim(device));
        return c.json({ device: deviceView(device), claim: claimView(claim) }, 201);
      } finally {
        adding.delete(id);
      }
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
      const { id, state } = deviceOf(c.req.valid('param').id);
      if (MAY_NOT_ENROLL.has(state)) throw conflict(`${id} is ${state} and gets no claim.`);
      const { principal } = c.get('caller');
      const facts = { stateBefore: state };
      await recordFirst(deps, { action: 'device.claim', principal, target: id, facts });
      const device = deviceOf(id);
      // A claim lifts a revocation; one that came in the meantime is not what was asked to lift.
      if (device.state !== state) throw conflict(`${id} has become ${device.state}; ask again.`);
      const claim = accepted(issueClaim(device));
      return c.json({ device: deviceView(deviceOf(id)), claim: claimView(claim) }, 201);
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
      const { principal } = c.get('caller');
      const facts = { stateBefore: before.state };
      try {
        registry.revoke(before, reason);
      } finally {
        // Recorded even when the registry's disk fails: the connections are closed by then.
        const act = { action: 'device.revoke', principal, target: before.id, reason, facts };
        await recordAct(act);
      }
      return c.json({ device: deviceView(deviceOf(before.id)) }, 200);
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
      requireReady(deps);
      const sent = accepted(await sendCommand({ deviceId, name, body, principal }));
      return c.json(sent, 201);
    },
  );
}

function conflict(detail: string): RefusedRequest {
  return new RefusedRequest(refuse('E_OPERATE_CONFLICT', detail));
}
