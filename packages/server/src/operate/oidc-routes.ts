/** Sign-in by an OpenID provider, and its settings. OpenID Connect Core 1.0. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  OidcSettingsRequestSchema,
  OidcSettingsSchema,
  type OidcSettings,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Act } from '../audit/index.ts';
import { personPrincipal } from '../registry/index.ts';
import type { OidcIdentity, OidcProvider, Person } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { OIDC_SIGN_IN_LIFE_MS } from './limits.ts';
import { OidcClient } from './oidc-client.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { addressOf } from './request-address.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { startSession } from './session-cookie.ts';

/** What the browser keeps while it is at the provider, sealed. */
const ATTEMPT_COOKIE = '__Host-holdfast-oidc';
/** Lax, because the browser comes back from another site. It is good for one attempt only. */
const COOKIE = { secure: true, httpOnly: true, sameSite: 'Lax', path: '/' } as const;
const CALLBACK = '/v1/sign-in/oidc/callback';
const GOES_ON = { 303: { description: 'Goes on in the browser.' } };

export function addOidcRoutes(routes: Routes, deps: ApiDeps): void {
  addOidcSignIn(routes, deps);
  addOidcSettings(routes, deps);
}

function redirectUri({ server }: ApiDeps): string {
  return new URL(CALLBACK, server().site).href;
}

function addOidcSignIn(routes: Routes, deps: ApiDeps): void {
  const { people, report } = deps;
  let made: OidcClient | undefined;
  const client = (): OidcClient => (made ??= new OidcClient(deps));
  const provider = (): OidcProvider => {
    if (people.oidc.provider !== undefined) return people.oidc.provider;
    throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', 'No OpenID provider is set.'));
  };

  routes.add(
    'public',
    {
      method: 'get',
      path: '/v1/sign-in/oidc',
      summary: 'Begins a sign-in at the OpenID provider.',
      responses: GOES_ON,
    },
    async (c) => {
      routes.requireNotHeldOff(c);
      const attempt = accepted(await client().begin(provider(), redirectUri(deps)));
      const maxAge = OIDC_SIGN_IN_LIFE_MS / 1_000;
      setCookie(c, ATTEMPT_COOKIE, attempt.cookie, { ...COOKIE, maxAge });
      return c.redirect(attempt.url, 303);
    },
  );

  routes.add(
    'public',
    {
      method: 'get',
      path: CALLBACK,
      summary: 'Where the OpenID provider sends the browser back to.',
      responses: GOES_ON,
    },
    async (c) => {
      routes.requireNotHeldOff(c);
      const cookie = getCookie(c, ATTEMPT_COOKIE) ?? '';
      deleteCookie(c, ATTEMPT_COOKIE, COOKIE);
      const { search } = new URL(c.req.url);
      const attempt = { redirectUri: redirectUri(deps), search, cookie };
      const identity = await client().finish(provider(), attempt);
      const person = identity instanceof Refusal ? identity : await letIn(deps, identity);
      if (person instanceof Refusal) {
        // A person looks at this in a browser: the page says it in words.
        routes.countFailedSignIn(c);
        report({ refusal: person, address: addressOf(c), topic: CALLBACK });
        return c.redirect('/sign-in#oidc-refused', 303);
      }
      startSession(c, { people, person, by: 'oidc' });
      return c.redirect('/sign-in', 303);
    },
  );
}

/** The person of an identity that the provider vouches for. */
async function letIn(deps: ApiDeps, identity: OidcIdentity): Promise<Person | Refusal> {
  const { oidc } = deps.people;
  requireReady(deps);
  const refusal = oidc.refusalOf(identity);
  if (refusal !== undefined) return refusal;
  const { issuer, subject, role } = identity;
  const facts = { by: 'oidc', issuer, subject, role };
  const principal = personPrincipal(oidc.nameOf(identity));
  await recordFirst(deps, { action: 'person.sign-in', principal, facts });
  return oidc.personOf(identity);
}

function addOidcSettings(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct } = deps;
  const view = (provider: OidcProvider): OidcSettings => {
    const { issuer, clientId, nameClaim, rolesClaim, roles } = provider;
    return { issuer, clientId, nameClaim, rolesClaim, roles, redirectUri: redirectUri(deps) };
  };
  const current = (c: Context<ApiEnv>): OidcProvider => {
    const none = refuse('E_OPERATE_NOT_FOUND', `No OpenID provider is set, at ${c.req.path}.`);
    return accepted(people.oidc.provider ?? none);
  };

  routes.add(
    { action: 'oidc:read', on: 'server' },
    {
      method: 'get',
      path: '/v1/oidc',
      summary: 'Shows the OpenID provider, never its secret.',
      responses: { 200: json(OidcSettingsSchema, 'The settings.') },
    },
    (c) => c.json(view(current(c)), 200),
  );

  routes.add(
    { action: 'oidc:manage', on: 'server', secrets: ['clientSecret'] },
    {
      method: 'post',
      path: '/v1/oidc',
      summary: 'Sets the OpenID provider at which people may sign in.',
      request: { body: jsonBody(OidcSettingsRequestSchema) },
      responses: { 200: json(OidcSettingsSchema, 'The settings.') },
    },
    async (c) => {
      const { anchorsPem, ...settings } = c.req.valid('json');
      const { principal } = c.get('caller');
      const { issuer, clientId, roles } = settings;
      const act: Act = {
        action: 'oidc.set',
        principal,
        target: issuer,
        facts: { clientId, roles },
      };
      await recordFirst(deps, act);
      const provider = anchorsPem === undefined ? settings : { ...settings, anchorsPem };
      people.oidc.setProvider(provider);
      return c.json(view(provider), 200);
    },
  );

  routes.add(
    { action: 'oidc:manage', on: 'server' },
    {
      method: 'delete',
      path: '/v1/oidc',
      summary: 'Forgets the OpenID provider: nobody signs in there any more.',
      responses: { 204: { description: 'Forgotten.' } },
    },
    async (c) => {
      const { issuer } = current(c);
      people.oidc.removeProvider();
      const { principal } = c.get('caller');
      await recordAct({ action: 'oidc.remove', principal, target: issuer });
      return c.body(null, 204);
    },
  );
}
