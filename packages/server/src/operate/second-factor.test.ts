import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { callerOfUpgrade } from './caller-of-upgrade.ts';
import { ORIGIN, PASSWORD, codeOf, present, sessionOf } from './lab.testing.ts';
import { SIGN_IN_HOLD_MS_MAX, SIGN_IN_WRONG_MAX } from './limits.ts';
import { openPeopleApiLab } from './people-lab.testing.ts';

const STEP_MS = 30_000;
const MINUTE_MS = 60_000;

test('a password alone is good for setting up a second factor, and for nothing else', async (t) => {
  const lab = openPeopleApiLab(t);
  await lab.signInFirst();
  const session = sessionOf(await lab.password('ada'));
  for (const [method, path] of [
    ['GET', '/v1/devices'],
    ['GET', '/v1/people'],
    ['POST', '/v1/tokens'],
    ['GET', '/v1/refusals'],
  ] as const) {
    const answer = await lab.call(method, path, { session, body: { label: 'x' } });
    assert.equal(answer.status, 403, path);
    assert.equal(await codeOf(answer), 'E_OPERATE_SECOND_FACTOR');
  }
  const headers = { cookie: `__Host-holdfast=${session}`, origin: ORIGIN, host: ORIGIN.slice(8) };
  const upgrade = callerOfUpgrade(headers, lab.people);
  assert.ok(upgrade instanceof Refusal && upgrade.code === 'E_OPERATE_SECOND_FACTOR');
  await lab.addApp(session);
  assert.equal((await lab.call('GET', '/v1/devices', { session })).status, 200);
});

test('of two who know the password, the one who sets up the second factor stays', async (t) => {
  const lab = openPeopleApiLab(t);
  const first = await lab.signInFirst();
  const thief = sessionOf(await lab.password('ada'));
  await lab.addApp(first);
  assert.equal((await lab.call('GET', '/v1/me', { session: thief })).status, 401);
  assert.equal((await lab.call('GET', '/v1/me', { session: first })).status, 200);
});

test('a password and a code of the app are a sign-in, and each code counts once', async (t) => {
  const lab = openPeopleApiLab(t);
  const { code } = await lab.join('grace');
  lab.clock.advance(STEP_MS);
  const session = sessionOf(await lab.finish(await lab.begin('grace'), code()));
  assert.equal((await lab.call('GET', '/v1/devices', { session })).status, 200);
  const again = await lab.finish(await lab.begin('grace'), code());
  assert.equal(await codeOf(again), 'E_OPERATE_SIGN_IN');
  lab.clock.advance(STEP_MS);
  assert.equal((await lab.finish(await lab.begin('grace'), code())).status, 200);
  const signIns = lab.recorded.filter(({ action }) => action === 'person.sign-in');
  assert.deepEqual(
    signIns.map(({ facts }) => facts),
    [{ by: 'totp' }, { by: 'totp' }],
  );
});

test('the second step is for five minutes and five codes', async (t) => {
  const lab = openPeopleApiLab(t);
  const { code } = await lab.join('grace');
  lab.clock.advance(STEP_MS);
  const tried = await lab.begin('grace');
  for (let i = 0; i < 5; i++) assert.equal((await lab.finish(tried, '000000')).status, 401);
  assert.equal((await lab.finish(tried, code())).status, 401);
  const late = await lab.begin('grace');
  lab.clock.advance(5 * MINUTE_MS);
  assert.equal((await lab.finish(late, code())).status, 401);
  const inTime = await lab.begin('grace');
  lab.clock.advance(5 * MINUTE_MS - 1);
  assert.equal((await lab.finish(inTime, code())).status, 200);
  assert.equal((await lab.finish(inTime, code())).status, 401, 'a sign-in is finished once');
});

