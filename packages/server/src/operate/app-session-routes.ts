/** How an owner's page gets its session: by proving that it holds the key of its certificate. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  APP_SESSION_COOKIE,
  AppChallengeSchema,
  AppSessionSchema,
  StartAppSessionRequestSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { WindowCounter, networkOf } from '../kernel/index.ts';
import { appOfPrincipal } from '../registry/index.ts';
import { cookieForgeryOf } from './caller.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { APP_PROOFS_PER_MINUTE_MAX, WATCHED_NETWORKS_MAX } from './limits.ts';
import { type Routes, addressOf, json, jsonBody } from './routes.ts';
import { COOKIE } from './session-cookie.ts';
import { isoTime } from './views.ts';

const MINUTE_MS = 60_000;

export function addAppSessionRoutes(routes: Routes, deps: ApiDeps): void {
  const { appSessions } = deps;
  const networks = { windowMs: MINUTE_MS, keysMax: WATCHED_NETWORKS_MAX };
  const attempts = new WindowCounter(deps.clock, networks);
  /** Challenges and proofs count together: a page needs one of each, once an hour. */
  const take = (c: Context<ApiEnv>): void => {
    if (attempts.add(networkOf(addressOf(c))) <= APP_PROOFS_PER_MINUTE_MAX) return;
    const detail = `more than ${APP_PROOFS_PER_MINUTE_MAX} proofs of pages from this network`;
    throw new RefusedRequest(refuse('E_OPERATE_RATE', detail));
  };

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/app/session/challenge',
      summary: 'Gives what the page of an owner signs to begin a session.',
      responses: { 200: json(AppChallengeSchema, 'The challenge: good once, for a minute.') },
    },
    (c) => {
      take(c);
      const { challenge, expiresAtMs } = appSessions.challenge();
      return c.json({ challenge, expiresAt: isoTime(expiresAtMs) }, 200);
    },
  );

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/app/session',
      summary: 'Begins the session of an owner’s page, by its certificate and a signature.',
      request: { body: jsonBody(StartAppSessionRequestSchema) },
      responses: { 201: json(AppSessionSchema, 'Begun; the answer sets the cookie of the page.') },
    },
    (c) => {
      take(c);
      const forgery = cookieForgeryOf(c);
      if (forgery !== undefined) throw new RefusedRequest(forgery);
      const { challenge, certificate: certificatePem, signature } = c.req.valid('json');
      const shown = { challenge, certificatePem, signature, origin: ownOrigin(c, deps) };
      const before = getCookie(c, APP_SESSION_COOKIE);
      const started = appSessions.start(shown, { address: addressOf(c), before });
      // Whatever speaks against it, the answer is one: no stranger learns which app there is.
      if (started instanceof Refusal) throw unproven(started.detail);
      const { id, session } = started;
      const { peer, endsAtMs } = session;
      const app = accepted(
        deps.owners.app(appOfPrincipal(peer.principal) ?? '') ?? refuse(UNPROVEN, 'no app'),
      );
      const maxAge = Math.floor((endsAtMs - deps.clock.nowMs()) / 1_000);
      setCookie(c, APP_SESSION_COOKIE, id.expose(), { ...COOKIE, maxAge });
      const [expiresAt, notAfter] = [isoTime(endsAtMs), isoTime(peer.notAfterMs)];
      return c.json({ app: app.id, expiresAt, notAfter }, 201);
    },
  );
}

/**
 * Where the page was loaded from. It signs that along, and whoever passes a proof on cannot choose
 * it: it has to be a name of this server. The port is the browser's business, as a proxy may have
 * another one; no other origin can use the key of the page in any case.
 */
function ownOrigin(c: Context<ApiEnv>, { isOwnName }: Pick<ApiDeps, 'isOwnName'>): string {
  const { origin, hostname, protocol } = new URL(c.req.url);
  if (protocol === 'https:' && isOwnName(hostname)) return origin;
  throw unproven(`${origin} is none of this server`);
}

const UNPROVEN = 'E_OPERATE_UNAUTHENTICATED';

function unproven(detail: string): RefusedRequest {
  return new RefusedRequest(refuse(UNPROVEN, detail));
}
