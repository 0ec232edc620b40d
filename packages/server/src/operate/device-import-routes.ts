/** Import: many devices, each with its claim, in one request. @module */
import { refuse } from '@holdfast/protocol';
import {
  ImportDevicesRequestSchema,
  type ImportedDevice,
  type ImportedDevices,
  ImportedDevicesSchema,
} from '@holdfast/protocol/api';
import type { Act } from '../audit/index.ts';
import type { RequestAccess } from './access.ts';
import type { AddedIds } from './added-ids.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { IMPORT_CONFLICTS_TOLD_MAX } from './limits.ts';
import { requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { isoTime } from './views.ts';

/** What the import needs. */
export interface ImportDeps extends ApiDeps {
  readonly adding: AddedIds;
}

/** An import, as the registry stands. */
interface ImportPlan {
  readonly fresh: readonly ImportedDevice[];
  /** Those that are there, and get a new claim. */
  readonly known: readonly ImportedDevice[];
  /** What is in its way. */
  readonly conflicts: ImportConflict[];
}

type ImportConflict = ImportedDevices['conflicts'][number];

export function addImportRoute(routes: Routes, deps: ImportDeps): void {
  routes.add(
    { action: 'device:claim', on: 'devices' },
    {
      method: 'post',
      path: '/v1/device-imports',
      summary: 'Registers many devices, each with a claim: all of them, or none.',
      request: { body: jsonBody(ImportDevicesRequestSchema) },
      responses: { 201: json(ImportedDevicesSchema, 'The claims, this once.') },
    },
    async (c) => {
      const { devices, again, claimLifeMs, dryRun } = c.req.valid('json');
      const { principal } = c.get('caller');
      const ids = devices.map(({ id }) => id);
      requireDistinct(ids);
      const access = c.get('access');
      for (const device of devices) access.requireNew({ ...device, state: 'registered' });
      const release = accepted(deps.adding.reserve(ids));
      try {
        const plan = planOf(devices, { again, access }, deps);
        const { fresh, known, conflicts } = plan;
        const counts = { added: fresh.length, claimedAgain: known.length };
        if (dryRun) return c.json({ ...counts, conflicts, claims: [] }, 201);
        if (conflicts.length > 0) throw inTheWay(conflicts);
        await recordAll(plan, principal, deps);
        // A device that was enrolled in the meantime must not lose its claim.
        const later = planOf(devices, { again, access }, deps).conflicts;
        if (later.length > 0) throw inTheWay(later);
        const claims = addAll(devices, plan, { ...deps, by: principal, claimLifeMs });
        return c.json({ ...counts, conflicts, claims }, 201);
      } finally {
        release();
      }
    },
  );
}

function requireDistinct(ids: readonly string[]): void {
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  if (twice === undefined) return;
  throw new RefusedRequest(refuse('E_OPERATE_INPUT', `devices: ${twice} is there twice`));
}

function planOf(
  devices: readonly ImportedDevice[],
  { again, access }: { again: boolean; access: RequestAccess },
  { registry }: ApiDeps,
): ImportPlan {
  const fresh: ImportedDevice[] = [];
  const known: ImportedDevice[] = [];
  const conflicts: ImportConflict[] = [];
  for (const device of devices) {
    const present = registry.byId(device.id);
    if (present === undefined) fresh.push(device);
    // Of one that may not be claimed, no more is told than that its id is taken.
    else if (!again || !access.permits(present)) conflicts.push(conflict(device, EXISTS));
    else if (present.class !== device.class || present.group !== device.group) {
      conflicts.push(
        conflict(device, `has the class ${present.class} and the group "${present.group}"`),
      );
    } else if (present.state !== 'registered' || present.payloadKeyGeneration > 0) {
      conflicts.push(conflict(device, 'was enrolled before'));
    } else known.push(device);
  }
  return { fresh, known, conflicts };
}

const EXISTS = 'exists already';

function conflict({ id }: ImportedDevice, why: string): ImportConflict {
  return { id, why };
}

function inTheWay(conflicts: readonly ImportConflict[]): RefusedRequest {
  const told = conflicts.slice(0, IMPORT_CONFLICTS_TOLD_MAX).map(({ id, why }) => `${id} ${why}`);
  const more = conflicts.length - told.length;
  const rest = more > 0 ? `, and ${more} more` : '';
  const detail = `Nothing was imported: ${told.join(', ')}${rest}.`;
  return new RefusedRequest(refuse('E_OPERATE_CONFLICT', detail));
}

async function recordAll(
  { fresh, known }: ImportPlan,
  principal: string,
  deps: ApiDeps,
): Promise<void> {
  requireReady(deps);
  const acts: Act[] = [
    ...fresh.map(({ id, class: className, group, tags }): Act => {
      const tagged = tags.length > 0 && { tags };
      const facts = { class: className, group, ...tagged, isImport: true };
      return { action: 'device.add', principal, target: id, facts };
    }),
    ...known.map(({ id }): Act => {
      const facts = { stateBefore: 'registered', isImport: true };
      return { action: 'device.claim', principal, target: id, facts };
    }),
  ];
  await Promise.all(acts.map((act) => deps.recordAct(act)));
}

function addAll(
  devices: readonly ImportedDevice[],
  { fresh }: ImportPlan,
  { registry, prepareClaim, by, claimLifeMs }: ApiDeps & { by: string; claimLifeMs: number },
): ImportedDevices['claims'] {
  const prepared = devices.map(({ id }) => prepareClaim(id, claimLifeMs));
  const claims = prepared.map(({ record }) => record);
  accepted(
    registry.addMany(
      fresh.map((device) => ({ ...device, by })),
      claims,
    ),
  );
  return prepared.map(({ issued: { text, expiresAtMs }, record: { deviceId: id } }) => ({
    id,
    text: text.expose(),
    expiresAt: isoTime(expiresAtMs),
  }));
}
