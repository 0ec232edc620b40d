/** Stands before every route: who calls, how often, and whether the policy permits it. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import { DevicePathSchema } from '@holdfast/protocol/api';
import type { Context, MiddlewareHandler } from 'hono';
import type { ActionOn, ApiAction, Resource } from '../policy/index.ts';
import type { Caller } from '../registry/index.ts';
import { RequestAccess, type Verdict } from './access.ts';
import { type ApprovalWish, Approvals } from './approvals.ts';
import { callerOf, forgeryOf, requireSecondFactor } from './caller.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst } from './record-first.ts';
import { addressOf } from './request-address.ts';
import { RequestLimits } from './request-limits.ts';

/**
 * What a route needs: an action of the policy, and what it is done to.
 * - `server`: the server as a whole.
 * - `self`: the caller, and what belongs to it.
 * - `device`: the device `{id}` of the path. It is looked up and decided before the handler runs;
 *   one that the caller may not see is absent. The handler gets it as `device`.
 * - `devices`: many devices, or a new one. The handler has to ask `access` about each of them: a
 *   handler that does not is a fault, and its answer is not sent.
 */
export type Declaration = {
  /** Fields of the body that are secret: whoever is to approve the request does not see them. */
  readonly secrets?: readonly string[];
} & (
  | { readonly action: ActionOn<'server'>; readonly on: 'server' }
  | { readonly action: ActionOn<'self'>; readonly on: 'self' }
  | { readonly action: ActionOn<'device'>; readonly on: 'device' }
  | { readonly action: ActionOn<'device'>; readonly on: 'devices' }
);

/** The guard of one API. */
export class Guard {
  readonly limits: RequestLimits;
  readonly approvals: Approvals;
  readonly #deps: ApiDeps;

  constructor(deps: ApiDeps) {
    this.#deps = deps;
    this.limits = new RequestLimits(deps.clock);
    this.approvals = new Approvals(deps);
  }

  /** The middleware of a route for everybody. */
  readonly stranger: MiddlewareHandler<ApiEnv> = async (c, next) => {
    const refusal = this.limits.takeStranger(addressOf(c));
    if (refusal !== undefined) throw new RefusedRequest(refusal);
    return next();
  };

  /** The middleware of a route with a declaration. */
  of(declaration: Declaration): MiddlewareHandler<ApiEnv> {
    return async (c, next) => {
      const caller = this.#caller(c);
      c.set('caller', caller);
      c.set('secrets', declaration.secrets ?? []);
      const refusal =
        this.limits.takePrincipal(caller.principal) ??
        forgeryOf(c, caller) ??
        incompleteOf(caller, declaration);
      if (refusal !== undefined) throw new RefusedRequest(refusal);
      requireSecondFactor(caller, declaration.action);
      await this.#decide(c, declaration);
      await next();
      if (declaration.on !== 'devices' || c.get('access').hasDecided || !c.res.ok) return;
      throw new Error(`the route ${c.req.routePath} asked the policy about no device`);
    };
  }

  #caller(c: Context<ApiEnv>): Caller {
    // Wrong tokens are not held off: 256 random bits cannot be guessed, and a program with an
    // expired one must not keep the people behind the same router from signing in. A flood of them
    // is refused all the same, before it fills the log.
    const caller = callerOf(c, this.#deps.people);
    if (!(caller instanceof Refusal)) return caller;
    throw new RefusedRequest(this.limits.takeStranger(addressOf(c)) ?? caller);
  }

  async #decide(c: Context<ApiEnv>, { action, on }: Declaration): Promise<void> {
    const access = this.#access(c, action);
    c.set('access', access);
    if (on === 'devices') {
      if (!access.isPossible()) throw new RefusedRequest(access.refusalOf('forbidden'));
      return;
    }
    if (on === 'device') return this.#decideDevice(c, action);
    const resource: Resource = on === 'server' ? { kind: 'server' } : access.self;
    const verdict = access.verdict(resource);
    await this.require(c, { action, resources: [resource], verdict });
  }

  async #decideDevice(c: Context<ApiEnv>, action: ApiAction): Promise<void> {
    const parsed = DevicePathSchema.safeParse({ id: c.req.param('id') });
    if (!parsed.success) {
      const problem = parsed.error.issues[0]?.message ?? 'it is no device id';
      throw new RefusedRequest(refuse('E_OPERATE_INPUT', `id: ${problem}`));
    }
    const { id } = parsed.data;
    const { device, verdict } = c.get('access').judge(this.#deps.registry.byId(id), id);
    c.set('device', device);
    const resource: Resource = { kind: 'device', device };
    await this.require(c, { action, resources: [resource], verdict });
  }

  /**
   * Refuses what is not permitted. What lacks a second person waits for one, or goes on when it had
   * one who has the right to it still; `access` counts as approved then.
   */
  async require(
    c: Context<ApiEnv>,
    decided: { action: ApiAction; resources: readonly Resource[]; verdict: Verdict },
  ): Promise<void> {
    const { action, resources, verdict } = decided;
    if (verdict === 'permitted') return;
    if (verdict !== 'second-person') {
      throw new RefusedRequest(c.get('access').refusalOf(verdict, action));
    }
    const { principal } = c.get('caller');
    const { method, path } = c.req;
    const sent = { method, path, body: await c.req.text(), secrets: c.get('secrets') };
    const wish = { principal, action, resources, ...sent };
    const approvedBy = this.approvals.take(wish);
    if (approvedBy === undefined) throw new RefusedRequest(await this.#askSecondPerson(wish));
    const approved = this.#access(c, c.get('access').action, approvedBy);
    c.set('access', approved);
    for (const resource of resources) {
      const again = approved.verdict(resource, action);
      if (again !== 'permitted') throw new RefusedRequest(approved.refusalOf(again, action));
    }
  }

  async #askSecondPerson(wish: ApprovalWish): Promise<Refusal> {
    const known = this.approvals.of(wish);
    const approval = known ?? accepted(this.approvals.ask(wish));
    if (known === undefined) {
      const { principal, action, method, path } = wish;
      const facts = { action, request: `${method} ${path}` };
      await recordFirst(this.#deps, {
        action: 'approval.ask',
        principal,
        target: approval.id,
        facts,
      });
    }
    return refuse('E_OPERATE_SECOND_PERSON', `It waits as approval ${approval.id}.`);
  }

  #access(c: Context<ApiEnv>, action: ApiAction, approvedBy?: string): RequestAccess {
    const { policies, clock, people } = this.#deps;
    const { authorizer } = policies;
    const roleOf = (principal: string): Caller['role'] | undefined => people.roleOf(principal);
    return new RequestAccess(
      { authorizer, clock, roleOf },
      { caller: c.get('caller'), action, approvedBy },
    );
  }
}

/** With a password alone, a person may set up a second factor, and nothing else. */
function incompleteOf({ needsSecondFactor }: Caller, { action }: Declaration): Refusal | undefined {
  if (needsSecondFactor !== true || action.startsWith('self:')) return undefined;
  return refuse('E_OPERATE_SECOND_FACTOR', `${action} asks for one.`);
}
