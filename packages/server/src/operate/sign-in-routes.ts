/** Signing in and out. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  CompleteSignInRequestSchema,
  FirstSignInRequestSchema,
  MeSchema,
  PendingSignInSchema,
  RedeemInvitationRequestSchema,
  SESSION_COOKIE,
  SignInMethodsSchema,
  SignInRequestSchema,
} from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { type Person, type SignedInBy, personPrincipal } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { PossibleActions } from './possible-actions.ts';
import { recordFirst, requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { relyingPartyOf } from './self.ts';
import { forgetSession, startSession } from './session-cookie.ts';
import type { SignInLimits } from './sign-in-limits.ts';
import { isoTime, meView } from './views.ts';

const SIGNED_IN = json(MeSchema, 'Signed in; the answer sets the session cookie.');

export function addSignInRoutes(routes: Routes, deps: ApiDeps, limits: SignInLimits): void {
  addFirstSteps(routes, deps);
  addPasswordSteps(routes, deps, limits);
  addOwnSession(routes, deps);
}

/** The one-time codes: of the first operator, and of whoever was invited. */
function addFirstSteps(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct } = deps;
  /** The person; a wrong code is counted against the network it came from. */
  const known = (c: Context<ApiEnv>, person: Person | Refusal): Person => {
    const isRefused = person instanceof Refusal;
    if (isRefused && person.code === 'E_OPERATE_SIGN_IN') routes.countFailedSignIn(c);
    return accepted(person);
  };

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/sign-in/first',
      summary: 'Makes the first operator with the one-time code of the terminal.',
      request: { body: jsonBody(FirstSignInRequestSchema) },
      responses: { 201: SIGNED_IN },
    },
    async (c) => {
      routes.requireNotHeldOff(c);
      const request = c.req.valid('json');
      const principal = personPrincipal(request.name);
      requireReady(deps);
      const record = (): Promise<void> => recordAct({ action: 'person.first-sign-in', principal });
      const person = known(c, await people.addFirstOperator(request, record));
      return c.json(startSession(c, { people, person, by: 'first-code' }), 201);
    },
  );

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/sign-in/invitation',
      summary: 'Redeems an invitation: the session is for setting up how the person signs in.',
      request: { body: jsonBody(RedeemInvitationRequestSchema) },
      responses: { 201: SIGNED_IN },
    },
    async (c) => {
      routes.requireNotHeldOff(c);
      const { code } = c.req.valid('json');
      const { membership } = people;
      const { name } = known(c, membership.invited(code));
      const principal = personPrincipal(name);
      await recordFirst(deps, { action: 'person.redeem-invitation', principal });
      const person = known(c, membership.redeem(code));
      return c.json(startSession(c, { people, person, by: 'invitation' }), 201);
    },
  );
}

/** Name and password, and then a code. */
function addPasswordSteps(routes: Routes, deps: ApiDeps, limits: SignInLimits): void {
  const { people } = deps;
  const signIn = async (c: Context<ApiEnv>, person: Person, by: SignedInBy) => {
    const principal = personPrincipal(person.name);
    await recordFirst(deps, { action: 'person.sign-in', principal, facts: { by } });
    // Recording takes a moment, in which somebody may have been disabled, or got other factors.
    return startSession(c, { people, person: accepted(people.stillOf(person)), by });
  };

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/sign-in',
      summary: 'Signs in with name and password; a second factor is asked for next.',
      request: { body: jsonBody(SignInRequestSchema) },
      responses: {
        200: json(MeSchema, 'Nothing is set up but the password: the session is for that only.'),
        202: json(PendingSignInSchema, 'The password is right; now the code.'),
      },
    },
    async (c) => {
      const request = c.req.valid('json');
      const attempt = limits.begin(c, request.name);
      const person = await people.checkPassword(request);
      if (person instanceof Refusal) {
        if (person.code !== 'E_OPERATE_SIGN_IN') attempt.giveBack();
        throw new RefusedRequest(person);
      }
      if (!people.needsSecondStep(person)) {
        attempt.succeed();
        return c.json(await signIn(c, person, 'password'), 200);
      }
      attempt.giveBack();
      const { id, expiresAtMs } = people.pending.start(person.name);
      const methods: ('totp' | 'recovery-code')[] = ['recovery-code'];
      if (person.totp !== undefined) methods.unshift('totp');
      return c.json({ pending: id.expose(), methods, expiresAt: isoTime(expiresAtMs) }, 202);
    },
  );

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/sign-in/code',
      summary: 'Finishes a sign-in with a code of the authenticator app, or a recovery code.',
      request: { body: jsonBody(CompleteSignInRequestSchema) },
      responses: { 200: SIGNED_IN },
    },
    async (c) => {
      const { pending, code } = c.req.valid('json');
      const name = people.pending.personOf(pending);
      if (name === undefined) {
        routes.requireNotHeldOff(c);
        routes.countFailedSignIn(c);
        throw wrong('the sign-in has expired, or there were too many wrong codes');
      }
      requireReady(deps);
      const attempt = limits.begin(c, name);
      people.pending.tryOne(pending);
      const person = people.byName(name);
      if (person === undefined || person.isDisabled) throw wrong(`${name} is disabled`);
      const by = people.factors.useCode(person, code);
      if (by instanceof Refusal) throw new RefusedRequest(by);
      people.pending.end(pending);
      attempt.succeed();
      return c.json(await signIn(c, person, by), 200);
    },
  );

  routes.add(
    'public',
    {
      method: 'get',
      path: '/v1/sign-in/methods',
      summary: 'Says how people can sign in here.',
      responses: { 200: json(SignInMethodsSchema, 'What the sign-in page offers.') },
    },
    (c) => {
      const { site } = deps.server();
      const party = relyingPartyOf(site);
      const hasOidc = people.oidc.provider !== undefined;
      const session = getCookie(c, SESSION_COOKIE);
      const isSignedIn = session !== undefined && people.callerOfSession(session) !== undefined;
      const methods = { origin: new URL(site).origin, hasOidc, isSignedIn };
      return c.json(
        party instanceof Refusal ? methods : { ...methods, passkeyHost: party.id },
        200,
      );
    },
  );
}

function addOwnSession(routes: Routes, { people, recordAct, policies }: ApiDeps): void {
  const possible = new PossibleActions(policies);
  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'post',
      path: '/v1/sign-out',
      summary: 'Ends the session of the caller.',
      responses: { 204: { description: 'Signed out.' } },
    },
    async (c) => {
      const caller = c.get('caller');
      if (caller.credential !== 'session') {
        throw new RefusedRequest(refuse('E_OPERATE_FORBIDDEN', 'Only a session signs out.'));
      }
      people.endSession(caller);
      await recordAct({ action: 'person.sign-out', principal: caller.principal });
      forgetSession(c);
      return c.body(null, 204);
    },
  );

  routes.add(
    { action: 'self:read', on: 'self' },
    {
      method: 'get',
      path: '/v1/me',
      summary: 'Says who the credential stands for.',
      responses: { 200: json(MeSchema, 'The caller.') },
    },
    async (c) => {
      const caller = c.get('caller');
      const may =
        caller.needsSecondFactor === true ? [] : await possible.of(caller, c.get('access'));
      return c.json(meView(caller, may), 200);
    },
  );
}

function wrong(detail: string): RefusedRequest {
  return new RefusedRequest(refuse('E_OPERATE_SIGN_IN', detail));
}