test('each recovery code counts once, and new ones void the old ones', async (t) => {
  const lab = openPeopleApiLab(t);
  const { recoveryCodes } = await lab.join('grace');
  assert.equal(recoveryCodes.length, 10);
  const [one = '', two = '', three = ''] = recoveryCodes;
  const typed = one.toLowerCase().replaceAll('-', ' ');
  const session = sessionOf(await lab.finish(await lab.begin('grace'), typed));
  assert.equal((await lab.finish(await lab.begin('grace'), one)).status, 401);
  assert.equal((await lab.finish(await lab.begin('grace'), two)).status, 200);
  const renewed = await lab.call('POST', '/v1/me/recovery-codes', { session });
  assert.equal(renewed.status, 201);
  assert.equal((await lab.finish(await lab.begin('grace'), three)).status, 401);
  const text = JSON.stringify([lab.recorded, lab.reports, lab.logLines]);
  assert.ok(!text.includes(one) && !text.includes(three), 'a recovery code is told');
});

test('a passkey is added, signs in, and is shown again', async (t) => {
  const lab = openPeopleApiLab(t);
  const invited = await lab.redeem((await lab.invite('grace')).code);
  const passkey = await lab.addPasskey(invited);
  assert.equal((await lab.call('GET', '/v1/devices', { session: invited })).status, 200);

  const options = await lab.call('POST', '/v1/sign-in/passkey/options');
  const body = { credential: passkey.get((await options.json()) as { challenge: string }) };
  const answer = await lab.call('POST', '/v1/sign-in/passkey', { body });
  const session = sessionOf(answer);
  assert.equal((await lab.call('POST', '/v1/sign-in/passkey', { body })).status, 401);

  lab.clock.advance(5 * MINUTE_MS);
  const begin = () => lab.call('POST', '/v1/me/passkey-options', { session });
  assert.equal(await codeOf(await begin()), 'E_OPERATE_STEP_UP');
  const again = await lab.call('POST', '/v1/step-up/options', { session });
  const shown = { credential: passkey.get((await again.json()) as { challenge: string }) };
  const me = await lab.call('POST', '/v1/step-up', { session, body: shown });
  assert.deepEqual(
    ((await me.json()) as { steppedUpAt: string }).steppedUpAt,
    new Date(lab.clock.ms).toISOString(),
  );
  assert.equal((await begin()).status, 200);
  lab.clock.advance(5 * MINUTE_MS - 1);
  assert.equal((await begin()).status, 200);
  lab.clock.advance(1);
  assert.equal((await begin()).status, 403);
});

test('what one session has begun or shown counts in no other', async (t) => {
  const lab = openPeopleApiLab(t);
  const first = await lab.redeem((await lab.invite('grace')).code);
  const passkey = await lab.addPasskey(first);
  const signIn = async () => {
    const options = await lab.call('POST', '/v1/sign-in/passkey/options');
    const credential = passkey.get((await options.json()) as { challenge: string });
    return sessionOf(await lab.call('POST', '/v1/sign-in/passkey', { body: { credential } }));
  };
  const other = await signIn();
  const options = await lab.call('POST', '/v1/step-up/options', { session: other });
  const credential = passkey.get((await options.json()) as { challenge: string });
  const stolen = await lab.call('POST', '/v1/step-up', { session: first, body: { credential } });
  assert.equal(await codeOf(stolen), 'E_OPERATE_SIGN_IN');
});

test('a token changes nothing of how a person signs in', async (t) => {
  const lab = openPeopleApiLab(t);
  const { token } = await lab.createToken((await lab.join('grace')).session);
  for (const [path, body] of [
    ['/v1/me/password', { password: PASSWORD }],
    ['/v1/me/totp', {}],
    ['/v1/me/passkey-options', {}],
    ['/v1/me/recovery-codes', {}],
    ['/v1/step-up', { code: '000000' }],
  ] as const) {
    for (const credential of [token, lab.localToken]) {
      const answer = await lab.call('POST', path, { token: credential, body });
      assert.equal(await codeOf(answer), 'E_OPERATE_FORBIDDEN', path);
    }
  }
});

