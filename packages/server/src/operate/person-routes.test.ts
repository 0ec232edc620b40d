import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersonView, SessionView } from '@holdfast/protocol/api';
import { DEFAULT_POLICY } from '../policy/index.ts';
import { PASSWORD, codeOf, present } from './lab.testing.ts';
import { openPeopleApiLab } from './people-lab.testing.ts';
import { relyingPartyOf } from './self.ts';

const DAY_MS = 86_400_000;

test('an invitation works once, for a day', async (t) => {
  const lab = openPeopleApiLab(t);
  const redeem = (code: string) => lab.call('POST', '/v1/sign-in/invitation', { body: { code } });
  const { code, link, person } = await lab.invite('grace', 'operator');
  assert.equal(link, `https://server.example:8443/sign-in#invitation=${code}`);
  assert.equal(person.state, 'invited');
  lab.clock.advance(DAY_MS - 1);
  assert.equal((await redeem(code.toLowerCase())).status, 201);
  assert.equal(await codeOf(await redeem(code)), 'E_OPERATE_SIGN_IN');

  const { code: late } = await lab.invite('bob');
  lab.clock.advance(DAY_MS);
  assert.equal(await codeOf(await redeem(late)), 'E_OPERATE_SIGN_IN');
  const told = JSON.stringify([lab.recorded, lab.reports, lab.logLines]);
  assert.ok(!told.includes(code) && !told.includes(late), 'a code is told');
});

test('nobody is invited before it is recorded, or with a name that is taken', async (t) => {
  const lab = openPeopleApiLab(t);
  const invite = (name: string) =>
    lab.call('POST', '/v1/people', { token: lab.localToken, body: { name, role: 'viewer' } });
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  assert.equal((await invite('grace')).status, 500);
  assert.deepEqual(lab.people.all(), []);
  lab.journal.beforeRecord = () => {};
  const answers = await Promise.all([invite('grace'), invite('grace'), invite('GRACE')]);
  const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
  assert.deepEqual(statuses, [201, 409, 409]);
  assert.equal(lab.people.all().length, 1);
});

test('the last administrator stays one, and stays', async (t) => {
  const lab = openPeopleApiLab(t);
  const { localToken: token } = lab;
  await lab.join('grace');
  // One who was invited and has not come yet administers nothing.
  await lab.invite('bob');
  const attempt = (method: string, path: string, body?: object) =>
    lab.call(method, `/v1/people/grace${path}`, { token, body });
  const attempts = () => [
    attempt('POST', '/role', { role: 'viewer' }),
    attempt('POST', '/disable'),
    attempt('DELETE', ''),
  ];
  for (const answer of await Promise.all(attempts())) {
    assert.equal(answer.status, 409);
    assert.match(await answer.text(), /last administrator/);
  }
  await lab.join('ada');
  assert.equal((await attempt('DELETE', '')).status, 204);
  assert.equal((await attempt('DELETE', '')).status, 404);
});

test('a role counts at once, on everything that is open', async (t) => {
  const lab = openPeopleApiLab(t);
  await lab.join('ada');
  const { session } = await lab.join('grace', 'administrator');
  const caller = lab.people.callerOfSession(session) ?? assert.fail();
  const { token } = await lab.createToken(session);
  const tokenCaller = lab.people.callerOfToken(token) ?? assert.fail();
  assert.ok(lab.people.liveUntilMs(caller) > lab.clock.ms);
  const change = { token: lab.localToken, body: { role: 'viewer' } };
  assert.equal((await lab.call('POST', '/v1/people/grace/role', change)).status, 200);
  // Streams and WebSockets that began with the old role end; requests have the new one.
  assert.equal(lab.people.liveUntilMs(caller), 0);
  assert.equal(lab.people.liveUntilMs(tokenCaller), 0);
  assert.equal(lab.people.callerOfSession(session)?.role, 'viewer');
  assert.equal(lab.people.callerOfToken(token)?.role, 'viewer');
  assert.deepEqual(lab.recorded.at(-1)?.facts, { role: 'viewer', roleBefore: 'administrator' });
});

