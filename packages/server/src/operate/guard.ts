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
export type Declaration =
  | { readonly action: ActionOn<'server'>; readonly on: 'server' }
  | { readonly action: ActionOn<'self'>; readonly on: 'self' }
  | { readonly action: ActionOn<'device'>; readonly on: 'device' }
  | { readonly action: ActionOn<'device'>; readonly on: 'devices' };

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
    const access = this.#access(c, action, false);
    c.set('access', access);
    if (on === 'devices') {
      if (!access.isPossible()) throw new RefusedRequest(access.refusalOf('forbidden'));
      return;
    }
    if (on === 'device') return this.#decideDevice(c, action);
    const resource: Resource = on === 'server' ? { kind: 'server' } : access.self;
    const verdict = access.verdict(resource);
    await this.#refuseUnless(c, { action, resource, verdict });
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
    await this.#refuseUnless(c, { action, resource, verdict });
  }

  /**
   * Goes on when a handler's own verdict on one of many devices is a permit, or a second person has
   * approved the request; after that, `access` counts as approved.
   */
  require(
    c: Context<ApiEnv>,
    decided: { action: ApiAction; resource: Resource; verdict: Verdict },
  ): Promise<void> {
    return this.#refuseUnless(c, decided);
  }

  /** Refuses what is not permitted; what lacks a second person waits for one, or goes on when it had one. */
  async #refuseUnless(
    c: Context<ApiEnv>,
    { action, resource, verdict }: { action: ApiAction; resource: Resource; verdict: Verdict },
  ): Promise<void> {
    const access = c.get('access');
    if (verdict === 'permitted') return;
    if (verdict !== 'second-person') throw new RefusedRequest(access.refusalOf(verdict));
    const { principal } = c.get('caller');
    const { method, path } = c.req;
    const wish = { principal, action, resource, method, path, body: await c.req.text() };
    if (this.approvals.isApproved(wish)) {
      this.approvals.end(wish);
      const approved = this.#access(c, action, true);
      c.set('access', approved);
      const again = approved.verdict(resource);
      if (again !== 'permitted') throw new RefusedRequest(approved.refusalOf(again));
      return;
    }
    throw new RefusedRequest(await this.#askSecondPerson(wish));
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

  #access(c: Context<ApiEnv>, action: ApiAction, isApproved: boolean): RequestAccess {
    const { policies, clock, people } = this.#deps;
    const { authorizer } = policies;
    const roleOf = (principal: string): Caller['role'] | undefined => people.roleOf(principal);
    return new RequestAccess(
      { authorizer, clock, roleOf },
      { caller: c.get('caller'), action, isApproved },
    );
  }
}

/** With a password alone, a person may set up a second factor, and nothing else. */
function incompleteOf({ needsSecondFactor }: Caller, { action }: Declaration): Refusal | undefined {
  if (needsSecondFactor !== true || action.startsWith('self:')) return undefined;
  return refuse('E_OPERATE_SECOND_FACTOR', `${action} asks for one.`);
}
