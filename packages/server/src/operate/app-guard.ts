/** Stands before every route of apps: which app calls, and whether the policy permits it. @module */
import { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import { APP_SESSION_COOKIE, DevicePathSchema } from '@holdfast/protocol/api';
import type { Context, MiddlewareHandler } from 'hono';
import { getCookie } from 'hono/cookie';
import {
  type ActionOn,
  type ApiAction,
  type AppPrincipal,
  type DeviceFacts,
  type Resource,
  selfOf,
} from '../policy/index.ts';
import { type Device, type OwnerApp, appOfPrincipal } from '../registry/index.ts';
import type { AdmittedPeer } from '../session/index.ts';
import { cookieForgeryOf } from './caller.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';
import { APP_PROOF_FRESH_MS } from './limits.ts';
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
  /** Whether what the app has shown still counts: its certificate, or the session of its page. */
  readonly isLive: () => boolean;

  constructor(
    deps: Pick<ApiDeps, 'owners' | 'registry' | 'policies'>,
    { app, isLive }: Pick<AppCaller, 'app' | 'isLive'>,
  ) {
    this.#deps = deps;
    this.#principal = { kind: 'app', id: app.id, owner: app.ownerId };
    this.isLive = isLive;
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

/** The app that makes a request. */
interface AppCaller {
  readonly app: OwnerApp;
  readonly principal: string;
  /** Of a page, which has shown its cookie: when it has proven its key. A browser sends the cookie
   * along by itself, and it can be stolen, which the key cannot. */
  readonly provenAtMs: number | undefined;
  readonly isLive: () => boolean;
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
      const caller = this.#caller(c);
      const { app, principal } = caller;
      const access = new AppAccess(this.#deps, caller);
      c.set('app', app);
      const refusal =
        this.#limits.takePrincipal(principal) ?? this.#refusalOfPage(c, { caller, action });
      if (refusal !== undefined) throw new RefusedRequest(refusal);
      c.set('appAccess', access);
      if (on === 'device') c.set('device', deviceOf(c, { access, action }));
      if (on === 'self' && !access.permitsSelf(action)) {
        throw new RefusedRequest(refuse('E_OPERATE_FORBIDDEN', `${action} is not permitted.`));
      }
      return next();
    };
  }

  /**
   * The app whose certificate the gate admits, now or when the session of its page began. A
   * connection that shows a certificate is whom that names: its cookie is not looked at. Whoever it
   * is otherwise, the answer is the same.
   */
  #caller(c: Context<ApiEnv>): AppCaller {
    const { socket } = c.env.incoming;
    const peer = socket instanceof TLSSocket ? this.#deps.identify(socket) : NO_TLS;
    if (!(peer instanceof Refusal)) {
      const { gate, clock } = this.#deps;
      const isLive = (): boolean =>
        gate.recheck(peer) === undefined && clock.nowMs() < peer.notAfterMs;
      return this.#callerBy(c, { peer, provenAtMs: undefined, isLive });
    }
    const cookie = getCookie(c, APP_SESSION_COOKIE);
    const mayBePage = peer.code === 'E_SESSION_NO_CERTIFICATE' && cookie !== undefined;
    if (!mayBePage) throw this.#stranger(c, peer.detail);
    const { appSessions } = this.#deps;
    const session = appSessions.use(cookie);
    if (session instanceof Refusal) throw this.#stranger(c, session.detail);
    const isLive = (): boolean => appSessions.isLive(session);
    return this.#callerBy(c, { ...session, isLive });
  }

  #callerBy(
    c: Context<ApiEnv>,
    by: Pick<AppCaller, 'provenAtMs' | 'isLive'> & { readonly peer: AdmittedPeer },
  ): AppCaller {
    const { principal } = by.peer;
    const app = this.#deps.owners.app(appOfPrincipal(principal) ?? '');
    if (app === undefined) throw this.#stranger(c, `${principal} is no app`);
    return { ...by, app, principal };
  }

  /**
   * What speaks against a request by cookie: another site has made it, or it would outlive the
   * session. Whoever has stolen a cookie must not get a certificate or another app by it, nor end
   * what cannot be brought back: for that, the page proves its key once more.
   */
  #refusalOfPage(
    c: Context<ApiEnv>,
    { caller, action }: { caller: AppCaller; action: ApiAction },
  ): Refusal | undefined {
    const { provenAtMs } = caller;
    if (provenAtMs === undefined) return undefined;
    const forgery = cookieForgeryOf(c);
    const isLasting = LASTING_ACTIONS.has(action) && c.req.method !== 'GET';
    const isFresh = this.#deps.clock.nowMs() - provenAtMs < APP_PROOF_FRESH_MS;
    if (forgery !== undefined || isFresh || !isLasting) return forgery;
    return refuse('E_OPERATE_UNAUTHENTICATED', `${action} asks the page for a fresh proof`);
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

const NO_TLS = refuse('E_SESSION_NO_CERTIFICATE', 'no TLS');

/** What cannot be taken back by ending a session. */
const LASTING_ACTIONS: ReadonlySet<ApiAction> = new Set(['self:secure', 'device:give-away']);

/** Asked about in place of every device that is not the owner's. */
const NO_DEVICE: DeviceFacts = { id: '', class: 'sensor', state: 'registered', group: '' };
