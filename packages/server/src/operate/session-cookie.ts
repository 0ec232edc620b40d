/** What a browser is given when somebody has signed in. @module */
import type { Me } from '@holdfast/protocol/api';
import { SESSION_COOKIE } from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { People, Person, SignedInBy } from '../registry/index.ts';
import type { ApiEnv } from './deps.ts';
import { addressOf } from './request-address.ts';
import { BROWSER_COOKIE } from './sign-in-limits.ts';
import { meView } from './views.ts';

/** Readable by no script, sent over TLS only, and never along with a request of another site. */
export const COOKIE = { secure: true, httpOnly: true, sameSite: 'Strict', path: '/' } as const;
/** A year: the longest that browsers keep one is 400 days. */
const BROWSER_COOKIE_S = 31_536_000;

/** Starts a session for somebody who has signed in, and gives its cookie to the browser. */
export function startSession(
  c: Context<ApiEnv>,
  { people, person, by }: { people: People; person: Person; by: SignedInBy },
): Me {
  const { id, caller } = people.startSession(person, { by, address: addressOf(c) });
  setCookie(c, SESSION_COOKIE, id.expose(), COOKIE);
  if (caller.needsSecondFactor !== true) rememberBrowser(c, people, person);
  return meView(caller);
}

/** Takes the cookie of a session back. */
export function forgetSession(c: Context<ApiEnv>): void {
  deleteCookie(c, SESSION_COOKIE, COOKIE);
}

function rememberBrowser(c: Context<ApiEnv>, people: People, person: Person): void {
  // Only browsers say this, and only browsers keep cookies.
  if (c.req.header('sec-fetch-site') === undefined) return;
  const known = getCookie(c, BROWSER_COOKIE);
  if (known !== undefined && people.browsers.isKnown(person.name, known)) return;
  const cookie = people.browsers.add(person);
  if (cookie === undefined) return;
  setCookie(c, BROWSER_COOKIE, cookie.expose(), { ...COOKIE, maxAge: BROWSER_COOKIE_S });
}
