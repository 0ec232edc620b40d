import { ApiErrorSchema, Refusal, refuse } from '@holdfast/protocol';
/** How a route is declared: with the action that it needs, or the word `public`. @module */
import {
  OpenAPIHono,
  type RouteConfig,
  type RouteHandler,
  createRoute,
  z,
} from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { AttemptLimiter } from '../kernel/index.ts';
import { peerAddress } from '../wire/index.ts';
import { callerOf } from './caller.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { FAILED_ATTEMPTS_PER_MINUTE_MAX, WATCHED_ADDRESSES_MAX } from './limits.ts';

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

/** The parts of the API: the app stays inside, so no route comes about without an action. */
export class Routes {
  readonly app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      const where = issue?.path.join('.') ?? '';
      throw new RefusedRequest(refuse('E_OPERATE_INPUT', `${where}: ${issue?.message ?? 'wrong'}`));
    },
  });
  readonly #deps: ApiDeps;
  readonly #failures: AttemptLimiter;

  constructor(deps: ApiDeps) {
    this.#deps = deps;
    this.#failures = new AttemptLimiter(deps.clock, {
      failuresMax: FAILED_ATTEMPTS_PER_MINUTE_MAX,
      windowMs: 60_000,
      keysMax: WATCHED_ADDRESSES_MAX,
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
    this.app.on(route.method.toUpperCase(), route.getRoutingPath(), this.#guard(action));
    // The two routes differ only in security and the default response, which handlers never see.
    this.app.openapi(route, handler as unknown as RouteHandler<typeof route, ApiEnv>);
  }

  /** Counts a failed sign-in of the caller's address. */
  countFailure(c: Context<ApiEnv>): void {
    this.#failures.countFailure(addressOf(c));
  }

  /** Refuses an address that has failed too often. */
  requireNotHeldOff(c: Context<ApiEnv>): void {
    if (!this.#failures.isHeldOff(addressOf(c))) return;
    throw new RefusedRequest(refuse('E_OPERATE_RATE', 'too many failures from this address'));
  }

  #guard(action: Action | 'public'): MiddlewareHandler<ApiEnv> {
    return async (c, next) => {
      if (action === 'public') return next();
      const caller = callerOf(c, this.#deps.people);
      if (caller instanceof Refusal) {
        this.requireNotHeldOff(c);
        this.countFailure(c);
        throw new RefusedRequest(caller);
      }
      c.set('caller', caller);
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

const errorResponse = json(ApiErrorSchema, 'Refused: what, why, and how to fix it.');
