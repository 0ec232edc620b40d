/** Who asks for a WebSocket: the same credentials as for a request of the API. @module */
import type { IncomingHttpHeaders } from 'node:http';
import { type Refusal, refuse } from '@holdfast/protocol';
import { SESSION_COOKIE } from '@holdfast/protocol/api';
import { parse as parseCookies } from 'hono/utils/cookie';
import type { Caller, People } from '../registry/index.ts';
import { callerOfAuthorization } from './caller.ts';

/**
 * Identifies the caller, or refuses with `E_OPERATE_UNAUTHENTICATED`, `E_OPERATE_CROSS_SITE`
 * or `E_OPERATE_SECOND_FACTOR`.
 * A browser sends the cookie along with a WebSocket of any site, and no rule of the same origin
 * holds it back: so with the cookie, the origin must be our own.
 */
export function callerOfUpgrade(headers: IncomingHttpHeaders, people: People): Caller | Refusal {
  const { authorization, cookie = '', origin, host } = headers;
  if (authorization !== undefined) return callerOfAuthorization(authorization, people);
  const session = parseCookies(cookie, SESSION_COOKIE)[SESSION_COOKIE];
  if (session === undefined) {
    return refuse('E_OPERATE_UNAUTHENTICATED', 'neither a certificate nor a credential was sent');
  }
  if (origin !== `https://${host}`) {
    return refuse('E_OPERATE_CROSS_SITE', `Origin is ${origin ?? 'missing'}`);
  }
  const caller = people.callerOfSession(session);
  if (caller?.needsSecondFactor === true) {
    return refuse('E_OPERATE_SECOND_FACTOR', 'the session has shown no second factor');
  }
  return caller ?? refuse('E_OPERATE_UNAUTHENTICATED', 'the session is unknown or has ended');
}
