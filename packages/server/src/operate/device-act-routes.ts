/** The life cycle of devices and their groups: acts on one device, and on many. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import {
  ChangedDeviceSchema,
  ChangedDevicesSchema,
  DEVICE_ACTS,
  type DeviceAct,
  DeviceActRequestSchema,
  DeviceActsRequestSchema,
  DevicePathSchema,
  type DeviceSelection,
  PASSED_OVER_LISTED_MAX,
  SetGroupRequestSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import type { Device } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import {
  ACTION_OF,
  type DeviceWish,
  type PlannedChange,
  type WishOutcome,
  carryOut,
  planOf,
} from './device-acts.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { FORBIDDEN_DEVICES_TOLD_MAX } from './limits.ts';
import { recordFirst } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { deviceView } from './views.ts';

const SUMMARIES: Readonly<Record<DeviceAct, string>> = {
  quarantine: 'Quarantines a device: its connections close at once, until it is released.',
  release: 'Lets a device out of quarantine, back to where it was.',
  suspend: 'Suspends a device: its connections close at once, until it is resumed.',
  resume: 'Ends the suspension of a device.',
  revoke: 'Revokes a device: its connections close at once, and nothing of it gets in again.',
  retire: 'Retires a device for good: as revoked, and its id is never given again.',
};
const params = DevicePathSchema;
const one = { 200: json(ChangedDeviceSchema, 'The device as it is now.') };

export function addDeviceActRoutes(routes: Routes, deps: ApiDeps): void {
  for (const act of DEVICE_ACTS) {
    routes.add(
      { action: ACTION_OF[act], on: 'device' },
      {
        method: 'post',
        path: `/v1/devices/{id}/${act}`,
        summary: SUMMARIES[act],
        request: { params, body: jsonBody(DeviceActRequestSchema) },
        responses: one,
      },
      async (c) => {
        const { reason } = c.req.valid('json');
        const { principal } = c.get('caller');
        const device = await changeOne(c.get('device').id, { act, reason, principal }, deps);
        return c.json({ device: deviceView(device) }, 200);
      },
    );
  }
  routes.add(
    { action: 'device:group', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/set-group',
      summary: 'Puts a device into a group, or into none.',
      request: { params, body: jsonBody(SetGroupRequestSchema) },
      responses: one,
    },
    async (c) => {
      const { group, reason } = c.req.valid('json');
      const { principal } = c.get('caller');
      const { id } = c.get('device');
      // Both the group that it leaves and the one that it enters count.
      c.get('access').requireNew({ ...c.get('device'), group });
      const wish = { act: 'set-group', group, reason, principal } as const;
      return c.json({ device: deviceView(await changeOne(id, wish, deps)) }, 200);
    },
  );
  addManyRoute(routes, deps);
}

function addManyRoute(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'device:act-many', on: 'server' },
    {
      method: 'post',
      path: '/v1/device-acts',
      summary: 'Does one act to many devices. Each of them needs the right to that act, too.',
      request: { body: jsonBody(DeviceActsRequestSchema) },
      responses: { 200: json(ChangedDevicesSchema, 'How many were changed, and passed over.') },
    },
    async (c) => {
      const { act, select, group, reason } = c.req.valid('json');
      const { principal } = c.get('caller');
      const wish = { act, group, reason, principal };
      const ids = selected(c, select, deps).map(({ id }) => id);
      const { planned, passedOver } = planOf(ids, wish, deps);
      // Whoever names devices means all of them; a group has some that are not meant.
      const [problem] = 'ids' in select ? passedOver : [];
      if (problem !== undefined) {
        const detail = `Nothing was done: ${problem.refusal.detail}`;
        throw new RefusedRequest(refuse(problem.refusal.code, detail));
      }
      await requireEach(c, planned, { wish, routes });
      const outcome = await carryOutMany(ids, { wish, select, count: planned.length }, deps);
      return c.json(outcomeView(outcome), 200);
    },
  );
}

async function changeOne(id: string, wish: DeviceWish, deps: ApiDeps): Promise<Device> {
  const { passedOver } = await carryOut([id], wish, deps);
  const [problem] = passedOver;
  if (problem !== undefined) throw new RefusedRequest(problem.refusal);
  const absent = refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`);
  return accepted(deps.registry.byId(id) ?? absent);
}

/** The devices that are meant. Those that the caller may not see are not there. */
function selected(
  c: Context<ApiEnv>,
  select: DeviceSelection,
  { registry }: ApiDeps,
): readonly Device[] {
  const access = c.get('access');
  if ('ids' in select) {
    return select.ids.map((id) => access.require(registry.byId(id), id, 'device:read'));
  }
  const [key, value] =
    'group' in select ? (['group', select.group] as const) : (['class', select.class] as const);
  const found = registry
    .all()
    .filter((device) => device[key] === value && access.permits(device, 'device:read'));
  if (found.length > 0) return found;
  throw new RefusedRequest(
    refuse('E_OPERATE_NOT_FOUND', `There is no device of the ${key} ${value}.`),
  );
}

