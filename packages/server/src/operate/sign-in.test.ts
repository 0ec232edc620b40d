import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Lab,
  type LabRequest,
  PASSWORD,
  codeOf,
  openLab,
  present,
  sessionOf,
} from './lab.testing.ts';
import { FAILED_ATTEMPTS_PER_MINUTE_MAX } from './limits.ts';

const MINUTE_MS = 60_000;

function signIn(lab: Lab, request: LabRequest & { password?: string } = {}): Promise<Response> {
  const { password = PASSWORD, ...rest } = request;
  return lab.call('POST', '/v1/sign-in', { body: { name: 'ada', password }, ...rest });
}

function signInFirst(lab: Lab, code: string, name = 'ada'): Promise<Response> {
  const body = { code, name, password: PASSWORD };
  return lab.call('POST', '/v1/sign-in/first', { body });
}

/** Uses up what an address may get wrong. The wrong codes cost no argon2id. */
async function failUntilHeldOff(lab: Lab, address: string): Promise<void> {
  const body = { code: 'XXXX', name: 'ada', password: PASSWORD };
  for (let i = 0; i < FAILED_ATTEMPTS_PER_MINUTE_MAX; i++) {
    const answer = await lab.call('POST', '/v1/sign-in/first', { body, address });
    assert.equal(answer.status, 401, `attempt ${i}`);
  }
}

test('the first code works once', async (t) => {
  const lab = openLab(t);
  const code = lab.people.renewFirstCode()?.expose() ?? '';
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
  assert.equal((await signInFirst(lab, code)).status, 201);
  const second = await signInFirst(lab, code, 'eve');
  assert.equal(second.status, 401);
  assert.equal(await codeOf(second), 'E_OPERATE_SIGN_IN');
  assert.equal(lab.people.renewFirstCode(), undefined);
  assert.equal(lab.recorded.length, 1);
});

test('of two who show the first code at once, one becomes the operator', async (t) => {
  const lab = openLab(t);
  const code = lab.people.renewFirstCode()?.expose() ?? '';
  const answers = await Promise.all(
    ['ada', 'eve', 'bob'].map((name) => signInFirst(lab, code, name)),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).sort((a, b) => a - b),
    [201, 401, 401],
  );
  assert.deepEqual(
    lab.recorded.map(({ action }) => action),
    ['person.first-sign-in'],
  );
});

test('a wrong code is refused, and the right one still works afterwards', async (t) => {
  const lab = openLab(t);
  const code = lab.people.renewFirstCode()?.expose() ?? '';
  for (const wrong of ['0000-0000-0000-0000', code.slice(1), `${code}0`, ' ']) {
    assert.equal((await signInFirst(lab, wrong)).status, 401, wrong);
  }
  const typed = ` ${code.toLowerCase().replaceAll('-', ' ')} `;
  assert.equal((await signInFirst(lab, typed)).status, 201);
});

test('a password that is too short or too long, and a bad name, cost no code', async (t) => {
  const lab = openLab(t);
  const code = lab.people.renewFirstCode()?.expose() ?? '';
  const wishes = [
    { name: 'ada', password: 'x'.repeat(11) },
    { name: 'ada', password: 'x'.repeat(129) },
    { name: '../ada', password: PASSWORD },
    { name: '', password: PASSWORD },
    { name: 'x'.repeat(65), password: PASSWORD },
  ];
  for (const wish of wishes) {
    const answer = await lab.call('POST', '/v1/sign-in/first', { body: { code, ...wish } });
    assert.equal(answer.status, 400);
    assert.ok(!(await answer.text()).includes(wish.password), 'the answer repeats the password');
  }
  const body = { code, name: 'x'.repeat(64), password: 'x'.repeat(128) };
  assert.equal((await lab.call('POST', '/v1/sign-in/first', { body })).status, 201);
});

