/** How a route is declared: with the action that it needs and what it is done to, or the word `public`. @module */
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
import { actionDeclaration, isApiAction } from '../policy/index.ts';
import { type AppDeclaration, AppGuard } from './app-guard.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { type Declaration, Guard } from './guard.ts';
import { addressOf } from './request-address.ts';

export { addressOf } from './request-address.ts';

/** The routes of the API. */
export class Routes {
  readonly app = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (result.success) return;
      // `plan` is no id of a rollout, but a path of its own, which has other methods.
      const methods = this.#methodsByPath.get(c.req.path);
      if (methods !== undefined && !methods.includes(c.req.method)) refuseMethod(c, methods);
      throw new RefusedRequest(inputRefusal(result.error));
    },
  });
  readonly guard: Guard;
  readonly #appGuard: AppGuard;
  readonly #methodsByPath = new Map<string, string[]>();

  constructor(deps: ApiDeps) {
    this.guard = new Guard(deps);
    this.#appGuard = new AppGuard(deps, this.guard.limits);
  }

  /**
   * Declares a route with what it needs, which is decided before the request is even parsed.
   * A route without a declaration does not compile, and one whose path does not name the device
   * that it is done to does not start.
   */
  add<R extends Omit<RouteConfig, 'path'> & { path: `/${string}` }>(
    needs: DeclarationFor<R['path']>,
    config: R,
    handler: RouteHandler<R, ApiEnv>,
  ): void {
    const declaration: AnyDeclaration = needs;
    checkDeclaration(declaration, config.path);
    const route = createRoute({
      ...config,
      security: securityOf(declaration),
      'x-holdfast-needs': needsText(declaration),
      responses: { ...config.responses, default: errorResponse },
    });
    const path = route.getRoutingPath();
    const method = route.method.toUpperCase();
    this.#methodsByPath.set(path, [...(this.#methodsByPath.get(path) ?? []), method]);
    this.app.on(method, path, this.#guardOf(declaration));
    // The two routes differ only in security and the default response, which handlers never see.
    this.app.openapi(route, handler as unknown as RouteHandler<typeof route, ApiEnv>);
  }

  #guardOf(declaration: AnyDeclaration): MiddlewareHandler<ApiEnv> {
    if (declaration === 'public') return this.guard.stranger;
    return 'by' in declaration ? this.#appGuard.of(declaration) : this.guard.of(declaration);
  }

  /** Answers every other method on the declared paths; to be called after the last route. */
  refuseOtherMethods(): void {
    for (const [path, methods] of this.#methodsByPath) {
      this.app.all(path, (c) => refuseMethod(c, this.#methodsByPath.get(c.req.path) ?? methods));
    }
  }

  /** Refuses who has had too many devices looked at. @param devices - that are to be now. */
  takeLooks(c: Context<ApiEnv>, devices: number): void {
    const refusal = this.guard.limits.takeLooks(c.get('caller').principal, devices);
    if (refusal !== undefined) throw new RefusedRequest(refusal);
  }

  /** Counts a failed sign-in of the caller's network. */
  countFailedSignIn(c: Context<ApiEnv>): void {
    this.guard.limits.countFailedSignIn(addressOf(c));
  }

  /** Takes back what was counted for a sign-in that did not fail. */
  takeBackFailedSignIn(c: Context<ApiEnv>): void {
    this.guard.limits.takeBackFailedSignIn(addressOf(c));
  }

  /** Refuses a sign-in from a network that has failed too often. Credentials go on to work. */
  requireNotHeldOff(c: Context<ApiEnv>): void {
    const refusal = this.guard.limits.heldOff(addressOf(c));
    if (refusal !== undefined) throw new RefusedRequest(refusal);
  }
}

/** @param methods - those that the path has. */
function refuseMethod(c: Context<ApiEnv>, methods: readonly string[]): never {
  const allowed = methods.includes('GET') ? ['HEAD', ...methods] : methods;
  c.header('Allow', allowed.toSorted().join(', ')); // RFC 9110 §15.5.6
  throw new RefusedRequest(refuse('E_OPERATE_METHOD', `It was ${c.req.method}.`));
}

/** A declaration that fits a path: what is done to one device names it as `{id}`. */
type DeclarationFor<Path extends string> = Path extends `${string}{id}${string}`
  ? AnyDeclaration
  : Exclude<AnyDeclaration, { on: 'device' }>;

type AnyDeclaration = Declaration | AppDeclaration | 'public';

/**
 * What a route needs, as the OpenAPI document says it: `device:read on device`, the same with
 * ` by app` for a route of apps, or `public`.
 */
function needsText(declaration: AnyDeclaration): string {
  if (declaration === 'public') return 'public';
  return `${declaration.action} on ${declaration.on}${'by' in declaration ? ' by app' : ''}`;
}

function securityOf(declaration: AnyDeclaration): Record<string, string[]>[] {
  if (declaration === 'public') return [];
  return 'by' in declaration
    ? [{ certificate: [] }, { page: [] }]
    : [{ token: [] }, { session: [] }];
}

/** @throws Error on a mistake that types do not show. */
function checkDeclaration(declaration: AnyDeclaration, path: string): void {
  if (declaration === 'public') return;
  const { action, on } = declaration;
  const target = isApiAction(action) ? actionDeclaration(action).on : undefined;
  if (target !== (on === 'devices' ? 'device' : on)) {
    throw new Error(`${path}: ${action} is not an action on ${on}`);
  }
  if (on === 'device' && !path.includes('{id}')) throw new Error(`${path} names no device`);
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
