/** Witnesses of the log: whose cosignatures count, and the cosignatures themselves. @module */
import { refuse } from '@holdfast/protocol';
import {
  AddWitnessRequestSchema,
  CosignatureRequestSchema,
  TakenCosignaturesSchema,
  WitnessListSchema,
  WitnessPathSchema,
  type WitnessView,
  WitnessViewSchema,
} from '@holdfast/protocol/api';
import type { TakenCosignatures, Witness } from '../audit/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { isoTime } from './views.ts';

export function addWitnessRoutes(routes: Routes, deps: ApiDeps): void {
  const { witnesses, recordAct } = deps;

  routes.add(
    { action: 'witness:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/witnesses',
      summary: 'Lists the witnesses of the log, and what each one has cosigned last.',
      responses: { 200: json(WitnessListSchema, 'In the order of their names.') },
    },
    (c) => c.json({ witnesses: witnesses.all().map(witnessView) }, 200),
  );

  routes.add(
    { action: 'witness:manage', on: 'server' },
    {
      method: 'post',
      path: '/v1/witnesses',
      summary: 'Lets the cosignatures of a witness count.',
      request: { body: jsonBody(AddWitnessRequestSchema) },
      responses: { 201: json(WitnessViewSchema, 'The witness.') },
    },
    async (c) => {
      const witness = accepted(witnesses.prepare(c.req.valid('json').key));
      const { principal } = c.get('caller');
      const facts = { key: witness.key };
      await recordFirst(deps, { action: 'witness.add', principal, target: witness.name, facts });
      witnesses.add(witness);
      return c.json(witnessView(witness), 201);
    },
  );

  routes.add(
    { action: 'witness:manage', on: 'server' },
    {
      method: 'delete',
      path: '/v1/witnesses/{witness}',
      summary: 'Trusts a witness no more.',
      request: { params: WitnessPathSchema },
      responses: { 204: { description: 'It is removed.' } },
    },
    async (c) => {
      const { witness: id } = c.req.valid('param');
      const removed = witnesses.remove(id);
      if (removed === undefined) {
        throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', `There is no witness ${id}.`));
      }
      const { principal } = c.get('caller');
      const facts = { key: removed.key };
      await recordAct({ action: 'witness.remove', principal, target: removed.name, facts });
      return c.body(null, 204);
    },
  );

  routes.add(
    // A cosignature proves itself: whoever may see the log may bring one.
    { action: 'log:read', on: 'server' },
    {
      method: 'post',
      path: '/v1/log/cosignatures',
      summary: 'Hands over a checkpoint of this log that a witness has cosigned.',
      request: { body: jsonBody(CosignatureRequestSchema) },
      responses: { 200: json(TakenCosignaturesSchema, 'Whose cosignatures were taken.') },
    },
    async (c) => {
      const before = new Set(withAlarm(witnesses.all()));
      const taken = accepted(witnesses.take(c.req.valid('json').checkpoint));
      if (taken.isBehind) await alarm(deps, taken, before);
      return c.json({ witnesses: taken.witnesses.map(witnessView) }, 200);
    },
  );
}

/** @throws RefusedRequest always: what the witness has seen is not this log. */
async function alarm(
  { log, recordEvent }: ApiDeps,
  { witnesses }: TakenCosignatures,
  before: ReadonlySet<string>,
): Promise<never> {
  for (const { id, name, alarm: seen } of witnesses) {
    // Witnesses come back every minute: once is enough for the log.
    if (seen === undefined || before.has(id)) continue;
    const facts = { witness: name, size: seen.size, atMs: seen.atMs };
    log.error({ 'event.action': 'log.behind-witness', ...facts }, 'a witness has seen another log');
    await recordEvent({ name: 'log.behind-witness', facts });
  }
  const detail = witnesses.map(({ name, alarm: seen }) => `${name} saw ${seen?.size} entries.`);
  throw new RefusedRequest(refuse('E_AUDIT_BEHIND_WITNESS', detail.join(' ')));
}

function withAlarm(witnesses: readonly Witness[]): string[] {
  return witnesses.filter((one) => one.alarm !== undefined).map(({ id }) => id);
}

function witnessView({ id, name, key, addedAtMs, latest, alarm: seen }: Witness): WitnessView {
  return {
    id,
    name,
    key,
    addedAt: isoTime(addedAtMs),
    ...(latest !== undefined && { latest: { size: latest.size, at: isoTime(latest.atMs) } }),
    ...(seen !== undefined && { alarm: { size: seen.size, at: isoTime(seen.atMs) } }),
  };
}