test('a wrong password and an unknown name get one answer', async (t) => {
  const lab = openLab(t);
  await lab.signInFirst();
  const wrong = await signIn(lab, { password: 'wrong password' });
  const unknown = await signIn(lab, { body: { name: 'eve', password: PASSWORD } });
  assert.equal(wrong.status, 401);
  assert.equal(unknown.status, 401);
  assert.equal(await wrong.text(), await unknown.text());
  assert.deepEqual([...wrong.headers], [...unknown.headers]);
  assert.equal(wrong.headers.get('set-cookie'), null);
  // The operator learns which account is tried, but not what somebody took for a name.
  const details = lab.reports.map(({ refusal }) => refusal.detail);
  assert.deepEqual(details, ['the password of ada is wrong', 'nobody has this name']);
});

test('the cookie is for this host, over TLS, for no script and for no other site', async (t) => {
  const lab = openLab(t);
  await lab.signInFirst();
  const cookie = (await signIn(lab)).headers.get('set-cookie') ?? '';
  const [pair = '', ...attributes] = cookie.split('; ');
  assert.match(pair, /^__Host-holdfast=[\w-]{43}$/);
  assert.deepEqual(attributes.sort(), ['HttpOnly', 'Path=/', 'SameSite=Strict', 'Secure']);
});

test('signing out ends this session and no other', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const other = sessionOf(await signIn(lab));
  assert.equal((await lab.call('POST', '/v1/sign-out', { session })).status, 204);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 401);
  assert.equal((await lab.call('POST', '/v1/sign-out', { session })).status, 401);
  assert.equal((await lab.call('GET', '/v1/me', { session: other })).status, 200);
});

test('a session ends when it is idle for half an hour', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const isAlive = async () => (await lab.call('GET', '/v1/me', { session })).status === 200;
  lab.clock.advance(30 * MINUTE_MS - 1);
  assert.ok(await isAlive());
  lab.clock.advance(30 * MINUTE_MS - 1);
  assert.ok(await isAlive());
  lab.clock.advance(30 * MINUTE_MS);
  assert.ok(!(await isAlive()));
});

test('a session ends after twelve hours however busy it is', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const isAlive = async () => (await lab.call('GET', '/v1/me', { session })).status === 200;
  for (let quarters = 1; quarters < 12 * 4; quarters++) {
    lab.clock.advance(15 * MINUTE_MS);
    assert.ok(await isAlive(), `after ${quarters} quarters of an hour`);
  }
  lab.clock.advance(15 * MINUTE_MS - 1);
  assert.ok(await isAlive());
  lab.clock.advance(1);
  assert.ok(!(await isAlive()));
});

test('an address that fails too often waits, and its valid credentials go on to work', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const address = '192.0.2.7';
  await failUntilHeldOff(lab, address);
  const heldOff = await signIn(lab, { address });
  assert.equal(heldOff.status, 429);
  assert.equal(await codeOf(heldOff), 'E_OPERATE_RATE');
  const report = lab.reports.at(-1);
  assert.deepEqual([report?.refusal.code, report?.address], ['E_OPERATE_RATE', address]);
  const { localToken: token } = lab;
  assert.equal((await lab.call('GET', '/v1/me', { token, address })).status, 200);
  assert.equal((await lab.call('GET', '/v1/me', { session, address })).status, 200);
  assert.equal((await lab.call('GET', '/v1/me', { address })).status, 401);
  assert.equal((await signIn(lab, { address: '192.0.2.8' })).status, 200);
  lab.clock.advance(MINUTE_MS - 1);
  assert.equal((await signIn(lab, { address })).status, 429);
  lab.clock.advance(1);
  assert.equal((await signIn(lab, { address })).status, 200);
});

test('one failure below the limit, an address may still sign in', async (t) => {
  const lab = openLab(t);
  await lab.signInFirst();
  for (let i = 0; i < FAILED_ATTEMPTS_PER_MINUTE_MAX - 1; i++) await signInFirst(lab, 'XXXX');
  assert.equal((await signIn(lab)).status, 200);
  assert.equal((await signIn(lab, { password: 'wrong' })).status, 401);
  assert.equal((await signIn(lab)).status, 429);
});

