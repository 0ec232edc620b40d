/** TPMs of devices: what they have proven, and which ones are vouched for. @module */
import { refuse } from '@holdfast/protocol';
import {
  AcceptTpmRequestSchema,
  DevicePathSchema,
  type TpmView,
  TpmViewSchema,
} from '@holdfast/protocol/api';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { isoTime } from './views.ts';

const path = '/v1/devices/{id}/tpm';

export function addTpmRoutes(routes: Routes, deps: ApiDeps): void {
  const viewOf = (id: string): TpmView => {
    const view = tpmView(id, deps);
    if (view === undefined) throw none(id);
    return view;
  };

  routes.add(
    { action: 'device:read', on: 'device' },
    {
      method: 'get',
      path,
      summary: 'Shows the TPM of a device, and what it has proven.',
      request: { params: DevicePathSchema },
      responses: { 200: json(TpmViewSchema, 'The TPM.') },
    },
    (c) => c.json(viewOf(c.get('device').id), 200),
  );

  routes.add(
    { action: 'device:tpm', on: 'device' },
    {
      method: 'put',
      path,
      summary: 'Vouches for the TPM that a device has shown.',
      request: { params: DevicePathSchema, body: jsonBody(AcceptTpmRequestSchema) },
      responses: { 200: json(TpmViewSchema, 'The TPM.') },
    },
    async (c) => {
      const { id } = c.get('device');
      const { ekSha256 } = c.req.valid('json');
      const { principal } = c.get('caller');
      viewOf(id);
      await recordFirst(deps, {
        action: 'device.tpm-accept',
        principal,
        target: id,
        facts: { ekSha256 },
      });
      const refusal = deps.updates.proofs.accept(id, { ekSha256, by: principal });
      if (refusal !== undefined) throw new RefusedRequest(refusal);
      return c.json(viewOf(id), 200);
    },
  );

  routes.add(
    { action: 'device:tpm', on: 'device' },
    {
      method: 'delete',
      path,
      summary: 'Forgets the TPM of a device: another one can be bound to it.',
      request: { params: DevicePathSchema },
      responses: { 204: { description: 'It is forgotten.' } },
    },
    async (c) => {
      const { id } = c.get('device');
      const { ekSha256 } = viewOf(id);
      const { principal } = c.get('caller');
      // It gives: without a TPM nothing has to be proven.
      await recordFirst(deps, {
        action: 'device.tpm-forget',
        principal,
        target: id,
        facts: { ekSha256 },
      });
      if (!deps.updates.proofs.forget(id)) throw none(id);
      return c.body(null, 204);
    },
  );
}

/** The TPM of a device; undefined when it has shown none. */
export function tpmView(
  id: string,
  { updates, registry }: Pick<ApiDeps, 'updates' | 'registry'>,
): TpmView | undefined {
  const record = updates.proofs.of(id);
  if (record === undefined) return undefined;
  const { ekSha256, boundAtMs, trust, trustedBy, proof, why } = record;
  const boot = registry.byId(id)?.boot;
  return {
    ekSha256,
    boundAt: isoTime(boundAtMs),
    trust,
    ...(trustedBy !== undefined && { trustedBy }),
    ...(boot !== undefined && { boot }),
    ...(proof !== undefined && { proof: { at: isoTime(proof.atMs), release: proof.release } }),
    ...(why !== undefined && { why }),
  };
}

function none(id: string): RefusedRequest {
  return new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', `${id} has shown no TPM.`));
}
