/** Signing in and out, and API tokens. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  CreateTokenRequestSchema,
  CreatedTokenSchema,
  FirstSignInRequestSchema,
  MeSchema,
  SESSION_COOKIE,
  SignInRequestSchema,
  TokenListSchema,
  TokenPathSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import type { ApiToken, Operator, People } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { isoTime, meView, tokenView } from './views.ts';

/** Readable by no script, sent over TLS only, and never along with a request of another site. */
const COOKIE = { secure: true, httpOnly: true, sameSite: 'Strict', path: '/' } as const;

export function addSignInRoutes(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct } = deps;
  /** The operator; a wrong guess is counted against the network it came from. */
  const signedIn = (c: Context<ApiEnv>, operator: Operator | Refusal): Operator => {
    const isRefused = operator instanceof Refusal;
    if (isRefused && operator.code === 'E_OPERATE_SIGN_IN') routes.countFailedSignIn(c);
    return accepted(operator);
  };

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/sign-in/first',
      summary: 'Makes the first operator with the one-time code of the terminal.',
      request: { body: jsonBody(FirstSignInRequestSchema) },
      responses: { 201: json(MeSchema, 'Signed in; the answer sets the session cookie.') },
    },
    async (c) => {
      routes.requireNotHeldOff(c);
      const request = c.req.valid('json');
      const principal = `person:${request.name}`;
      requireReady(deps);
      const record = (): Promise<void> => recordAct({ action: 'person.first-sign-in', principal });
      const operator = signedIn(c, await people.addFirstOperator(request, record));
      return c.json(startSession(c, { people, operator }), 201);
    },
  );

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/sign-in',
      summary: 'Signs in with name and password.',
      request: { body: jsonBody(SignInRequestSchema) },
      responses: { 200: json(MeSchema, 'Signed in; the answer sets the session cookie.') },
    },
    async (c) => {
      routes.requireNotHeldOff(c);
      const operator = signedIn(c, await people.checkPassword(c.req.valid('json')));
      const principal = `person:${operator.name}`;
      await recordFirst(deps, { action: 'person.sign-in', principal });
      return c.json(startSession(c, { people, operator }), 200);
    },
  );

  routes.add(
    'self:read',
    {
      method: 'post',
      path: '/v1/sign-out',
      summary: 'Ends the session of the caller.',
      responses: { 204: { description: 'Signed out.' } },
    },
    async (c) => {
      const caller = c.get('caller');
      if (caller.credential !== 'session') throw forbidden('Only a session signs out.');
      people.endSession(caller);
      await recordAct({ action: 'person.sign-out', principal: caller.principal });
      deleteCookie(c, SESSION_COOKIE, COOKIE);
      return c.body(null, 204);
    },
  );

  routes.add(
    'self:read',
    {
      method: 'get',
      path: '/v1/me',
      summary: 'Says who the credential stands for.',
      responses: { 200: json(MeSchema, 'The caller.') },
    },
    (c) => c.json(meView(c.get('caller')), 200),
  );

  routes.add(
    'token:manage',
    {
      method: 'post',
      path: '/v1/tokens',
      summary: 'Makes an API token, which is shown this once.',
      request: { body: jsonBody(CreateTokenRequestSchema) },
      responses: { 201: json(CreatedTokenSchema, 'The token.') },
    },
    async (c) => {
      const caller = c.get('caller');
      // A stolen token must not outlive itself by making another one.
      if (caller.credential !== 'session') throw forbidden('A token cannot make tokens: sign in.');
      const record = ({ id, label, principal, expiresAtMs }: ApiToken): Promise<void> => {
        const facts = { label, expiresAt: isoTime(expiresAtMs) };
        return recordFirst(deps, { action: 'token.create', principal, target: id, facts });
      };
      const created = accepted(await people.createToken(caller, c.req.valid('json'), record));
      const { id, expiresAtMs } = created.record;
      return c.json({ id, token: created.token.expose(), expiresAt: isoTime(expiresAtMs) }, 201);
    },
  );

  routes.add(
    'token:manage',
    {
      method: 'get',
      path: '/v1/tokens',
      summary: 'Lists the API tokens, never their secrets.',
      responses: { 200: json(TokenListSchema, 'The tokens, oldest first.') },
    },
    (c) => c.json({ tokens: people.tokens().map(tokenView) }, 200),
  );

  routes.add(
    'token:manage',
    {
      method: 'delete',
      path: '/v1/tokens/{id}',
      summary: 'Ends an API token at once.',
      request: { params: TokenPathSchema },
      responses: { 204: { description: 'Ended.' } },
    },
    async (c) => {
      const { id, label } = accepted(people.removeToken(c.req.valid('param').id));
      const { principal } = c.get('caller');
      await recordAct({ action: 'token.remove', principal, target: id, facts: { label } });
      return c.body(null, 204);
    },
  );
}

function startSession(
  c: Context<ApiEnv>,
  { people, operator }: { people: People; operator: Operator },
): ReturnType<typeof meView> {
  const { id, caller } = people.startSession(operator);
  setCookie(c, SESSION_COOKIE, id.expose(), COOKIE);
  return meView(caller);
}

function forbidden(detail: string): RefusedRequest {
  return new RefusedRequest(refuse('E_OPERATE_FORBIDDEN', detail));
}
