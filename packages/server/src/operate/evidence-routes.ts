/** Evidence of single readings, to be checked by whoever has never seen this server. @module */
import { X509Certificate } from 'node:crypto';
import { SALT_BYTES, decodeEntry, refuse } from '@holdfast/protocol';
import {
  DevicePathSchema,
  type Evidence,
  EvidenceSchema,
  ProveRequestSchema,
} from '@holdfast/protocol/api';
import { z } from 'zod';
import type { Act, LogEvidence } from '../audit/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { PROOFS_MAX } from './limits.ts';
import { recordGift } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';

export function addEvidenceRoutes(routes: Routes, deps: ApiDeps): void {
  const { histories, logAudit, server, witnesses } = deps;
  let proofCount = 0;

  routes.add(
    { action: 'audit:prove', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/evidence',
      summary: 'Gives the evidence of a reading: signed bytes, proofs, acts, certificates.',
      request: { params: DevicePathSchema, body: jsonBody(ProveRequestSchema) },
      responses: { 200: json(EvidenceSchema, 'A bundle; see docs/reference/evidence.md.') },
    },
    async (c) => {
      const [device, caller] = [c.get('device'), c.get('caller')];
      const wanted = c.req.valid('json').index;
      const [newest] = wanted === undefined ? await histories.readings(device.id).read(ONE) : [];
      const index = wanted ?? newest?.index;
      if (index === undefined) throw noReading(device.id);
      const { principal } = caller;
      const act: Act = { action: 'audit.prove', principal, target: device.id, facts: { index } };
      await recordGift(deps, act, caller);
      if (proofCount >= PROOFS_MAX) {
        throw new RefusedRequest(refuse('E_OPERATE_RATE', `${PROOFS_MAX} proofs are being made`));
      }
      proofCount += 1;
      try {
        const checkpoint = newestOf(witnesses.all().map(({ latest }) => latest));
        const found = await logAudit.prove({ device, index, checkpoint });
        if (found === undefined) throw noReading(device.id);
        return c.json(bundleOf(found, { deviceId: device.id, ...deps, ...server() }), 200);
      } finally {
        proofCount -= 1;
      }
    },
  );
}

const ONE = { limit: 1 };

function noReading(deviceId: string): RefusedRequest {
  const detail = `No such reading of ${deviceId} can be read; it may have expired or been erased.`;
  return new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', detail));
}

/** What witnesses have cosigned last is the best to prove by: nobody can rewrite it unseen. */
function newestOf<T extends { readonly size: number }>(
  cosigned: readonly (T | undefined)[],
): T | undefined {
  return cosigned
    .filter((one) => one !== undefined)
    .toSorted((a, b) => b.size - a.size)
    .at(0);
}

function bundleOf(
  found: LogEvidence,
  {
    deviceId,
    verifierKey,
    authority,
  }: { deviceId: string; verifierKey: string } & Pick<ApiDeps, 'authority'>,
): Evidence {
  return {
    format: 'holdfast-evidence/v1',
    verifierKey,
    device: deviceId,
    ...found,
    certificates: certificatesOf(found, authority).map((der) => der.toString('base64')),
  };
}

const IssuedSchema = z.object({
  facts: z.object({ certificate: z.string(), certificateDer: z.base64().optional() }),
});
/** From these acts on, a device shows the certificate that they name. */
const USING_ACTS: ReadonlySet<string> = new Set(['device.enroll', 'device.use-certificate']);

/** The certificate that the device showed last before the reading, and who issued it. */
function certificatesOf(
  { acts }: LogEvidence,
  { authority }: Pick<ApiDeps['authority'], 'authority'>,
): Buffer[] {
  let used = '';
  const issued = new Map<string, Buffer>();
  for (const { leaf } of acts) {
    const entry = decodeEntry(Buffer.from(leaf, 'base64').subarray(SALT_BYTES));
    if (entry === undefined) continue;
    const parsed = IssuedSchema.safeParse(JSON.parse(Buffer.from(entry.body).toString('utf8')));
    if (!parsed.success) continue;
    const { certificate, certificateDer } = parsed.data.facts;
    if (certificateDer !== undefined)
      issued.set(certificate, Buffer.from(certificateDer, 'base64'));
    if (USING_ACTS.has(entry.topic)) used = certificate;
  }
  const der = issued.get(used);
  if (der === undefined) return [];
  const certificate = new X509Certificate(der);
  const issuer = authority.issuers
    .map((one) => one.certificate)
    .find((one) => certificate.checkIssued(one));
  return issuer === undefined ? [der] : [der, issuer.raw, authority.root.raw];
}