test('a disabled person is out at once, and back when enabled', async (t) => {
  const lab = openPeopleApiLab(t);
  const { localToken } = lab;
  await lab.join('ada');
  const { session, code } = await lab.join('grace');
  const { token } = await lab.createToken(session);
  const pending = await lab.begin('grace');
  const change = (verb: string) =>
    lab.call('POST', `/v1/people/grace/${verb}`, { token: localToken });
  assert.equal((await change('disable')).status, 200);
  lab.clock.advance(30_000);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 401);
  assert.equal((await lab.call('GET', '/v1/me', { token })).status, 401);
  assert.equal((await lab.finish(pending, code())).status, 401);
  assert.equal((await lab.password('grace')).status, 401);
  assert.equal((await change('enable')).status, 200);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 401, 'the session is gone');
  assert.equal((await lab.call('GET', '/v1/me', { token })).status, 200);
  assert.equal((await lab.password('grace')).status, 202);
});

test('somebody is shut out even when it cannot be recorded', async (t) => {
  const lab = openPeopleApiLab(t);
  await lab.join('ada');
  const { session } = await lab.join('grace');
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  const request = { token: lab.localToken };
  assert.equal((await lab.call('POST', '/v1/people/grace/disable', request)).status, 500);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 401);
});

test('new factors end the old ones, with sessions and tokens', async (t) => {
  const lab = openPeopleApiLab(t);
  const { session, recoveryCodes } = await lab.join('grace');
  const { token } = await lab.createToken(session);
  const pending = await lab.begin('grace');
  const request = { token: lab.localToken };
  const answer = await lab.call('POST', '/v1/people/grace/reset-factors', request);
  assert.equal(answer.status, 201);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 401);
  assert.equal((await lab.call('GET', '/v1/me', { token })).status, 401);
  assert.equal((await lab.finish(pending, recoveryCodes[0] ?? '')).status, 401);
  assert.equal((await lab.password('grace')).status, 401);
  const { code } = (await answer.json()) as { code: string };
  await lab.addPasskey(await lab.redeem(code));
});

test('people are listed with what they sign in with, and no secret', async (t) => {
  const lab = openPeopleApiLab(t);
  await lab.join('grace', 'operator');
  const { code } = await lab.invite('bob', 'viewer');
  const answer = await lab.call('GET', '/v1/people', { token: lab.localToken });
  const text = await answer.text();
  const { people } = JSON.parse(text) as { people: PersonView[] };
  assert.deepEqual(
    people.map(({ name, role, state, factors }) => [name, role, state, factors]),
    [
      ['bob', 'viewer', 'invited', []],
      ['grace', 'operator', 'active', ['password', 'totp']],
    ],
  );
  assert.ok(!text.includes(code) && !text.includes('hash') && !text.includes('secret'));
});