test('the last way to sign in cannot be taken away', async (t) => {
  const lab = openPeopleApiLab(t);
  const { session } = await lab.join('grace');
  const refused = await lab.call('DELETE', '/v1/me/totp', { session });
  assert.equal(await codeOf(refused), 'E_OPERATE_CONFLICT');
  await lab.addPasskey(session);
  assert.equal((await lab.call('DELETE', '/v1/me/totp', { session })).status, 204);
  const factors = await lab.call('GET', '/v1/me/factors', { session });
  const { passkeys } = (await factors.json()) as { passkeys: { id: string }[] };
  const path = `/v1/me/passkeys/${passkeys[0]?.id}`;
  assert.equal(await codeOf(await lab.call('DELETE', path, { session })), 'E_OPERATE_CONFLICT');
  const absent = '/v1/me/passkeys/0123456789abcdef';
  assert.equal((await lab.call('DELETE', absent, { session })).status, 404);
});

test('a new password ends the other sessions', async (t) => {
  const lab = openPeopleApiLab(t);
  const { session, code } = await lab.join('grace');
  lab.clock.advance(STEP_MS);
  const other = sessionOf(await lab.finish(await lab.begin('grace'), code()));
  const body = { password: 'another horse battery' };
  assert.equal((await lab.call('POST', '/v1/me/password', { session: other, body })).status, 204);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 401);
  assert.equal((await lab.call('GET', '/v1/me', { session: other })).status, 200);
  assert.equal((await lab.password('grace')).status, 401);
});

/** Addresses that no two attempts share, so that only the name counts. */
function addresses(): () => string {
  let count = 0;
  return () => `198.51.100.${++count}`;
}

test('a name that is guessed at waits longer and longer, whoever it belongs to', async (t) => {
  const lab = openPeopleApiLab(t);
  await lab.join('grace');
  const next = addresses();
  for (const name of ['grace', 'nobody']) {
    const wrong = () => lab.password(name, { password: 'wrong', address: next() });
    for (let i = 0; i < SIGN_IN_WRONG_MAX; i++) assert.equal((await wrong()).status, 401);
    assert.equal((await wrong()).status, 429, name);
  }
  lab.clock.advance(30_000 - 1);
  assert.equal((await lab.password('grace', { address: next() })).status, 429);
  lab.clock.advance(1);
  assert.equal((await lab.password('grace', { address: next() })).status, 202);
  let held = 30_000;
  for (let i = 0; i < 8; i++) {
    while ((await lab.password('grace', { password: 'wrong', address: next() })).status === 401);
    const before = held;
    held = 0;
    while ((await lab.password('grace', { address: next() })).status === 429) {
      lab.clock.advance(1_000);
      held += 1_000;
    }
    assert.ok(held > before || held >= SIGN_IN_HOLD_MS_MAX - 1_000, `${held} after ${before}`);
    assert.ok(held <= SIGN_IN_HOLD_MS_MAX);
  }
});

test('wrong passwords of others lock out neither a known browser nor a passkey', async (t) => {
  const lab = openPeopleApiLab(t);
  const { session, code } = await lab.join('grace');
  const passkey = await lab.addPasskey(session);
  lab.clock.advance(STEP_MS);
  const browser = { 'sec-fetch-site': 'same-origin' };
  const pending = await lab.begin('grace');
  const body = { pending, code: code() };
  const signedIn = await lab.call('POST', '/v1/sign-in/code', { body, headers: browser });
  const cookie = /__Host-holdfast-browser=[\w-]+/.exec(
    signedIn.headers.get('set-cookie') ?? '',
  )?.[0];
  assert.ok(cookie !== undefined);

  for (let i = 0; i < 40; i++) await lab.password('grace', { password: 'wrong' });
  assert.equal((await lab.password('grace')).status, 429);
  assert.equal((await lab.password('grace', { headers: { cookie } })).status, 202);
  const options = await lab.call('POST', '/v1/sign-in/passkey/options');
  const credential = passkey.get((await options.json()) as { challenge: string });
  const byPasskey = await lab.call('POST', '/v1/sign-in/passkey', { body: { credential } });
  assert.equal(byPasskey.status, 200);

  // It is a browser of grace, and of nobody else; and it has an account of its own.
  for (let i = 0; i < SIGN_IN_WRONG_MAX; i++) await lab.password('ada', { password: 'wrong' });
  assert.equal((await lab.password('ada', { headers: { cookie } })).status, 429);
  const wrong = () => lab.password('grace', { password: 'wrong', headers: { cookie } });
  for (let i = 0; i < SIGN_IN_WRONG_MAX; i++) assert.equal((await wrong()).status, 401);
  assert.equal((await wrong()).status, 429);
});

