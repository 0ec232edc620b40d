/** Goal: a request under way gives nothing to somebody who is cut off while it is recorded. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { PASSWORD } from './lab.testing.ts';
import { type PeopleApiLab, openPeopleApiLab } from './people-lab.testing.ts';

/** Takes everything away from grace in the moment in which this act is recorded. */
function cutOffDuring(lab: PeopleApiLab, action: string): void {
  const push = lab.recorded.push.bind(lab.recorded);
  lab.recorded.push = (...acts) => {
    const person = lab.people.byName('grace');
    if (acts.some((act) => act.action === action) && person !== undefined) {
      lab.people.membership.clearFactors(person);
      lab.people.endAccessOf(person);
    }
    return push(...acts);
  };
}

async function graceOf(
  t: TestContext,
  action: string,
): Promise<PeopleApiLab & { session: string }> {
  const lab = openPeopleApiLab(t);
  const { session } = await lab.join('grace');
  cutOffDuring(lab, action);
  return { ...lab, session };
}

test('no API token', async (t) => {
  const { call, people, session } = await graceOf(t, 'token.create');
  const body = { label: 'x' };
  assert.equal((await call('POST', '/v1/tokens', { session, body })).status, 401);
  assert.deepEqual(people.tokens(), []);
});

test('no password', async (t) => {
  const { call, people, session } = await graceOf(t, 'person.set-password');
  const body = { password: 'another long password' };
  assert.equal((await call('POST', '/v1/me/password', { session, body })).status, 401);
  assert.equal(people.byName('grace')?.password, undefined);
});

test('no authenticator app', async (t) => {
  const { addApp, people, session } = await graceOf(t, 'person.add-totp');
  await assert.rejects(addApp(session));
  assert.equal(people.byName('grace')?.totp, undefined);
});

test('no passkey', async (t) => {
  const { addPasskey, people, session } = await graceOf(t, 'person.add-passkey');
  await assert.rejects(addPasskey(session));
  assert.deepEqual(people.byName('grace')?.passkeys, []);
});

test('no recovery codes', async (t) => {
  const { call, people, session } = await graceOf(t, 'person.recovery-codes');
  assert.equal((await call('POST', '/v1/me/recovery-codes', { session })).status, 401);
  assert.deepEqual(people.byName('grace')?.recoveryCodes, []);
});

test('no session by the password of before', async (t) => {
  const lab = openPeopleApiLab(t);
  const { code } = await lab.join('grace');
  lab.clock.advance(30_000);
  const pending = await lab.begin('grace');
  cutOffDuring(lab, 'person.sign-in');
  assert.equal((await lab.finish(pending, code())).status, 401);
  assert.deepEqual(lab.people.sessions('person:grace'), []);
  assert.equal((await lab.password('grace', { password: PASSWORD })).status, 401);
});
