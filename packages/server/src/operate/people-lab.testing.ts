/** People who sign in to the lab, with software in place of phones. @module */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Invitation, PersonRole, TotpOffer } from '@holdfast/protocol/api';
import { SoftAuthenticator } from '../registry/authenticator.testing.ts';
import { totpCode, totpStep } from '../registry/index.ts';
import { type Lab, ORIGIN, PASSWORD, openLab, sessionOf } from './lab.testing.ts';

/** Somebody with an authenticator app. */
export interface AppUser {
  readonly session: string;
  /** The code of the moment, by the clock of the lab. */
  readonly code: () => string;
  readonly recoveryCodes: readonly string[];
}

/** A lab, and what people do in it. */
export interface PeopleApiLab extends Lab {
  /** Invites somebody from the data folder. */
  readonly invite: (name: string, role?: PersonRole) => Promise<Invitation>;
  /** Redeems an invitation; gives the session, which is good for little. */
  readonly redeem: (code: string) => Promise<string>;
  /** Invites somebody who then sets up a password and an authenticator app. */
  readonly join: (name: string, role?: PersonRole) => Promise<AppUser>;
  /** Sets up an authenticator app in a session. */
  readonly addApp: (session: string) => Promise<AppUser>;
  /** Adds a passkey in a session. */
  readonly addPasskey: (session: string) => Promise<SoftAuthenticator>;
  /** The answer to name and password. */
  readonly password: (
    name: string,
    request?: { password?: string; address?: string; headers?: Record<string, string> },
  ) => Promise<Response>;
  /** Begins with the password, and gives what the code is to be sent with. */
  readonly begin: (name: string) => Promise<string>;
  readonly finish: (pending: string, code: string) => Promise<Response>;
}

export function openPeopleApiLab(t: TestContext): PeopleApiLab {
  const lab = openLab(t);
  const { call, clock, localToken: token } = lab;
  const json = async <T>(answer: Promise<Response>, status: number): Promise<T> => {
    const response = await answer;
    assert.equal(response.status, status, await response.clone().text());
    return (await response.json()) as T;
  };
  const invite: PeopleApiLab['invite'] = (name, role = 'administrator') =>
    json<Invitation>(call('POST', '/v1/people', { token, body: { name, role } }), 201);
  const redeem: PeopleApiLab['redeem'] = async (code) =>
    sessionOf(await call('POST', '/v1/sign-in/invitation', { body: { code } }));
  const addApp: PeopleApiLab['addApp'] = async (session) => {
    const { secret } = await json<TotpOffer>(call('POST', '/v1/me/totp', { session }), 201);
    const code = (): string => totpCode(fromBase32(secret), totpStep(clock.ms));
    const request = { session, body: { code: code() } };
    const answer = call('POST', '/v1/me/totp/confirm', request);
    const { recoveryCodes } = await json<{ recoveryCodes: string[] }>(answer, 200);
    return { session, code, recoveryCodes };
  };
  const password: PeopleApiLab['password'] = (name, { password = PASSWORD, ...request } = {}) =>
    call('POST', '/v1/sign-in', { body: { name, password }, ...request });
  return {
    ...lab,
    invite,
    redeem,
    addApp,
    password,
    async join(name, role) {
      const session = await redeem((await invite(name, role)).code);
      const set = { session, body: { password: PASSWORD } };
      assert.equal((await call('POST', '/v1/me/password', set)).status, 204);
      return addApp(session);
    },
    async addPasskey(session) {
      const authenticator = new SoftAuthenticator(ORIGIN);
      const begun = call('POST', '/v1/me/passkey-options', { session });
      const credential = authenticator.create(await json(begun, 200));
      const body = { name: 'phone', credential };
      await json(call('POST', '/v1/me/passkeys', { session, body }), 201);
      return authenticator;
    },
    begin: async (name) => (await json<{ pending: string }>(password(name), 202)).pending,
    finish: (pending, code) => call('POST', '/v1/sign-in/code', { body: { pending, code } }),
  };
}

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (character) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(character).toString(2).padStart(5, '0'),
  ).join('');
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}