test('guesses at once are no more than guesses in a row', async (t) => {
  const lab = openPeopleApiLab(t);
  await lab.join('grace');
  const next = addresses();
  const wrong = () => lab.password('grace', { password: 'wrong', address: next() });
  const answers = await Promise.all(Array.from({ length: SIGN_IN_WRONG_MAX + 5 }, wrong));
  const looked = answers.filter(({ status }) => status === 401);
  assert.equal(looked.length, SIGN_IN_WRONG_MAX);
  assert.equal((await wrong()).status, 429);
});

test('right passwords at once hold nobody off', async (t) => {
  const lab = openPeopleApiLab(t);
  await lab.join('grace');
  const next = addresses();
  const right = () => lab.password('grace', { address: next() });
  for (let i = 0; i < 2 * SIGN_IN_WRONG_MAX; i++) assert.equal((await right()).status, 202);
  const few = await Promise.all(Array.from({ length: SIGN_IN_WRONG_MAX }, right));
  assert.ok(few.every(({ status }) => status === 202));
});

test('an open browser of an OpenID provider becomes nobody’s passkey [E_OPERATE_STEP_UP]', async (t) => {
  const lab = openPeopleApiLab(t);
  const identity = { issuer: 'https://id.example', subject: '1', name: 'olga', role: 'viewer' };
  const olga = present(lab.people.oidc.personOf({ ...identity, role: 'viewer' }));
  const facts = { by: 'oidc', address: '192.0.2.1' } as const;
  const signIn = () => lab.people.startSession(olga, facts).id.expose();
  const session = signIn();
  const add = (as: string) => lab.call('POST', '/v1/me/passkey-options', { session: as });
  lab.clock.advance(5 * MINUTE_MS - 1);
  assert.equal((await add(session)).status, 200);
  lab.clock.advance(1);
  assert.equal(await codeOf(await add(session)), 'E_OPERATE_STEP_UP');
  for (const [path, body] of [
    ['/v1/me/password', { password: PASSWORD }],
    ['/v1/me/totp', {}],
  ] as const) {
    assert.equal((await lab.call('POST', path, { session, body })).status, 403, path);
  }
  assert.equal((await add(signIn())).status, 200, 'a new sign-in there stands in for it');
});

test('codes are guessed at no faster than passwords, and by no other route', async (t) => {
  const lab = openPeopleApiLab(t);
  const { session } = await lab.join('grace');
  const stepUp = () => lab.call('POST', '/v1/step-up', { session, body: { code: '000000' } });
  for (let i = 0; i < SIGN_IN_WRONG_MAX; i++) assert.equal((await stepUp()).status, 401);
  assert.equal((await stepUp()).status, 429);
  assert.equal((await lab.password('grace', { address: '198.51.100.9' })).status, 429);
});

test('a stranger learns what ways in there are', async (t) => {
  const { call } = openPeopleApiLab(t);
  const methods = await (await call('GET', '/v1/sign-in/methods')).json();
  assert.deepEqual(methods, {
    origin: ORIGIN,
    hasOidc: false,
    isSignedIn: false,
    passkeyHost: 'server.example',
  });
});
