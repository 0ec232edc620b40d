/** Devices: adding, showing, claiming, commanding. @module */
import { refuse } from '@holdfast/protocol';
import {
  AddDeviceRequestSchema,
  ClaimedDeviceSchema,
  DeviceDetailSchema,
  DevicePathSchema,
  SendCommandRequestSchema,
  SentCommandSchema,
} from '@holdfast/protocol/api';
import { MAY_NOT_ENROLL } from '../enroll/index.ts';
import type { Device } from '../registry/index.ts';
import { AddedIds } from './added-ids.ts';
import { claimState } from './claim-state.ts';
import type { ApiDeps } from './deps.ts';
import { DeviceFactsReader } from './device-facts.ts';
import { addImportRoute } from './device-import-routes.ts';
import { addDeviceListRoutes } from './device-list-routes.ts';
import { accepted, conflict } from './errors.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { tpmView } from './tpm-routes.ts';
import { certificateView, claimView, deviceView } from './views.ts';

const params = DevicePathSchema;

export function addDeviceRoutes(routes: Routes, deps: ApiDeps): void {
  const { registry, issueClaim, sendCommand } = deps;
  const deviceOf = (id: string): Device =>
    accepted(registry.byId(id) ?? refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`));
  const adding = new AddedIds();
  addDeviceListRoutes(routes, deps);
  addImportRoute(routes, { ...deps, adding });

  routes.add(
    { action: 'device:claim', on: 'devices' },
    {
      method: 'post',
      path: '/v1/devices',
      summary: 'Registers a device and makes its claim.',
      request: { body: jsonBody(AddDeviceRequestSchema) },
      responses: { 201: json(ClaimedDeviceSchema, 'The device, and its claim this once.') },
    },
    async (c) => {
      const { id, class: className, group, tags } = c.req.valid('json');
      c.get('access').requireNew({ id, class: className, state: 'registered', group });
      if (registry.byId(id) !== undefined) throw conflict(`${id} exists.`);
      const release = accepted(adding.reserve([id]));
      try {
        const { principal } = c.get('caller');
        const facts = { class: className, group, ...(tags.length > 0 && { tags }) };
        await recordFirst(deps, { action: 'device.add', principal, target: id, facts });
        const added = { id, class: className, group, tags, by: principal };
        const device = accepted(registry.add(added));
        const claim = accepted(issueClaim(device, principal));
        return c.json({ device: deviceView(device), claim: claimView(claim) }, 201);
      } finally {
        release();
      }
    },
  );

  routes.add(
    { action: 'device:read', on: 'device' },
    {
      method: 'get',
      path: '/v1/devices/{id}',
      summary: 'Shows a device with its certificates.',
      request: { params },
      responses: { 200: json(DeviceDetailSchema, 'The device.') },
    },
    (c) => {
      const device = c.get('device');
      const certificates = registry.certificatesOf(device.id).map(certificateView);
      const view = new DeviceFactsReader(deps).view(device);
      const found = registry.claimOf(device.id);
      const claim = found && claimState(found);
      const tpm = tpmView(device.id, deps);
      const more = { ...(claim && { claim }), ...(tpm && { tpm }) };
      return c.json({ device: view, certificates, ...more }, 200);
    },
  );

  routes.add(
    { action: 'device:claim', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/claim',
      summary: 'Makes a new claim for a device; an earlier one is void.',
      request: { params },
      responses: { 201: json(ClaimedDeviceSchema, 'The device, and its claim this once.') },
    },
    async (c) => {
      const { id, state } = c.get('device');
      if (MAY_NOT_ENROLL.has(state)) throw conflict(`${id} is ${state} and gets no claim.`);
      const { principal } = c.get('caller');
      const facts = { stateBefore: state };
      await recordFirst(deps, { action: 'device.claim', principal, target: id, facts });
      const device = deviceOf(id);
      // A claim lifts a revocation; one that came in the meantime is not what was asked to lift.
      if (device.state !== state) throw conflict(`${id} has become ${device.state}; ask again.`);
      const claim = accepted(issueClaim(device, principal));
      return c.json({ device: deviceView(deviceOf(id)), claim: claimView(claim) }, 201);
    },
  );

  routes.add(
    { action: 'device:command', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/commands',
      summary: 'Sends a signed command to a device.',
      request: { params, body: jsonBody(SendCommandRequestSchema) },
      responses: { 201: json(SentCommandSchema, 'Where it stands on the log, and who got it.') },
    },
    async (c) => {
      const { id: deviceId } = c.get('device');
      const { name, body } = c.req.valid('json');
      const { principal } = c.get('caller');
      requireReady(deps);
      const sent = accepted(await sendCommand({ deviceId, name, body, principal }));
      return c.json(sent, 201);
    },
  );
}
