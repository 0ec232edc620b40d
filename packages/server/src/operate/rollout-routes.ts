/** Rollouts: planned, started, stopped, and looked at. @module */
import type { Refusal } from '@holdfast/protocol';
import {
  ForwardRolloutRequestSchema,
  RolloutActRequestSchema,
  RolloutDeviceListSchema,
  RolloutDeviceQuerySchema,
  RolloutForecastSchema,
  RolloutListSchema,
  RolloutPathSchema,
  RolloutRequestSchema,
  RolloutViewSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import type { Act } from '../audit/index.ts';
import type { RightTo, RolloutAct, RolloutHead } from '../update/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { rolloutDeviceView, rolloutView } from './rollout-views.ts';
import { type Routes, json, jsonBody } from './routes.ts';

const reads = { action: 'firmware:read', on: 'server' } as const;
const manages = { action: 'rollout:manage', on: 'server' } as const;
const params = RolloutPathSchema;
const one = { 200: json(RolloutViewSchema, 'The rollout.') };
const theServer = { kind: 'server' } as const;

const SUMMARIES: Readonly<Record<RolloutAct, string>> = {
  pause: 'Pauses a rollout: no further device is offered the release.',
  resume: 'Lets a paused rollout go on, with the troubles that it has had so far accepted.',
  abort: 'Ends a rollout for good; devices that have begun are left to finish.',
};

export function addRolloutRoutes(routes: Routes, deps: ApiDeps): void {
  addReads(routes, deps);
  addPlanning(routes, deps);
  addStart(routes, deps);
  addActs(routes, deps);
  addForward(routes, deps);
}

function addReads(routes: Routes, { rollouts, clock }: ApiDeps): void {
  routes.add(
    reads,
    {
      method: 'get',
      path: '/v1/rollouts',
      summary: 'Lists the rollouts.',
      responses: { 200: json(RolloutListSchema, 'Newest first.') },
    },
    (c) => {
      const nowMs = clock.nowMs();
      return c.json({ rollouts: rollouts.all().map((one) => rolloutView(one, nowMs)) }, 200);
    },
  );

  routes.add(
    reads,
    {
      method: 'get',
      path: '/v1/rollouts/{rollout}',
      summary: 'Shows a rollout with its stages and figures.',
      request: { params },
      responses: one,
    },
    (c) => {
      const { rollout } = c.req.valid('param');
      return c.json(rolloutView(accepted(rollouts.byId(rollout)), clock.nowMs()), 200);
    },
  );
  addDevices(routes, { rollouts });
}

function addDevices(routes: Routes, { rollouts }: Pick<ApiDeps, 'rollouts'>): void {
  routes.add(
    reads,
    {
      method: 'get',
      path: '/v1/rollouts/{rollout}/devices',
      summary: 'Lists devices of a rollout that the caller may see, a page at a time.',
      request: { params, query: RolloutDeviceQuerySchema },
      responses: { 200: json(RolloutDeviceListSchema, 'In the order of their ids.') },
    },
    (c) => {
      const { devices } = accepted(rollouts.byId(c.req.valid('param').rollout));
      const { state, after = '', limit } = c.req.valid('query');
      const right = rightOf(c);
      const found = [...devices.values()]
        .filter((record) => record.device > after && (state ?? record.state) === record.state)
        .filter(({ device }) => {
          const known = rollouts.device(device);
          return known !== undefined && right(known) !== 'none';
        })
        .sort((a, b) => (a.device < b.device ? -1 : 1));
      const page = found.slice(0, limit).map(rolloutDeviceView);
      const last = found.length > limit ? page.at(-1)?.device : undefined;
      return c.json({ devices: page, ...(last !== undefined && { next: last }) }, 200);
    },
  );
}

function addPlanning(routes: Routes, deps: ApiDeps): void {
  const { rollouts, clock } = deps;
  routes.add(
    manages,
    {
      method: 'post',
      path: '/v1/rollouts/plan',
      summary: 'Tells who would get a release, and why others would not. Nothing is done.',
      request: { body: jsonBody(RolloutRequestSchema) },
      responses: { 200: json(RolloutForecastSchema, 'Who would get it.') },
    },
    (c) => {
      const wish = { ...c.req.valid('json'), by: c.get('caller').principal };
      return c.json(accepted(rollouts.forecast(wish, rightOf(c))), 200);
    },
  );

  routes.add(
    manages,
    {
      method: 'post',
      path: '/v1/rollouts',
      summary: 'Makes the draft of a rollout, which does nothing before it is started.',
      request: { body: jsonBody(RolloutRequestSchema) },
      responses: { 201: json(RolloutViewSchema, 'The draft.') },
    },
    async (c) => {
      const { release, plan } = c.req.valid('json');
      const { principal } = c.get('caller');
      const draft = accepted(rollouts.draft({ release, plan, by: principal }));
      const facts = { release, plan };
      await deps.recordAct({ action: 'rollout.draft', principal, target: draft.id, facts });
      return c.json(viewOf(draft, clock.nowMs()), 201);
    },
  );
}

function addStart(routes: Routes, deps: ApiDeps): void {
  const { rollouts, clock } = deps;
  routes.add(
    manages,
    {
      method: 'post',
      path: '/v1/rollouts/{rollout}/start',
      summary: 'Starts a draft; the policy can ask for a second person.',
      request: { params, body: jsonBody(RolloutActRequestSchema) },
      responses: one,
    },
    async (c) => {
      const { rollout } = c.req.valid('param');
      const { reason } = c.req.valid('json');
      const by = c.get('caller').principal;
      accepted(rollouts.byId(rollout));
      await requireStart(routes, c, () => rollouts.ask(rollout, { by, reason }));
      const right = rightOf(c);
      const started = await rollouts.start(rollout, { by, reason, right }, ({ devices }) => {
        const act: Act = { action: 'rollout.start', principal: by, target: rollout, reason };
        return recordFirst(deps, { ...act, facts: { devices } });
      });
      return c.json(viewOf(accepted(started), clock.nowMs()), 200);
    },
  );
}

function addActs(routes: Routes, deps: ApiDeps): void {
  const { rollouts, clock, recordAct } = deps;
  for (const act of ['pause', 'resume', 'abort'] as const) {
    routes.add(
      manages,
      {
        method: 'post',
        path: `/v1/rollouts/{rollout}/${act}`,
        summary: SUMMARIES[act],
        request: { params, body: jsonBody(RolloutActRequestSchema) },
        responses: one,
      },
      async (c) => {
        const { rollout } = c.req.valid('param');
        const { reason } = c.req.valid('json');
        const by = c.get('caller').principal;
        const wish = { by, reason };
        const problem = rollouts.judge(rollout, act, wish);
        if (problem !== undefined) throw new RefusedRequest(problem);
        const record: Act = { action: `rollout.${act}`, principal: by, target: rollout, reason };
        if (act === 'resume') {
          await requireStart(routes, c);
          await recordFirst(deps, record);
          return c.json(viewOf(accepted(rollouts.act(rollout, act, wish)), clock.nowMs()), 200);
        }
        try {
          return c.json(viewOf(accepted(rollouts.act(rollout, act, wish)), clock.nowMs()), 200);
        } finally {
          // It holds even when the disk of the registry fails.
          await recordAct(record);
        }
      },
    );
  }
}

function addForward(routes: Routes, deps: ApiDeps): void {
  const { rollouts, clock } = deps;
  routes.add(
    manages,
    {
      method: 'post',
      path: '/v1/rollouts/{rollout}/forward',
      summary: 'Lets a newer release take over the devices of a paused rollout.',
      request: { params, body: jsonBody(ForwardRolloutRequestSchema) },
      responses: { 201: json(RolloutViewSchema, 'The rollout that has taken over.') },
    },
    async (c) => {
      const { rollout } = c.req.valid('param');
      const { release, reason } = c.req.valid('json');
      const by = c.get('caller').principal;
      await requireStart(routes, c);
      const { id: to } = accepted(rollouts.draftForward(rollout, { release, by }));
      try {
        const wish = { to, by, reason, right: rightOf(c) };
        const forwarded = await rollouts.forward(rollout, wish, ({ devices }) => {
          const act: Act = { action: 'rollout.forward', principal: by, target: rollout, reason };
          return recordFirst(deps, { ...act, facts: { to, release, devices } });
        });
        return c.json(viewOf(accepted(forwarded), clock.nowMs()), 201);
      } finally {
        rollouts.discard(to);
      }
    },
  );
}

/**
 * Goes on when the caller may start rollouts, with a second person where the policy asks for one.
 * @param onWait - called when it waits for that person.
 */
async function requireStart(
  routes: Routes,
  c: Context<ApiEnv>,
  onWait: () => Refusal | undefined = () => undefined,
): Promise<void> {
  const action = 'rollout:start';
  const verdict = c.get('access').verdict(theServer, action);
  try {
    await routes.guard.require(c, { action, resources: [theServer], verdict });
  } catch (error) {
    const isWaiting = error instanceof RefusedRequest && verdict === 'second-person';
    const refusal = isWaiting ? onWait() : undefined;
    throw refusal === undefined ? error : new RefusedRequest(refusal);
  }
}

/** What the caller may do to a device; the second factor is asked for at the start. */
function rightOf(c: Context<ApiEnv>): RightTo {
  const access = c.get('access');
  return (device) => {
    const resource = { kind: 'device', device } as const;
    if (access.verdict(resource, 'device:update') !== 'forbidden') return 'update';
    return access.verdict(resource, 'device:read') === 'permitted' ? 'read' : 'none';
  };
}

/** A rollout that has no failures to tell of yet, or of which they do not matter. */
function viewOf(head: RolloutHead, nowMs: number): ReturnType<typeof rolloutView> {
  return rolloutView({ head, devices: new Map() }, nowMs);
}
