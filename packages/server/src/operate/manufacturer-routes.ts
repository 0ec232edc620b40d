/** Manufacturers: registering them, and allowing their certificates to enroll devices. @module */
import { refuse } from '@holdfast/protocol';
import {
  AddManufacturerRequestSchema,
  AllowIdevidRequestSchema,
  AllowedIdevidSchema,
  DevicePathSchema,
  ManufacturerListSchema,
  ManufacturerPathSchema,
  type ManufacturerView,
  ManufacturerViewSchema,
} from '@holdfast/protocol/api';
import { MAY_NOT_ENROLL } from '../enroll/index.ts';
import { certificatePin, normalSerial, parseManufacturerPem } from '../pki/index.ts';
import type { Device, Manufacturer } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted, conflict } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { isoTime } from './views.ts';

export function addManufacturerRoutes(routes: Routes, deps: ApiDeps): void {
  const { manufacturers, recordAct } = deps;

  routes.add(
    { action: 'manufacturer:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/manufacturers',
      summary: 'Lists the manufacturers whose certificates may enroll devices.',
      responses: { 200: json(ManufacturerListSchema, 'In the order of their names.') },
    },
    (c) => c.json({ manufacturers: manufacturers.all().map((one) => view(one, deps)) }, 200),
  );

  routes.add(
    { action: 'manufacturer:manage', on: 'server' },
    {
      method: 'post',
      path: '/v1/manufacturers',
      summary: 'Registers a manufacturer by the authorities that issue to its devices.',
      request: { body: jsonBody(AddManufacturerRequestSchema) },
      responses: { 201: json(ManufacturerViewSchema, 'The manufacturer.') },
    },
    async (c) => {
      const { name, certificatesPem } = c.req.valid('json');
      const certificates = accepted(parseManufacturerPem(certificatesPem));
      const { principal } = c.get('caller');
      const facts = { certificates: certificates.map(({ raw }) => certificatePin(raw)) };
      if (manufacturers.all().some((one) => one.name === name)) throw conflict(`${name} exists.`);
      await recordFirst(deps, { action: 'manufacturer.add', principal, target: name, facts });
      const added = accepted(manufacturers.add({ name, certificates }));
      return c.json(view(added, deps), 201);
    },
  );

  routes.add(
    { action: 'manufacturer:manage', on: 'server' },
    {
      method: 'delete',
      path: '/v1/manufacturers/{name}',
      summary: 'Removes a manufacturer: it enrolls no device any more. Enrolled ones stay so.',
      request: { params: ManufacturerPathSchema },
      responses: { 204: { description: 'It is removed.' } },
    },
    async (c) => {
      const { name } = c.req.valid('param');
      const { principal } = c.get('caller');
      let isRemoved = true;
      try {
        isRemoved = manufacturers.remove(name);
      } finally {
        // Recorded even when the disk fails: it enrolls nothing by then.
        if (isRemoved) await recordAct({ action: 'manufacturer.remove', principal, target: name });
      }
      if (isRemoved) return c.body(null, 204);
      throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', `There is no manufacturer ${name}.`));
    },
  );

  addAllowRoute(routes, deps);
}

function addAllowRoute(routes: Routes, deps: ApiDeps): void {
  const { manufacturers, registry } = deps;

  routes.add(
    { action: 'device:claim', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/idevid',
      summary: 'Allows the certificate of a manufacturer to enroll a device, once.',
      request: { params: DevicePathSchema, body: jsonBody(AllowIdevidRequestSchema) },
      responses: { 201: json(AllowedIdevidSchema, 'What is allowed; what was before is void.') },
    },
    async (c) => {
      const { id, state } = c.get('device');
      if (MAY_NOT_ENROLL.has(state)) throw conflict(`${id} is ${state} and does not enroll.`);
      const { manufacturer, serial, certificateSerial = '' } = c.req.valid('json');
      const identity =
        serial === undefined
          ? ({ kind: 'certificate-serial', serial: normalSerial(certificateSerial) } as const)
          : ({ kind: 'serial', serial } as const);
      const allowed = { deviceId: id, manufacturer, ...identity };
      const refusal = manufacturers.whyNotAllow(allowed);
      if (refusal !== undefined) throw new RefusedRequest(refusal);
      const { principal } = c.get('caller');
      const facts = { manufacturer, ...identity, stateBefore: state };
      await recordFirst(deps, { action: 'device.allow-idevid', principal, target: id, facts });
      // Before the revocation is lifted: the manufacturer may have gone in the meantime.
      const late = manufacturers.whyNotAllow(allowed);
      if (late !== undefined) throw new RefusedRequest(late);
      readmit(registry.byId(id), { before: state, by: principal, registry });
      accepted(manufacturers.allow(allowed));
      const shown =
        identity.kind === 'serial'
          ? { serial: identity.serial }
          : { certificateSerial: identity.serial };
      return c.json({ device: id, manufacturer, ...shown }, 201);
    },
  );
}

/** As with a claim, this lifts a revocation; not one that came in the meantime. */
function readmit(
  device: Device | undefined,
  { before, by, registry }: { before: Device['state']; by: string; registry: ApiDeps['registry'] },
): void {
  if (device?.state !== before) throw conflict(`It has become ${device?.state ?? 'absent'}.`);
  if (before !== 'revoked') return;
  const reason = 'allowed to enroll again after its revocation';
  accepted(registry.changeState(device.id, { act: 'readmit', by, reason }));
}

function view(manufacturer: Manufacturer, { manufacturers }: ApiDeps): ManufacturerView {
  const { name, addedAtMs, certificates } = manufacturer;
  return {
    name,
    addedAt: isoTime(addedAtMs),
    authorities: certificates.map(({ subject, raw, validToDate }) => ({
      subject: subject.replaceAll('\n', ', ').slice(0, SUBJECT_CHARACTERS_MAX),
      fingerprint: certificatePin(raw),
      notAfter: isoTime(validToDate.getTime()),
    })),
    deviceCount: manufacturers.countOf(name),
  };
}

const SUBJECT_CHARACTERS_MAX = 512;
