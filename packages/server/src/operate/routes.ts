/** How a route is declared: with the action that it needs, or the word `public`. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { ApiErrorSchema } from '@holdfast/protocol/api';
import {
  OpenAPIHono,
  type RouteConfig,
  type RouteHandler,
  createRoute,
  z,
} from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { WindowCounter, networkOf } from '../kernel/index.ts';
import { peerAddress } from '../wire/index.ts';
import { callerOf, forgeryOf } from './caller.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { FAILED_ATTEMPTS_PER_MINUTE_MAX, WATCHED_NETWORKS_MAX } from './limits.ts';

/** What a person can be allowed to do. */
export type Action =
  | 'audit:read'
  | 'device:claim'
  | 'device:command'
  | 'device:read'
  | 'device:revoke'
  | 'metrics:read'
  | 'self:read'
  | 'server:read'
  | 'token:manage';

/** The actions of each role. */
const ACTIONS_OF_ROLE = {
  administrator: new Set<Action>([
    'audit:read',
    'device:claim',
    'device:command',
    'device:read',
    'device:revoke',
    'metrics:read',
    'self:read',
    'server:read',
    'token:manage',
  ]),
};

/** The routes of the API. */
export class Routes {
  readonly app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (!result.success) throw new RefusedRequest(inputRefusal(result.error));
    },
  });
  readonly #deps: ApiDeps;
  readonly #failures: WindowCounter;
  readonly #methodsByPath = new Map<string, string[]>();

  constructor(deps: ApiDeps) {
    this.#deps = deps;
    this.#failures = new WindowCounter(deps.clock, {
      windowMs: 60_000,
      keysMax: WATCHED_NETWORKS_MAX,
    });
  }

  /** Declares a route. `action` is checked before the request is even parsed. */
  add<R extends RouteConfig>(
    action: Action | 'public',
    config: R,
    handler: RouteHandler<R, ApiEnv>,
  ): void {
    const route = createRoute({
      ...config,
      security: action === 'public' ? [] : [{ token: [] }, { session: [] }],
      responses: { ...config.responses, default: errorResponse },
    });
    const path = route.getRoutingPath();
    const method = route.method.toUpperCase();
    this.#methodsByPath.set(path, [...(this.#methodsByPath.get(path) ?? []), method]);
    this.app.on(method, path, this.#guard(action));
    // The two routes differ only in security and the default response, which handlers never see.
    this.app.openapi(route, handler as unknown as RouteHandler<typeof route, ApiEnv>);
  }

  /** Answers every other method on the declared paths; to be called after the last route. */
  refuseOtherMethods(): void {
    for (const [path, methods] of this.#methodsByPath) {
      const allowed = methods.includes('GET') ? ['HEAD', ...methods] : methods;
      this.app.all(path, (c) => {
        c.header('Allow', allowed.sort().join(', ')); // RFC 9110 §15.5.6
        throw new RefusedRequest(refuse('E_OPERATE_METHOD', `It was ${c.req.method}.`));
      });
    }
  }

  /** Counts a failed sign-in of the caller's network. */
  countFailedSignIn(c: Context<ApiEnv>): void {
    this.#failures.add(networkOf(addressOf(c)));
  }

  /** Refuses a sign-in from a network that has failed too often. Credentials go on to work. */
  requireNotHeldOff(c: Context<ApiEnv>): void {
    const failures = this.#failures.count(networkOf(addressOf(c)));
    if (failures < FAILED_ATTEMPTS_PER_MINUTE_MAX) return;
    throw new RefusedRequest(refuse('E_OPERATE_RATE', 'too many failures from this network'));
  }

  #guard(action: Action | 'public'): MiddlewareHandler<ApiEnv> {
    return async (c, next) => {
      if (action === 'public') return next();
      // Wrong tokens are not counted: 256 random bits cannot be guessed, and a program with an
      // expired one must not keep the people behind the same router from signing in.
      const caller = accepted(callerOf(c, this.#deps.people));
      c.set('caller', caller);
      const forgery = forgeryOf(c, caller);
      if (forgery !== undefined) throw new RefusedRequest(forgery);
      if (!ACTIONS_OF_ROLE[caller.role].has(action)) {
        throw new RefusedRequest(refuse('E_OPERATE_FORBIDDEN', `${caller.role} lacks ${action}`));
      }
      return next();
    };
  }
}

/** IP address of the caller; empty in a test without a socket. */
export function addressOf(c: Context<ApiEnv>): string {
  const socket = (c.env as Partial<ApiEnv['Bindings']> | undefined)?.incoming?.socket;
  return socket === undefined ? '' : peerAddress(socket);
}

/** A JSON answer of one shape, for a route's `responses`. */
export function json<S extends z.ZodType>(
  schema: S,
  description: string,
): { description: string; content: { 'application/json': { schema: S } } } {
  return { description, content: { 'application/json': { schema } } };
}

/** A plain-text answer, for a route's `responses`. */
export function text(description: string): {
  description: string;
  content: { 'text/plain': { schema: z.ZodString } };
} {
  return { description, content: { 'text/plain': { schema: z.string() } } };
}

/** A JSON request of one shape, for a route's `request`. */
export function jsonBody<S extends z.ZodType>(
  schema: S,
): { required: true; content: { 'application/json': { schema: S } } } {
  return { required: true, content: { 'application/json': { schema } } };
}

function inputRefusal({ issues: [issue] }: z.core.$ZodError): Refusal {
  const place = issue?.path.join('.') ?? '';
  const problem = issue?.message ?? 'It has not the form of the API.';
  return refuse('E_OPERATE_INPUT', place === '' ? problem : `${place}: ${problem}`);
}

const errorResponse = json(ApiErrorSchema, 'Refused: what, why, and how to fix it.');
