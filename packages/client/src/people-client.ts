/** The part of the client that is about people: signing in, sessions, and who there is. @module */
import {
  FactorsSchema,
  InvitationSchema,
  MeSchema,
  OidcSettingsSchema,
  PendingSignInSchema,
  PersonListSchema,
  PersonViewSchema,
  RecoveryCodesSchema,
  SessionListSchema,
  TotpOfferSchema,
} from '@holdfast/protocol/api';
import type {
  CompleteSignInRequest,
  Factors,
  FirstSignInRequest,
  Invitation,
  InvitePersonRequest,
  Me,
  OidcSettings,
  OidcSettingsRequest,
  PendingSignIn,
  PersonRole,
  PersonView,
  RecoveryCodes,
  SessionView,
  SignInRequest,
  TotpOffer,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { parseAs } from './event-stream.ts';
import { notTheApi, parseJson } from './transport.ts';
import type { ApiRequest, ApiResponse } from './transport.ts';

/** A signed-in person: give `session` to `createClient` to act as that person. */
export interface SignedIn {
  readonly me: Me;
  readonly session: string;
}

/** People, and how they sign in. */
export interface PeopleClient {
  signInFirst(request: FirstSignInRequest): Promise<SignedIn>;
  /** A session that is good for setting up a second factor, or what is asked for next. */
  signIn(request: SignInRequest): Promise<SignedIn | PendingSignIn>;
  completeSignIn(request: CompleteSignInRequest): Promise<SignedIn>;
  redeemInvitation(code: string): Promise<SignedIn>;
  signOut(): Promise<void>;
  /** What the caller signs in with. */
  factors(): Promise<Factors>;
  setPassword(password: string): Promise<void>;
  offerTotp(): Promise<TotpOffer>;
  confirmTotp(code: string): Promise<RecoveryCodes>;
  renewRecoveryCodes(): Promise<RecoveryCodes>;
  /** Shows a code of the authenticator app, or a recovery code, again. */
  stepUp(code: string): Promise<Me>;
  people(): Promise<PersonView[]>;
  invitePerson(request: InvitePersonRequest): Promise<Invitation>;
  setPersonRole(name: string, role: PersonRole): Promise<PersonView>;
  disablePerson(name: string): Promise<PersonView>;
  enablePerson(name: string): Promise<PersonView>;
  removePerson(name: string): Promise<void>;
  resetPersonFactors(name: string): Promise<Invitation>;
  /** Those of the caller, oldest first. */
  ownSessions(): Promise<SessionView[]>;
  endOwnSession(id: string): Promise<void>;
  /** Those of everybody, oldest first. */
  sessions(): Promise<SessionView[]>;
  endSession(id: string): Promise<void>;
  oidc(): Promise<OidcSettings>;
  setOidc(request: OidcSettingsRequest): Promise<OidcSettings>;
  removeOidc(): Promise<void>;
}

/** Makes that part. */
export function peopleClient(send: (request: ApiRequest) => Promise<ApiResponse>): PeopleClient {
  const get = async <T>(schema: z.ZodType<T>, path: string): Promise<T> =>
    parseAs(schema, (await send({ method: 'GET', path })).text);
  const post = async <T>(schema: z.ZodType<T>, path: string, body?: unknown): Promise<T> =>
    parseAs(schema, (await send({ method: 'POST', path, body })).text);
  const remove = async (path: string): Promise<void> => {
    await send({ method: 'DELETE', path });
  };
  const signIn = async (path: string, body: unknown): Promise<SignedIn> =>
    signedIn(await send({ method: 'POST', path, body }));
  return {
    signInFirst: (request) => signIn('/v1/sign-in/first', request),
    signIn: async (request) => {
      const answer = await send({ method: 'POST', path: '/v1/sign-in', body: request });
      const pending = PendingSignInSchema.safeParse(parseJson(answer.text));
      return pending.success ? pending.data : signedIn(answer);
    },
    completeSignIn: (request) => signIn('/v1/sign-in/code', request),
    redeemInvitation: (code) => signIn('/v1/sign-in/invitation', { code }),
    signOut: async () => {
      await send({ method: 'POST', path: '/v1/sign-out' });
    },
    factors: () => get(FactorsSchema, '/v1/me/factors'),
    setPassword: async (password) => {
      await send({ method: 'POST', path: '/v1/me/password', body: { password } });
    },
    offerTotp: () => post(TotpOfferSchema, '/v1/me/totp'),
    confirmTotp: (code) => post(RecoveryCodesSchema, '/v1/me/totp/confirm', { code }),
    renewRecoveryCodes: () => post(RecoveryCodesSchema, '/v1/me/recovery-codes'),
    stepUp: (code) => post(MeSchema, '/v1/step-up', { code }),
    people: async () => (await get(PersonListSchema, '/v1/people')).people,
    invitePerson: (request) => post(InvitationSchema, '/v1/people', request),
    setPersonRole: (name, role) => post(PersonViewSchema, `${personPath(name)}/role`, { role }),
    disablePerson: (name) => post(PersonViewSchema, `${personPath(name)}/disable`),
    enablePerson: (name) => post(PersonViewSchema, `${personPath(name)}/enable`),
    removePerson: (name) => remove(personPath(name)),
    resetPersonFactors: (name) => post(InvitationSchema, `${personPath(name)}/reset-factors`),
    ownSessions: async () => (await get(SessionListSchema, '/v1/me/sessions')).sessions,
    endOwnSession: (id) => remove(`/v1/me/sessions/${encodeURIComponent(id)}`),
    sessions: async () => (await get(SessionListSchema, '/v1/sessions')).sessions,
    endSession: (id) => remove(`/v1/sessions/${encodeURIComponent(id)}`),
    oidc: () => get(OidcSettingsSchema, '/v1/oidc'),
    setOidc: (request) => post(OidcSettingsSchema, '/v1/oidc', request),
    removeOidc: () => remove('/v1/oidc'),
  };
}

function signedIn({ text, session }: ApiResponse): SignedIn {
  if (session === undefined) throw notTheApi('a sign-in opened no session');
  return { me: parseAs(MeSchema, text), session };
}

function personPath(name: string): string {
  return `/v1/people/${encodeURIComponent(name)}`;
}
