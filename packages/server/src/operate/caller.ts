/** Who makes a request: by API token, or by the cookie of a session. @module */
import { type Refusal, SESSION_COOKIE, TOKEN_PREFIX, refuse } from '@holdfast/protocol';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import type { Caller, People } from '../registry/index.ts';
import type { ApiEnv } from './deps.ts';

const BEARER = /^Bearer (\S{1,128})$/;
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Identifies the caller, or refuses with `E_OPERATE_UNAUTHENTICATED`. */
export function callerOf(c: Context<ApiEnv>, people: People): Caller | Refusal {
  const authorization = c.req.header('authorization');
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1];
    if (!token?.startsWith(TOKEN_PREFIX)) return unauthenticated('the header is no API token');
    return people.callerOfToken(token) ?? unauthenticated('the API token is unknown or has ended');
  }
  const session = getCookie(c, SESSION_COOKIE);
  if (session === undefined) return unauthenticated('no credential was sent');
  const caller = people.callerOfSession(session);
  if (caller === undefined) return unauthenticated('the session is unknown or has ended');
  return isForged(c) ? unauthenticated('the request came from another site') : caller;
}

/**
 * Whether another site made the browser send this request. The cookie is SameSite=Strict already;
 * this also holds for a page on another port of the same host, which SameSite lets through.
 */
function isForged(c: Context<ApiEnv>): boolean {
  if (SAFE_METHODS.has(c.req.method)) return false;
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin') return true;
  const origin = c.req.header('origin');
  if (origin !== undefined && origin !== new URL(c.req.url).origin) return true;
  // A form cannot send JSON; what can send it from elsewhere is stopped by the absence of CORS.
  return c.req.header('content-type')?.split(';')[0]?.trim() !== 'application/json';
}

function unauthenticated(detail: string): Refusal {
  return refuse('E_OPERATE_UNAUTHENTICATED', detail);
}
