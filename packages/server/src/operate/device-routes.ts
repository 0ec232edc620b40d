/** Devices: listing, adding, claiming, commanding. @module */
import { refuse } from '@holdfast/protocol';
import {
  AddDeviceRequestSchema,
  ClaimedDeviceSchema,
  DeviceDetailSchema,
  type DeviceFilter,
  DeviceListSchema,
  DevicePathSchema,
  DeviceQuerySchema,
  SendCommandRequestSchema,
  SentCommandSchema,
} from '@holdfast/protocol/api';
import { MAY_NOT_ENROLL } from '../enroll/index.ts';
import type { Device } from '../registry/index.ts';
import type { RequestAccess } from './access.ts';
import { AddedIds } from './added-ids.ts';
import type { ApiDeps } from './deps.ts';
import { addImportRoute } from './device-import-routes.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { certificateView, claimView, deviceView } from './views.ts';

const params = DevicePathSchema;

export function addDeviceRoutes(routes: Routes, deps: ApiDeps): void {
  const { registry, issueClaim, sendCommand } = deps;
  const deviceOf = (id: string): Device =>
    accepted(registry.byId(id) ?? refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`));
  const adding = new AddedIds();
  addImportRoute(routes, { ...deps, adding });

  routes.add(
    { action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: '/v1/devices',
      summary: 'Lists the devices, a page at a time.',
      request: { query: DeviceQuerySchema },
      responses: { 200: json(DeviceListSchema, 'In the order of their ids.') },
    },
    (c) => {
      const { limit, ...filter } = c.req.valid('query');
      const found = pageOf(registry.after(filter.after ?? ''), {
        limit,
        filter,
        access: c.get('access'),
      });
      const last = found.length > limit ? found[limit - 1] : undefined;
      const devices = found.slice(0, limit).map(deviceView);
      return c.json({ devices, ...(last && { next: last.id }) }, 200);
    },
  );

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
      const { id, class: className, group } = c.req.valid('json');
      c.get('access').requireNew({ id, class: className, state: 'registered', group });
      if (registry.byId(id) !== undefined) throw conflict(`${id} exists.`);
      const release = accepted(adding.reserve([id]));
      try {
        const { principal } = c.get('caller');
        const facts = { class: className, group };
        await recordFirst(deps, { action: 'device.add', principal, target: id, facts });
        const added = { id, class: className, group, by: principal };
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
      return c.json({ device: deviceView(device), certificates }, 200);
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

function conflict(detail: string): RefusedRequest {
  return new RefusedRequest(refuse('E_OPERATE_CONFLICT', detail));
}

/** The devices of a page, and one more when there is a next page. */
function pageOf(
  devices: Iterable<Device>,
  { limit, filter, access }: { limit: number; filter: DeviceFilter; access: RequestAccess },
): Device[] {
  const found: Device[] = [];
  // The question is asked even where nothing is found: a list without a decision is a fault.
  access.filter([]);
  for (const device of devices) {
    if (!isMeant(device, filter) || !access.permits(device)) continue;
    found.push(device);
    if (found.length > limit) break;
  }
  return found;
}

function isMeant(device: Device, { state, class: className, group }: DeviceFilter): boolean {
  if (state !== undefined && device.state !== state) return false;
  if (className !== undefined && device.class !== className) return false;
  return group === undefined || device.group === group;
}