test('the addresses of one IPv6 network count together', async (t) => {
  const lab = openLab(t);
  await lab.signInFirst();
  await failUntilHeldOff(lab, '2001:db8:1:2::1');
  assert.equal((await signIn(lab, { address: '2001:db8:1:2:ffff:ffff::9' })).status, 429);
  assert.equal((await signIn(lab, { address: '2001:db8:1:3::1' })).status, 200);
});

test('too many passwords at once are refused, and nobody is blamed for it', async (t) => {
  const lab = openLab(t);
  await lab.signInFirst();
  const others = { address: '198.51.100.7', body: { name: 'nobody', password: PASSWORD } };
  const answers = await Promise.all(
    Array.from({ length: 18 }, (_, n) =>
      n % 2 === 0 ? signIn(lab) : lab.call('POST', '/v1/sign-in', others),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status !== 429).length, 16);
  assert.equal(statuses.filter((status) => status === 429).length, 2);
  for (let i = 0; i < FAILED_ATTEMPTS_PER_MINUTE_MAX - 1; i++) await signInFirst(lab, 'XXXX');
  assert.equal((await signIn(lab)).status, 200);
});

test('without a password the first code opens only what sets up how to sign in', async (t) => {
  const lab = openLab(t);
  const code = lab.people.renewFirstCode()?.expose() ?? '';
  const body = { code, name: 'ada' };
  const answer = await lab.call('POST', '/v1/sign-in/first', { body });
  assert.equal(answer.status, 201);
  const session = sessionOf(answer);
  const me = (await answer.json()) as { needsSecondFactor?: boolean; steppedUpAt?: string };
  assert.equal(me.needsSecondFactor, true);
  assert.equal(me.steppedUpAt, undefined);
  for (const path of ['/v1/devices', '/v1/people', '/v1/server', '/v1/acts']) {
    const refused = await lab.call('GET', path, { session });
    assert.ok([403, 404].includes(refused.status), path);
  }
  const devices = await lab.call('GET', '/v1/devices', { session });
  assert.equal(await codeOf(devices), 'E_OPERATE_SECOND_FACTOR');
  assert.equal(
    (await lab.call('POST', '/v1/tokens', { session, body: { label: 'x' } })).status,
    403,
  );
  const own = await lab.call('GET', '/v1/me', { session });
  assert.deepEqual(((await own.json()) as { may: string[] }).may, []);
  assert.equal((await lab.call('GET', '/v1/me/factors', { session })).status, 200);
  assert.equal((await lab.call('POST', '/v1/me/passkey-options', { session })).status, 200);
  const again = await lab.call('POST', '/v1/sign-in/first', { body: { ...body, name: 'eve' } });
  assert.equal(again.status, 401, 'the code was good twice');
  // No password is none: an empty one does not sign in.
  assert.equal((await signIn(lab, { password: ' ' })).status, 401);
});

test('what a role might do is told to whoever asks who they are', async (t) => {
  const lab = openLab(t);
  const session = await lab.signInFirst();
  const mayOf = async (request: LabRequest): Promise<string[]> => {
    const answer = await lab.call('GET', '/v1/me', request);
    return ((await answer.json()) as { may: string[] }).may;
  };
  lab.clock.ms += 15 * MINUTE_MS;
  const administrator = await mayOf({ session });
  // A dangerous act counts, although the second factor would be asked for again.
  for (const action of ['device:read', 'device:claim', 'policy:set', 'person:manage']) {
    assert.ok(administrator.includes(action), action);
  }
  assert.ok(!administrator.some((action) => action.startsWith('self:')));
  const { person } = present(lab.people.membership.invite({ name: 'bob', role: 'viewer' }));
  const { id } = lab.people.startSession(person, { by: 'passkey', address: '192.0.2.1' });
  const viewer = await mayOf({ session: id.expose() });
  assert.deepEqual(viewer, ['device:read', 'server:read']);
});
