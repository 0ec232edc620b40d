/** Stands before every route of apps: which app calls, and whether the policy permits it. @module */
import { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import { DevicePathSchema } from '@holdfast/protocol/api';
import type { Context, MiddlewareHandler } from 'hono';
import {
  type ActionOn,
  type ApiAction,
  type AppPrincipal,
  type DeviceFacts,
  type Resource,
  selfOf,
} from '../policy/index.ts';
import { type Device, type OwnerApp, appOfPrincipal } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { addressOf } from './request-address.ts';
import type { RequestLimits } from './request-limits.ts';

/**
 * What a route of apps needs; see `Declaration`. A device is one of the owner's own: any other is
 * absent, whatever the policy says, and costs the same work as one that does not exist.
 */
export type AppDeclaration =
  | { readonly by: 'app'; readonly action: ActionOn<'self'>; readonly on: 'self' }
  | { readonly by: 'app'; readonly action: ActionOn<'device'>; readonly on: 'device' | 'devices' };

/** What an app may see: the devices of its owner, as far as the policy permits. */
export class AppAccess {
  readonly #deps: Pick<ApiDeps, 'owners' | 'registry' | 'policies'>;
  readonly #principal: AppPrincipal;

  constructor(deps: Pick<ApiDeps, 'owners' | 'registry' | 'policies'>, app: OwnerApp) {
    this.#deps = deps;
    this.#principal = { kind: 'app', id: app.id, owner: app.ownerId };
  }

  /** One of the owner's devices to which it may do this; undefined for any other. */
  device(id: string, action: ApiAction): Device | undefined {
    const { owners, registry } = this.#deps;
    const isOwn = owners.ownerOf(id) === this.#principal.owner;
    const device = isOwn ? registry.byId(id) : undefined;
    const isPermitted = this.#permits({ kind: 'device', device: device ?? NO_DEVICE }, action);
    return isPermitted ? device : undefined;
  }

  /** Whether it may do this to what is its own. */
  permitsSelf(action: ApiAction): boolean {
    return this.#permits(selfOf(this.#principal), action);
  }

  #permits(resource: Resource, action: ApiAction): boolean {
    const { authorizer } = this.#deps.policies;
    return authorizer.decide({ principal: this.#principal, action, resource }).isPermitted;
  }
}

/** The guard of the routes of apps. */
export class AppGuard {
  readonly #deps: ApiDeps;
  readonly #limits: RequestLimits;

  constructor(deps: ApiDeps, limits: RequestLimits) {
    this.#deps = deps;
    this.#limits = limits;
  }

  /** The middleware of a route with a declaration. */
  of({ action, on }: AppDeclaration): MiddlewareHandler<ApiEnv> {
    return async (c, next) => {
      const { app, principal } = this.#caller(c);
      const refusal = this.#limits.takePrincipal(principal);
      if (refusal !== undefined) throw new RefusedRequest(refusal);
      const access = new AppAccess(this.#deps, app);
      c.set('app', app);
      c.set('appAccess', access);
      if (on === 'device') c.set('device', deviceOf(c, { access, action }));
      if (on === 'self' && !access.permitsSelf(action)) {
        throw new RefusedRequest(refuse('E_OPERATE_FORBIDDEN', `${action} is not permitted.`));
      }
      return next();
    };
  }

  /** The app whose certificate the gate admits. Whoever it is otherwise, the answer is the same. */
  #caller(c: Context<ApiEnv>): { app: OwnerApp; principal: string } {
    const { socket } = c.env.incoming;
    const peer = socket instanceof TLSSocket ? this.#deps.identify(socket) : NO_TLS;
    if (peer instanceof Refusal) throw this.#stranger(c, peer.detail);
    const app = this.#deps.owners.app(appOfPrincipal(peer.principal) ?? '');
    if (app === undefined) throw this.#stranger(c, `${peer.principal} is no app`);
    return { app, principal: peer.principal };
  }

  #stranger(c: Context<ApiEnv>, detail: string): RefusedRequest {
    const unauthenticated = refuse('E_OPERATE_UNAUTHENTICATED', detail);
    return new RefusedRequest(this.#limits.takeStranger(addressOf(c)) ?? unauthenticated);
  }
}

function deviceOf(
  c: Context<ApiEnv>,
  { access, action }: { access: AppAccess; action: ApiAction },
): Device {
  const parsed = DevicePathSchema.safeParse({ id: c.req.param('id') });
  const id = parsed.success ? parsed.data.id : '';
  const device = access.device(id, action);
  if (device !== undefined) return device;
  throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', 'You have no such device.'));
}

const NO_TLS = refuse('E_OPERATE_UNAUTHENTICATED', 'no TLS');

/** Asked about in place of every device that is not the owner's. */
const NO_DEVICE: DeviceFacts = { id: '', class: 'sensor', state: 'registered', group: '' };
