/** What owners' apps do over HTTPS, by their certificates. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  AddOwnedDeviceRequestSchema,
  DevicePathSchema,
  OwnedAppListSchema,
  OwnedAppPathSchema,
  OwnedDeviceListSchema,
  OwnedDeviceSchema,
  PageQuerySchema,
  PairCodeSchema,
  PairedAppSchema,
  ReadingListSchema,
  RenewAppRequestSchema,
  SendCommandRequestSchema,
  SentCommandSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { APP_INVITATION_LIFE_MS, WrongClaims } from '../enroll/index.ts';
import { appPrincipal } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { ownedAppView, ownedDeviceView, pairCodeView, pairedAppView } from './pairing-views.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { type Routes, addressOf, json, jsonBody } from './routes.ts';
import { readingView } from './views.ts';

const self = { by: 'app', action: 'self:secure', on: 'self' } as const;
const readsDevice = { by: 'app', action: 'device:read', on: 'device' } as const;

export function addAppRoutes(routes: Routes, deps: ApiDeps): void {
  addDeviceReads(routes, deps);
  addDeviceActs(routes, deps);
  addAddDevice(routes, deps);
  addCredentialRoutes(routes, deps);
  addAppList(routes, deps);
}

const principalOf = (c: Context<ApiEnv>): string => appPrincipal(c.get('app').id);

function addDeviceReads(routes: Routes, deps: ApiDeps): void {
  const { owners, histories } = deps;
  routes.add(
    { by: 'app', action: 'device:read', on: 'devices' },
    {
      method: 'get',
      path: '/v1/app/devices',
      summary: 'Lists the devices of the owner.',
      responses: { 200: json(OwnedDeviceListSchema, 'In the order of their ids.') },
    },
    (c) => {
      const access = c.get('appAccess');
      const devices = owners.pairingsOf(c.get('app').ownerId).flatMap((pairing) => {
        const device = access.device(pairing.deviceId, 'device:read');
        return device === undefined ? [] : [ownedDeviceView(device, pairing, deps)];
      });
      return c.json({ devices }, 200);
    },
  );

  routes.add(
    readsDevice,
    {
      method: 'get',
      path: '/v1/app/devices/{id}',
      summary: 'Shows a device of the owner.',
      request: { params: DevicePathSchema },
      responses: { 200: json(OwnedDeviceSchema, 'The device.') },
    },
    (c) => {
      const device = c.get('device');
      const pairing = owners.pairingOf(device.id) ?? { sinceMs: 0 };
      return c.json(ownedDeviceView(device, pairing, deps), 200);
    },
  );

  routes.add(
    readsDevice,
    {
      method: 'get',
      path: '/v1/app/devices/{id}/readings',
      summary: 'Reads verified readings of a device of the owner, newest first.',
      request: { params: DevicePathSchema, query: PageQuerySchema },
      responses: { 200: json(ReadingListSchema, 'A page of readings.') },
    },
    async (c) => {
      const { id } = c.get('device');
      const page = await histories.readings(id).read(c.req.valid('query'));
      // What was sent before is not this owner's; who lost the device in the meantime gets nothing.
      const { sinceMs = Number.POSITIVE_INFINITY, ownerId } = owners.pairingOf(id) ?? {};
      const isOwn = ownerId === c.get('app').ownerId;
      const readings = isOwn ? page.filter(({ atMs }) => atMs >= sinceMs) : [];
      return c.json({ readings: readings.map(readingView) }, 200);
    },
  );
}

function addDeviceActs(routes: Routes, deps: ApiDeps): void {
  const { sendCommand } = deps;
  routes.add(
    { by: 'app', action: 'device:command', on: 'device' },
    {
      method: 'post',
      path: '/v1/app/devices/{id}/commands',
      summary: 'Signs a command and sends it to a device of the owner.',
      request: { params: DevicePathSchema, body: jsonBody(SendCommandRequestSchema) },
      responses: { 202: json(SentCommandSchema, 'It is durable.') },
    },
    async (c) => {
      requireReady(deps);
      const { id: deviceId } = c.get('device');
      const { name, body } = c.req.valid('json');
      const command = { deviceId, name, body, principal: principalOf(c) };
      return c.json(accepted(await sendCommand(command)), 202);
    },
  );

  routes.add(
    { by: 'app', action: 'device:give-away', on: 'device' },
    {
      method: 'post',
      path: '/v1/app/devices/{id}/release',
      summary:
        'Gives a device away: the rights of its owner end at once, and what it sent is erased.',
      request: { params: DevicePathSchema },
      responses: { 204: { description: 'It has no owner.' } },
    },
    async (c) => {
      const reason = 'given away by its owner';
      const by = { action: 'device.give-away', principal: principalOf(c), reason } as const;
      await deps.resetDevice(c.get('device').id, by);
      return c.body(null, 204);
    },
  );
}

function addAddDevice(routes: Routes, deps: ApiDeps): void {
  const wrongCodes = new WrongClaims(deps);
  routes.add(
    self,
    {
      method: 'post',
      path: '/v1/app/devices',
      summary: 'Gives the owner one more device, by the code of that device.',
      request: { body: jsonBody(AddOwnedDeviceRequestSchema) },
      responses: { 201: json(OwnedDeviceSchema, 'The device.') },
    },
    async (c) => {
      requireReady(deps);
      const { of, code } = c.req.valid('json');
      const app = c.get('app');
      const added = deps.pairing.addDevice(app, { of, code });
      if (added instanceof Refusal) {
        if (added.code !== 'E_ENROLL_PAIR') throw new RefusedRequest(added);
        const tooMany = wrongCodes.count({ address: addressOf(c), deviceId: of });
        await wrongCodes.wait();
        throw new RefusedRequest(tooMany ?? added);
      }
      const facts = { owner: app.ownerId };
      const principal = principalOf(c);
      await deps.recordAct({ action: 'device.pair', principal, target: of, facts });
      const [device, pairing] = [deps.registry.byId(of), deps.owners.pairingOf(of)];
      if (device === undefined || pairing === undefined) throw new Error(`${of} has gone`);
      return c.json(ownedDeviceView(device, pairing, deps), 201);
    },
  );
}

function addCredentialRoutes(routes: Routes, deps: ApiDeps): void {
  const { owners, pairing } = deps;
  routes.add(
    self,
    {
      method: 'post',
      path: '/v1/app/renew',
      summary: 'Renews the certificate of the app, with a new key.',
      request: { body: jsonBody(RenewAppRequestSchema) },
      responses: { 201: json(PairedAppSchema, 'The certificate; its first use ends the other.') },
    },
    async (c) => {
      requireReady(deps);
      const renewed = accepted(pairing.renew(c.get('app'), c.req.valid('json').csr));
      const principal = principalOf(c);
      const facts = { isRepeated: renewed.isRepeated };
      await deps.recordAct({ action: 'app.renew', principal, target: principal, facts });
      return c.json(pairedAppView(renewed, deps), 201);
    },
  );

  routes.add(
    self,
    {
      method: 'post',
      path: '/v1/app/invitations',
      summary: 'Makes the code for one more app of the same owner.',
      responses: { 201: json(PairCodeSchema, 'The code, this once.') },
    },
    async (c) => {
      const { ownerId, id } = c.get('app');
      const code = deps.preparePairCode(ownerId, APP_INVITATION_LIFE_MS);
      const principal = principalOf(c);
      await recordFirst(deps, { action: 'app.invite', principal, target: ownerId });
      // The app may have been removed in the meantime.
      accepted(owners.app(id) ?? refuse('E_OPERATE_UNAUTHENTICATED', `${id} has gone`));
      code.keep();
      return c.json(pairCodeView(code), 201);
    },
  );
}

function addAppList(routes: Routes, { owners, recordAct }: ApiDeps): void {
  routes.add(
    self,
    {
      method: 'get',
      path: '/v1/app/apps',
      summary: 'Lists the apps of the owner, oldest first.',
      responses: { 200: json(OwnedAppListSchema, 'The one that asks is among them.') },
    },
    (c) => {
      const app = c.get('app');
      return c.json({ apps: owners.appsOf(app.ownerId).map((one) => ownedAppView(one, app)) }, 200);
    },
  );

  routes.add(
    self,
    {
      method: 'delete',
      path: '/v1/app/apps/{appId}',
      summary:
        'Removes an app of the owner: its connections end at once. It may be the one that asks.',
      request: { params: OwnedAppPathSchema },
      responses: { 204: { description: 'It has ended.' } },
    },
    async (c) => {
      const { appId } = c.req.valid('param');
      const { ownerId } = c.get('app');
      const isOwn = owners.app(appId)?.ownerId === ownerId;
      if (!isOwn) accepted(refuse('E_OPERATE_NOT_FOUND', 'You have no such app.'));
      try {
        owners.removeApp(appId);
      } finally {
        const target = appPrincipal(appId);
        await recordAct({ action: 'app.remove', principal: principalOf(c), target });
      }
      return c.body(null, 204);
    },
  );
}
