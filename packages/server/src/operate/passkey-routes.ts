/** Passkeys: signing in with one, and a person's own. WebAuthn Level 3. @module */
import { Refusal, refuse } from '@holdfast/protocol';
import {
  AddPasskeyRequestSchema,
  MeSchema,
  PasskeyOptionsSchema,
  PasskeyPathSchema,
  PasskeySignInRequestSchema,
  RecoveryCodesSchema,
} from '@holdfast/protocol/api';
import { personPrincipal } from '../registry/index.ts';
import type { ApiDeps } from './deps.ts';
import { RefusedRequest, accepted } from './errors.ts';
import { finishNewFactor } from './new-factor.ts';
import { passkeyName } from './person-views.ts';
import { recordFirst, recordGift, requireReady } from './record-first.ts';
import { type Routes, json, jsonBody } from './routes.ts';
import { type OwnSession, ownSecureSession, relyingParty } from './self.ts';
import { startSession } from './session-cookie.ts';

const OPTIONS = json(PasskeyOptionsSchema, 'What the browser is to ask of the authenticator.');

export function addPasskeyRoutes(routes: Routes, deps: ApiDeps): void {
  addPasskeySignIn(routes, deps);
  addOwnPasskeys(routes, deps);
}

function addPasskeySignIn(routes: Routes, deps: ApiDeps): void {
  const { people } = deps;

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/sign-in/passkey/options',
      summary: 'Begins a sign-in by passkey.',
      responses: { 200: OPTIONS },
    },
    async (c) => {
      const rp = relyingParty(deps);
      return c.json(await people.passkeys.requestOptions({ rp, purpose: 'sign-in' }), 200);
    },
  );

  routes.add(
    'public',
    {
      method: 'post',
      path: '/v1/sign-in/passkey',
      summary: 'Signs in with a passkey, which is two factors in one.',
      request: { body: jsonBody(PasskeySignInRequestSchema) },
      responses: { 200: json(MeSchema, 'Signed in; the answer sets the session cookie.') },
    },
    async (c) => {
      const { credential } = c.req.valid('json');
      requireReady(deps);
      const shown = accepted(await people.checkPasskey(credential, relyingParty(deps)));
      const facts = { by: 'passkey' };
      const principal = personPrincipal(shown.name);
      await recordFirst(deps, { action: 'person.sign-in', principal, facts });
      // Recording takes a moment, in which the passkey may have been taken away.
      const person = accepted(people.stillOf(shown));
      return c.json(startSession(c, { people, person, by: 'passkey' }), 200);
    },
  );
}

function addOwnPasskeys(routes: Routes, deps: ApiDeps): void {
  const { people, recordAct } = deps;
  /** Bound to the session: what one began cannot be finished in another. */
  const purposeOf = ({ caller }: OwnSession): `add:${string}` => `add:${caller.credentialHash}`;

  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'post',
      path: '/v1/me/passkey-options',
      summary: 'Begins to add a passkey.',
      responses: { 200: OPTIONS },
    },
    async (c) => {
      const own = ownSecureSession(c, deps);
      const rp = relyingParty(deps);
      const person = people.factors.withUserHandle(own.person);
      const purpose = purposeOf(own);
      return c.json(await people.passkeys.creationOptions(person, { rp, purpose }), 200);
    },
  );

  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'post',
      path: '/v1/me/passkeys',
      summary: 'Adds a passkey, and ends the other sessions of the person.',
      request: { body: jsonBody(AddPasskeyRequestSchema) },
      responses: { 201: json(RecoveryCodesSchema, 'Added; recovery codes, if there were none.') },
    },
    async (c) => {
      const own = ownSecureSession(c, deps);
      const { name, credential } = c.req.valid('json');
      const ceremony = { rp: relyingParty(deps), purpose: purposeOf(own), name };
      const passkey = accepted(await people.passkeys.finishCreation(credential, ceremony));
      const conflict = people.factors.conflictOfPasskey(own.person, passkey);
      if (conflict !== undefined) throw new RefusedRequest(conflict);
      const { principal } = own.caller;
      const facts = { name, isSynced: passkey.isSynced };
      await recordGift(deps, { action: 'person.add-passkey', principal, facts }, own.caller);
      const person = accepted(people.factors.addPasskey(own.person, passkey));
      return c.json(await finishNewFactor(deps, { ...own, person }), 201);
    },
  );

  routes.add(
    { action: 'self:secure', on: 'self' },
    {
      method: 'delete',
      path: '/v1/me/passkeys/{id}',
      summary: 'Takes a passkey away, and ends the other sessions of the person.',
      request: { params: PasskeyPathSchema },
      responses: { 204: { description: 'Taken away.' } },
    },
    async (c) => {
      const { caller, person } = ownSecureSession(c, deps);
      const { id } = c.req.valid('param');
      const passkey = person.passkeys.find((one) => passkeyName(one) === id);
      if (passkey === undefined) {
        throw new RefusedRequest(refuse('E_OPERATE_NOT_FOUND', `There is no passkey ${id}.`));
      }
      const changed = people.factors.removePasskey(person, passkey);
      if (changed instanceof Refusal) throw new RefusedRequest(changed);
      people.endSessionsOf(person, { except: caller });
      const facts = { name: passkey.name };
      await recordAct({ action: 'person.remove-passkey', principal: caller.principal, facts });
      return c.body(null, 204);
    },
  );
}