test('a person sees and ends their own sessions, an administrator everybody’s', async (t) => {
  const lab = openPeopleApiLab(t);
  const { session: ada } = await lab.join('ada');
  const { session: grace } = await lab.join('grace', 'operator');
  const list = async (path: string, session: string) => {
    const answer = await lab.call('GET', path, { session });
    return ((await answer.json()) as { sessions: SessionView[] }).sessions;
  };
  const own = await list('/v1/me/sessions', grace);
  assert.deepEqual(
    own.map(({ principal, by, address, isCurrent }) => [principal, by, address, isCurrent]),
    [['person:grace', 'invitation', '192.0.2.1', true]],
  );
  const [ofAda] = await list('/v1/me/sessions', ada);
  const foreign = `/v1/me/sessions/${ofAda?.id}`;
  const absent = '/v1/me/sessions/0123456789abcdef';
  const answers = [
    await lab.call('DELETE', foreign, { session: grace }),
    await lab.call('DELETE', absent, { session: grace }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [404, 404],
  );
  assert.equal((await list('/v1/sessions', ada)).length, 2);
  const end = await lab.call('DELETE', `/v1/sessions/${own[0]?.id}`, { session: ada });
  assert.equal(end.status, 204);
  assert.equal((await lab.call('GET', '/v1/me', { session: grace })).status, 401);
});

test('tokens of others are for administrators only', async (t) => {
  const lab = openPeopleApiLab(t);
  const ada = await lab.createToken((await lab.join('ada')).session);
  const { session } = await lab.join('grace', 'operator');
  const own = await lab.createToken(session);
  const tokens = async (request: object) => {
    const answer = await lab.call('GET', '/v1/tokens', request);
    return ((await answer.json()) as { tokens: { id: string }[] }).tokens.map(({ id }) => id);
  };
  assert.deepEqual(await tokens({ session }), [own.id]);
  assert.deepEqual(await tokens({ token: lab.localToken }), [ada.id, own.id]);
  assert.equal((await lab.call('DELETE', `/v1/tokens/${ada.id}`, { session })).status, 404);
  assert.equal((await lab.call('DELETE', `/v1/tokens/${own.id}`, { session })).status, 204);
});

test('whose tokens somebody sees and ends is for the policy to decide', async (t) => {
  const lab = openPeopleApiLab(t);
  const ada = await lab.createToken((await lab.join('ada')).session);
  const { session } = await lab.join('grace', 'auditor');
  lab.deps.policies.authorizer.activate(`${DEFAULT_POLICY}
forbid (principal in Role::"administrator", action == Action::"token:end", resource);`);
  const answer = await lab.call('GET', '/v1/tokens', { session });
  assert.match(await answer.text(), new RegExp(ada.id), 'an auditor reads everything');
  const path = `/v1/tokens/${ada.id}`;
  assert.equal((await lab.call('DELETE', path, { session })).status, 404);
  const token = lab.localToken;
  assert.equal((await lab.call('DELETE', path, { token })).status, 404, 'the policy forbids it');
});

for (const how of ['password', 'passkey'] as const) {
  test(`a sign-in by ${how} that began before the factors were reset is void`, async (t) => {
    const lab = openPeopleApiLab(t);
    await lab.join('ada');
    const session = await lab.redeem((await lab.invite('grace')).code);
    const passkey = await lab.addPasskey(session);
    if (how === 'password') {
      await lab.call('POST', '/v1/me/password', { session, body: { password: PASSWORD } });
      // With a password alone, the first step is the whole sign-in.
      t.mock.method(lab.people, 'needsSecondStep', () => false);
    }
    const reset = (): void => {
      const grace = lab.people.byName('grace') ?? absent();
      present(lab.people.membership.clearFactors(grace));
      lab.people.endAccessOf(grace);
    };
    lab.journal.beforeRecord = ({ action }) => {
      if (action === 'person.sign-in') reset();
    };
    const signIn = async (): Promise<Response> => {
      if (how === 'password') return lab.password('grace');
      const options = await lab.call('POST', '/v1/sign-in/passkey/options');
      const credential = passkey.get((await options.json()) as { challenge: string });
      return lab.call('POST', '/v1/sign-in/passkey', { body: { credential } });
    };
    assert.equal(await codeOf(await signIn()), 'E_OPERATE_SIGN_IN');
    assert.deepEqual(lab.people.sessions('person:grace'), []);
  });
}

test('passkeys need a host name', () => {
  const host = (api: string) => {
    const party = relyingPartyOf(api);
    return 'id' in party ? party.id : party.code;
  };
  assert.equal(host('https://localhost:8443'), 'localhost');
  assert.equal(host('https://iot.example.com'), 'iot.example.com');
  assert.equal(host('https://192.0.2.1:8443'), 'E_OPERATE_CONFLICT');
  assert.equal(host('https://[2001:db8::1]:8443'), 'E_OPERATE_CONFLICT');
});

function absent(): never {
  throw new Error('nobody is there');
}
