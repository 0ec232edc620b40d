/** The life cycle of devices and their groups: acts on one device, and on many. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import {
  ChangedDeviceSchema,
  ChangedDevicesSchema,
  DEVICE_ACTS,
  DeviceActsPlanRequestSchema,
  DeviceActsPlanSchema,
  type DeviceAct,
  DeviceActRequestSchema,
  DeviceActsRequestSchema,
  DevicePathSchema,
  type DeviceSelection,
  PASSED_OVER_LISTED_MAX,
  SetGroupRequestSchema,
  SetTagsRequestSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import type { Act } from '../audit/index.ts';
import type { Device } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { planMany, planView, verdictsOf } from './device-act-plan.ts';
import {
  ACTION_OF,
  type DeviceWish,
  type PlannedChange,
  type WishOutcome,
  carryOut,
  isTakingAway,
} from './device-acts.ts';
import { DeviceFactsReader } from './device-facts.ts';
import { deviceFilter } from './device-filter.ts';
import { permitted } from './device-list-routes.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { FORBIDDEN_DEVICES_TOLD_MAX, PLANNED_DEVICE_LOOKS } from './limits.ts';
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
  routes.add(
    { action: 'device:tag', on: 'device' },
    {
      method: 'post',
      path: '/v1/devices/{id}/set-tags',
      summary: 'Gives a device these tags, by which people find it again, and no others.',
      request: { params, body: jsonBody(SetTagsRequestSchema) },
      responses: one,
    },
    async (c) => {
      const { tags, reason } = c.req.valid('json');
      const { principal } = c.get('caller');
      const wish = { act: 'set-tags', tags, reason, principal } as const;
      return c.json({ device: deviceView(await changeOne(c.get('device').id, wish, deps)) }, 200);
    },
  );
  addPlanRoute(routes, deps);
  addManyRoute(routes, deps);
}

function addPlanRoute(routes: Routes, deps: ApiDeps): void {
  routes.add(
    { action: 'device:read', on: 'devices' },
    {
      method: 'post',
      path: '/v1/device-acts/plan',
      summary: 'Tells what would come of an act on many devices. Nothing is done.',
      request: { body: jsonBody(DeviceActsPlanRequestSchema) },
      responses: { 200: json(DeviceActsPlanSchema, 'Who would be changed, and who passed over.') },
    },
    async (c) => {
      const { act, select, group, tags } = c.req.valid('json');
      const wish = { act, group, tags, reason: '', principal: c.get('caller').principal };
      const ids = selected(c, { select, routes }, deps);
      const isOnline = (id: string): boolean => deps.sessions.isConnected(id);
      const access = c.get('access');
      const plan = await planMany(ids, wish, deps);
      return c.json(await planView(plan, { wish, access, isOnline }), 200);
    },
  );
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
      const { act, select, group, tags, reason, expect } = c.req.valid('json');
      const { principal } = c.get('caller');
      const wish = { act, group, tags, reason, principal };
      const all = selected(c, { select, routes }, deps);
      const { planned, passedOver, token } = await planMany(all, wish, deps);
      if (expect !== undefined && expect !== token) throw planHasChanged();
      // Whoever names devices means all of them, unless a plan has told who is passed over.
      const isExact = 'ids' in select && expect === undefined;
      const problem = isExact ? passedOver.find(({ isDone }) => !isDone) : undefined;
      if (problem !== undefined) {
        const detail = `Nothing was done: ${problem.refusal.detail}`;
        throw new RefusedRequest(refuse(problem.refusal.code, detail));
      }
      await requireEach(c, planned, { wish, routes });
      const ids = planned.map(({ before }) => before.id);
      const outcome = await carryOutMany(ids, { wish, select }, deps);
      const { changed } = outcome;
      const left = [...passedOver, ...outcome.passedOver];
      return c.json(outcomeView({ changed, passedOver: left }), 200);
    },
  );
}

async function changeOne(id: string, wish: DeviceWish, deps: ApiDeps): Promise<Device> {
  const { passedOver } = await carryOut([id], wish, deps);
  const problem = passedOver.find(({ isDone }) => !isDone);
  if (problem !== undefined) throw new RefusedRequest(problem.refusal);
  const absent = refuse('E_OPERATE_NOT_FOUND', `There is no device ${id}.`);
  return accepted(deps.registry.byId(id) ?? absent);
}

/** The devices that are meant. Those that the caller may not see are not there. */
function selected(
  c: Context<ApiEnv>,
  { select, routes }: { select: DeviceSelection; routes: Routes },
  deps: ApiDeps,
): readonly string[] {
  const { registry } = deps;
  const access = c.get('access');
  const takeLooksFor = (count: number): void => routes.takeLooks(c, count * PLANNED_DEVICE_LOOKS);
  if ('ids' in select) {
    takeLooksFor(select.ids.length);
    return select.ids.map((id) => access.require(registry.byId(id), id, 'device:read').id);
  }
  const { columns } = registry;
  const filter = 'filter' in select ? select.filter : select;
  routes.takeLooks(c, columns.count);
  const facts = new DeviceFactsReader(deps);
  const isMeant = permitted(access, { columns, matches: deviceFilter(filter, { columns, facts }) });
  const slots = columns.order.filter(isMeant);
  takeLooksFor(slots.length);
  const found = Array.from(slots, (slot) => columns.devices[slot]?.id ?? '');
  if ('filter' in select) return found;
  const [[key, value] = []] = Object.entries(select);
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
  const access = c.get('access');
  const verdictOf = verdictsOf(wish.act, access);
  const verdicts = planned.map(verdictOf);
  for (const verdict of ['forbidden', 'step-up', 'second-person'] as const) {
    if (verdict === 'second-person' && !access.isApproved) continue;
    const against = planned.filter((_, at) => verdicts[at] === verdict);
    if (against.length === 0) continue;
    const ids = against.map(({ before }) => before.id);
    throw new RefusedRequest(refusedFor(access.refusalOf(verdict, action), ids));
  }
  if (!verdicts.includes('second-person')) return;
  const devices = planned.flatMap(({ before, after }) =>
    wish.act === 'set-group' ? [before, after] : [before],
  );
  const resources = devices.map((device) => ({ kind: 'device', device }) as const);
  await routes.guard.require(c, { action, resources, verdict: 'second-person' });
}

function planHasChanged(): RefusedRequest {
  const detail = 'Something else would come of it than was planned: plan it again, and look.';
  return new RefusedRequest(refuse('E_OPERATE_CONFLICT', detail));
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
  { wish, select }: { wish: DeviceWish; select: DeviceSelection },
  deps: ApiDeps,
): Promise<WishOutcome> {
  const { act, group, tags, reason, principal } = wish;
  const which = 'ids' in select ? { ids: select.ids.length } : select;
  const details = { ...(group !== undefined && { group }), ...(tags && { tags }) };
  const facts = { act, select: which, ...details };
  const whole: Act = { action: 'device.act-many', principal, reason };
  if (!isTakingAway(act)) {
    await recordFirst(deps, { ...whole, facts: { ...facts, count: ids.length } });
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
