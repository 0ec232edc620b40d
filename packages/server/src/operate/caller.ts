/** Who makes a request: by API token, or by the cookie of a session. @module */
import { type Refusal, refuse } from '@holdfast/protocol';
import { SESSION_COOKIE, TOKEN_PREFIX } from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Caller, People } from '../registry/index.ts';
import type { ApiEnv } from './deps.ts';
import { RefusedRequest } from './errors.ts';

// The name of a scheme is in any case. RFC 9110 §11.1
const BEARER = /^Bearer +(\S{1,128})$/i;
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Identifies the caller, or refuses with `E_OPERATE_UNAUTHENTICATED`. */
export function callerOf(c: Context<ApiEnv>, people: People): Caller | Refusal {
  const authorization = c.req.header('authorization');
  if (authorization !== undefined) return callerOfAuthorization(authorization, people);
  const session = getCookie(c, SESSION_COOKIE);
  if (session === undefined) return unauthenticated('no credential was sent');
  return people.callerOfSession(session) ?? unauthenticated('the session is unknown or has ended');
}

/** The same for the value of a header Authorization. */
export function callerOfAuthorization(authorization: string, people: People): Caller | Refusal {
  const token = BEARER.exec(authorization)?.[1];
  if (!token?.startsWith(TOKEN_PREFIX)) return unauthenticated('the header is no API token');
  return people.callerOfToken(token) ?? unauthenticated('the API token is unknown or has ended');
}

/**
 * Refuses with `E_OPERATE_CROSS_SITE` when another site made a browser send this request along
 * with its session. The cookie is SameSite=Strict already; this also holds for a page on another
 * port of the same host, which SameSite lets through.
 */
export function forgeryOf(c: Context<ApiEnv>, { credential }: Caller): Refusal | undefined {
  return credential === 'session' ? cookieForgeryOf(c) : undefined;
}

/** The same for a request of which it is known that its credential is a cookie. */
export function cookieForgeryOf(c: Context<ApiEnv>): Refusal | undefined {
  if (SAFE_METHODS.has(c.req.method)) return undefined;
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin') return crossSite(`Sec-Fetch-Site is ${site}`);
  const origin = c.req.header('origin');
  if (origin !== undefined && origin !== new URL(c.req.url).origin) {
    return crossSite(`Origin is ${origin}`);
  }
  // A form can only POST, and not JSON; what else could is stopped by the absence of CORS.
  if (c.req.method === 'POST' && !isJson(c)) return crossSite('the body is not application/json');
  return undefined;
}

/** All that a session may do that has shown no second factor: set one up, and leave. */
const WITHOUT_SECOND_FACTOR: ReadonlySet<string> = new Set(['self:read', 'self:secure']);

/** Refuses with `E_OPERATE_SECOND_FACTOR` what a session may not do that has shown none. */
export function requireSecondFactor({ needsSecondFactor }: Caller, action: string): void {
  if (needsSecondFactor !== true || WITHOUT_SECOND_FACTOR.has(action)) return;
  throw new RefusedRequest(refuse('E_OPERATE_SECOND_FACTOR', `It does not permit ${action}.`));
}

function isJson(c: Context<ApiEnv>): boolean {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  return type === 'application/json';
}

function unauthenticated(detail: string): Refusal {
  return refuse('E_OPERATE_UNAUTHENTICATED', detail);
}

function crossSite(detail: string): Refusal {
  return refuse('E_OPERATE_CROSS_SITE', detail);
}