/** Goes on when the act is permitted on every device, and names those on which it is not. */
async function requireEach(
  c: Context<ApiEnv>,
  planned: readonly PlannedChange[],
  { wish, routes }: { wish: DeviceWish; routes: Routes },
): Promise<void> {
  const action = ACTION_OF[wish.act];
  const devices = planned.flatMap(({ before, after }) =>
    wish.act === 'set-group' ? [before, after] : [before],
  );
  const access = c.get('access');
  const resources = devices.map((device) => ({ kind: 'device', device }) as const);
  const verdicts = resources.map((resource) => access.verdict(resource, action));
  for (const verdict of ['forbidden', 'step-up', 'second-person'] as const) {
    if (verdict === 'second-person' && !access.isApproved) continue;
    const against = devices.filter((_, at) => verdicts[at] === verdict).map(({ id }) => id);
    if (against.length === 0) continue;
    throw new RefusedRequest(refusedFor(access.refusalOf(verdict, action), against));
  }
  if (!verdicts.includes('second-person')) return;
  await routes.guard.require(c, { action, resources, verdict: 'second-person' });
}

function refusedFor({ code, detail }: Refusal, ids: readonly string[]): Refusal {
  const told = [...new Set(ids)];
  const named = told.slice(0, FORBIDDEN_DEVICES_TOLD_MAX).join(', ');
  const more = told.length - FORBIDDEN_DEVICES_TOLD_MAX;
  return refuse(code, `${detail} Not for ${named}${more > 0 ? ` and ${more} more` : ''}.`);
}

/** What gives is on the log as a whole before it is done, and what takes away when it is done. */
async function carryOutMany(
  ids: readonly string[],
  { wish, select, count }: { wish: DeviceWish; select: DeviceSelection; count: number },
  deps: ApiDeps,
): Promise<WishOutcome> {
  const { act, group, reason, principal } = wish;
  const which = 'ids' in select ? { ids: select.ids.length } : select;
  const facts = { act, select: which, ...(act === 'set-group' && { group }) };
  const whole = { action: 'device.act-many', principal, reason };
  if (act === 'release' || act === 'resume' || act === 'set-group') {
    await recordFirst(deps, { ...whole, facts: { ...facts, count } });
    return carryOut(ids, wish, deps);
  }
  const outcome = await carryOut(ids, wish, deps);
  await deps.recordAct({ ...whole, facts: { ...facts, count: outcome.changed } });
  return outcome;
}

function outcomeView({ changed, passedOver }: WishOutcome): {
  changed: number;
  passedOver: number;
  passedOverList: { id: string; why: string }[];
} {
  const listed = passedOver.slice(0, PASSED_OVER_LISTED_MAX);
  return {
    changed,
    passedOver: passedOver.length,
    passedOverList: listed.map(({ id, refusal }) => ({ id, why: refusal.detail })),
  };
}
