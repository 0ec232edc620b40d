/** A person's own password, authenticator app and recovery codes, and showing one again. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  ConfirmTotpRequestSchema,
  FactorsSchema,
  MeSchema,
  PasskeyOptionsSchema,
  RecoveryCodesSchema,
  SetPasswordRequestSchema,
  StepUpRequestSchema,
  TotpOfferSchema,
} from '@holdfast/protocol/api';
import type { UsedPasskey } from '@holdfast/protocol/api';
import type { Context } from 'hono';
import { renderSVG } from 'uqr';
import { base32, hasSecondFactor, totpUri } from '../registry/index.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { finishNewFactor } from './new-factor.ts';
import { factorsView } from './person-views.ts';
import { recordFirst, recordGift, requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { type OwnSession, ownSecureSession, ownSession, relyingParty } from './self.ts';
import type { SignInLimits } from './sign-in-limits.ts';
import { meView } from './views.ts';

export function addFactorRoutes(routes: Routes, deps: ApiDeps, limits: SignInLimits): void {
  addPasswordRoutes(routes, deps);
  addTotpRoutes(routes, deps);
  addStepUpRoutes(routes, deps, limits);
}

function addPasswordRoutes(routes: Routes, deps: ApiDeps): void {
  const { people } = deps;

  routes.add(
    { action: 'self:read', on: 'self' },
    {
      method: 'get',
      path: '/v1/me/factors',
      summary: 'Says what the caller can sign in with.',
      responses: { 200: json(FactorsSchema, 'No secret is among it.') },
    },
    (c) => c.json(factorsView(ownSession(c, deps).person), 200),
  );

  routes.add(
    { action: 'self:secure', on: 'self', secrets: ['password'] },
    {
      method: 'post',
      path: '/v1/me/password',
      summary: 'Sets a new password, and ends the other sessions of the person.',
      request: { body: jsonBody(SetPasswordRequestSchema) },
      responses: { 204: { description: 'Set.' } },
    },
    async (c) => {
      const { caller, person } = ownSecureSession(c, deps);
      const { principal } = caller;
      const record = () => recordGift(deps, { action: 'person.set-password', principal }, caller);
      const { password } = c.req.valid('json');
      accepted(await people.factors.setPassword(person, password, record));
      people.endSessionsOf(person, { except: caller });
      return c.body(null, 204);
    },
  );

  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'post',
      path: '/v1/me/recovery-codes',
      summary: 'Makes new recovery codes, shown this once; earlier ones are void.',
      responses: { 201: json(RecoveryCodesSchema, 'The codes.') },
    },
    async (c) => {
      const { caller, person } = ownSecureSession(c, deps);
      if (person.password === undefined || !hasSecondFactor(person)) {
        const why = 'They stand in for a second factor beside a password: set up both first.';
        throw new RefusedRequest(refuse('E_OPERATE_CONFLICT', why));
      }
      const { principal } = caller;
      await recordGift(deps, { action: 'person.recovery-codes', principal }, caller);
      const codes = accepted(people.factors.renewRecoveryCodes(person));
      return c.json({ recoveryCodes: codes.map((code) => code.expose()) }, 201);
    },
  );
}

function addTotpRoutes(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct } = deps;

  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'post',
      path: '/v1/me/totp',
      summary: 'Makes a secret for an authenticator app; it counts once a code of it was shown.',
      responses: { 201: json(TotpOfferSchema, 'The secret, this once.') },
    },
    (c) => {
      const { person } = ownSecureSession(c, deps);
      const secret = people.factors.offerTotp(person);
      const { hostname } = new URL(deps.server().api);
      const uri = totpUri({ secret, issuer: `Holdfast ${hostname}`, name: person.name });
      return c.json({ secret: base32(secret), uri, qr: renderSVG(uri) }, 201);
    },
  );

  routes.add(
    { action: 'self:secure', on: 'self', secrets: ['code'] },
    {
      method: 'post',
      path: '/v1/me/totp/confirm',
      summary: 'Takes the authenticator app into use, and ends the other sessions of the person.',
      request: { body: jsonBody(ConfirmTotpRequestSchema) },
      responses: { 200: json(RecoveryCodesSchema, 'Done; recovery codes, if there were none.') },
    },
    async (c) => {
      const own = ownSecureSession(c, deps);
      const { principal } = own.caller;
      const record = () => recordGift(deps, { action: 'person.add-totp', principal }, own.caller);
      const { code } = c.req.valid('json');
      const person = accepted(await people.factors.confirmTotp(own.person, code, record));
      return c.json(await finishNewFactor(deps, { ...own, person }), 200);
    },
  );

  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'delete',
      path: '/v1/me/totp',
      summary: 'Takes the authenticator app away, and ends the other sessions of the person.',
      responses: { 204: { description: 'Taken away.' } },
    },
    async (c) => {
      const { caller, person } = ownSecureSession(c, deps);
      accepted(people.factors.removeTotp(person));
      people.endSessionsOf(person, { except: caller });
      await recordAct({ action: 'person.remove-totp', principal: caller.principal });
      return c.body(null, 204);
    },
  );
}

function addStepUpRoutes(routes: Routes, deps: ApiDeps, limits: SignInLimits): void {
  const { people } = deps;
  /** Bound to the session: what one has proven counts in no other. */
  const purposeOf = ({ caller }: OwnSession): `step-up:${string}` =>
    `step-up:${caller.credentialHash}`;

  const byCode = (c: Context<ApiEnv>, { person }: OwnSession, code: string): string => {
    const attempt = limits.begin(c, person.name);
    const by = people.factors.useCode(person, code);
    if (by instanceof Refusal) throw new RefusedRequest(by);
    attempt.succeed();
    return by;
  };
  const byPasskey = async (own: OwnSession, credential: UsedPasskey): Promise<string> => {
    const ceremony = { rp: relyingParty(deps), purpose: purposeOf(own) };
    accepted(await people.usePasskey(own.person, credential, ceremony));
    return 'passkey';
  };

  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'post',
      path: '/v1/step-up/options',
      summary: 'Begins to show a passkey again.',
      responses: { 200: json(PasskeyOptionsSchema, 'What the browser is to ask for.') },
    },
    async (c) => {
      const own = ownSession(c, deps);
      const { passkeys } = own.person;
      const ceremony = { rp: relyingParty(deps), purpose: purposeOf(own), passkeys };
      return c.json(await people.passkeys.requestOptions(ceremony), 200);
    },
  );

  routes.add(
    { action: 'self:secure', on: 'self', secrets: ['code', 'credential'] },
    {
      method: 'post',
      path: '/v1/step-up',
      summary: 'Shows a second factor again: dangerous acts ask for one within five minutes.',
      request: { body: jsonBody(StepUpRequestSchema) },
      responses: { 200: json(MeSchema, 'It counts from now on.') },
    },
    async (c) => {
      const own = ownSession(c, deps);
      if (!hasSecondFactor(own.person)) {
        throw new RefusedRequest(refuse('E_OPERATE_SECOND_FACTOR', 'There is none to show.'));
      }
      const request = c.req.valid('json');
      requireReady(deps);
      const by =
        'code' in request ? byCode(c, own, request.code) : await byPasskey(own, request.credential);
      const { principal } = own.caller;
      await recordFirst(deps, { action: 'person.step-up', principal, facts: { by } });
      people.stepUp(own.caller);
      return c.json(meView({ ...own.caller, steppedUpAtMs: deps.clock.nowMs() }), 200);
    },
  );
}
