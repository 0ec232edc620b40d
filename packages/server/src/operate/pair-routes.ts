/** Pairing: an app shows a code and gets its certificate; operators make codes, and reset. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  DevicePathSchema,
  PairCodeSchema,
  PairRequestSchema,
  PairedAppSchema,
  ResetDeviceRequestSchema,
  ResetDeviceSchema,
} from '@holdfast/protocol/api';
import { WrongClaims } from '../enroll/index.ts';
import { appPrincipal } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { pairCodeView, pairedAppView } from './pairing-views.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { type Routes, addressOf, json, jsonBody, text } from './routes.ts';

export function addPairRoutes(routes: Routes, deps: ApiDeps): void {
  addPairRoute(routes, deps);
  addOperatorRoutes(routes, deps);

  routes.add(
    'public',
    {
      method: 'get',
      path: '/v1/anchor',
      summary: 'Gives the trust anchor of this server. What makes it authentic is a pin of it.',
      responses: { 200: text('The root certificate, PEM.') },
    },
    (c) => c.text(deps.authority.authority.anchorPem, 200),
  );
}

function addPairRoute(routes: Routes, deps: ApiDeps): void {
  const wrongCodes = new WrongClaims(deps);
  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/pair',
      summary: 'Pairs an app by a one-time code, and issues its certificate.',
      request: { body: jsonBody(PairRequestSchema) },
      responses: { 201: json(PairedAppSchema, 'The certificate for the key of the request.') },
    },
    async (c) => {
      requireReady(deps);
      const { of, ...shown } = c.req.valid('json');
      const address = addressOf(c);
      const paired = deps.pairing.pair({ of, ...shown });
      if (paired instanceof Refusal) {
        if (!isWrongCode(paired)) throw new RefusedRequest(paired);
        const tooMany = wrongCodes.count({ address, deviceId: of });
        await wrongCodes.wait();
        throw new RefusedRequest(tooMany ?? paired);
      }
      const { app, isRepeated } = paired;
      const facts = { owner: app.ownerId, app: app.id, isRepeated, address };
      // The certificate is worth nothing until it is given, and it is given when this is on record.
      await deps.recordAct({
        action: 'app.pair',
        principal: appPrincipal(app.id),
        target: of,
        facts,
      });
      return c.json(pairedAppView(paired, deps), 201);
    },
  );
}

/** What guessing looks like; the finding of a used code is reported, and slowed as well. */
function isWrongCode({ code }: Refusal): boolean {
  return code === 'E_ENROLL_PAIR' || code === 'E_ENROLL_PAIR_USED';
}

function addOperatorRoutes(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'device:pair', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/pair-code',
      summary: 'Makes the code by which an app is paired with a device, for its label.',
      request: { params: DevicePathSchema },
      responses: { 201: json(PairCodeSchema, 'The code, this once.') },
    },
    async (c) => {
      const { id } = c.get('device');
      requireNoOwner(id, deps);
      const code = deps.preparePairCode(id);
      const { principal } = c.get('caller');
      await recordFirst(deps, { action: 'device.pair-code', principal, target: id });
      // It may have got an owner in the meantime.
      requireNoOwner(id, deps);
      code.keep();
      return c.json(pairCodeView(code), 201);
    },
  );

  routes.add(
    { action: 'device:reset', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/reset',
      summary: 'Ends the rights of its owner at once, and erases what the device has sent.',
      request: { params: DevicePathSchema, body: jsonBody(ResetDeviceRequestSchema) },
      responses: { 200: json(ResetDeviceSchema, 'Whether it had an owner.') },
    },
    async (c) => {
      const { id: device } = c.get('device');
      const { reason } = c.req.valid('json');
      const { principal } = c.get('caller');
      const { owner } = await deps.resetDevice(device, {
        action: 'device.reset',
        principal,
        reason,
      });
      return c.json({ device, hadOwner: owner !== undefined }, 200);
    },
  );
}

function requireNoOwner(id: string, { owners }: Pick<ApiDeps, 'owners'>): void {
  if (owners.ownerOf(id) === undefined) return;
  const detail = `${id} has an owner: who gives it away does so in the app, or resets the device.`;
  accepted(refuse('E_OPERATE_CONFLICT', detail));
}
