import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PeopleLab, codeOf, openPeopleLab, present } from './people-lab.testing.ts';
import type { Person } from './people-records.ts';

const PASSWORD = 'correct horse battery';
const FIRST = { by: 'first-code', address: '192.0.2.1' } as const;
const recorded = (): Promise<void> => Promise.resolve();

async function addAda({ people }: PeopleLab): Promise<Person> {
  const code = present(people.renewFirstCode()).expose();
  return present(
    await people.addFirstOperator({ code, name: 'ada', password: PASSWORD }, recorded),
  );
}

test('an operator is known after a restart, and then there is no first code', async (t) => {
  const lab = openPeopleLab(t);
  await addAda(lab);
  const people = lab.restart();
  assert.equal(people.renewFirstCode(), undefined);
  const operator = present(await people.checkPassword({ name: 'ada', password: PASSWORD }));
  assert.equal(operator.role, 'administrator');
});

test('the store has the hash of a password, its parameters and its salt, never itself', async (t) => {
  const lab = openPeopleLab(t);
  const password = present((await addAda(lab)).password);
  assert.equal(password.algorithm, 'argon2id');
  assert.match(password.salt, /^[0-9a-f]{32}$/);
  assert.match(password.hash, /^[0-9a-f]{64}$/);
  assert.ok(password.memoryKiB >= 19_456 && password.passes >= 2); // OWASP's minimum
});

test('a wrong password and an unknown name are one refusal to whoever tries', async (t) => {
  const lab = openPeopleLab(t);
  await addAda(lab);
  const check = (name: string, password: string) => lab.people.checkPassword({ name, password });
  for (const password of ['', `${PASSWORD} `, PASSWORD.toUpperCase(), 'x'.repeat(128)]) {
    assert.equal(codeOf(await check('ada', password)), 'E_OPERATE_SIGN_IN');
  }
  for (const name of ['eve', 'Ada', 'ada ', '', '__proto__', 'person:ada']) {
    assert.equal(codeOf(await check(name, PASSWORD)), 'E_OPERATE_SIGN_IN');
  }
});

test('the code is void while its use is recorded, and stays so when that fails', async (t) => {
  const { people, restart } = openPeopleLab(t);
  const code = present(people.renewFirstCode()).expose();
  const wish = { code, name: 'ada', password: PASSWORD };
  const failure = people.addFirstOperator(wish, () => Promise.reject(new Error('disk')));
  await assert.rejects(failure, /disk/);
  assert.equal(codeOf(await people.addFirstOperator(wish, recorded)), 'E_OPERATE_SIGN_IN');
  assert.equal(codeOf(await people.checkPassword(wish)), 'E_OPERATE_SIGN_IN');
  assert.notEqual(restart().renewFirstCode(), undefined);
});

test('a session id is the credential, and its hash is not', async (t) => {
  const lab = openPeopleLab(t);
  const { id, caller } = lab.people.startSession(await addAda(lab), FIRST);
  assert.deepEqual(lab.people.callerOfSession(id.expose()), caller);
  assert.equal(lab.people.callerOfSession(caller.credentialHash), undefined);
  assert.equal(lab.people.callerOfToken(id.expose()), undefined);
  assert.equal(String(id), '[redacted]');
  assert.equal(lab.restart().callerOfSession(id.expose()), undefined);
});

test('until when a credential counts', async (t) => {
  const lab = openPeopleLab(t);
  const { people, clock } = lab;
  const { id, caller } = people.startSession(await addAda(lab), FIRST);
  const startMs = clock.ms;
  assert.equal(people.liveUntilMs(caller), startMs + 30 * 60_000);
  clock.ms += 60_000;
  assert.equal(people.liveUntilMs(caller), startMs + 30 * 60_000, 'asking used the session');
  people.callerOfSession(id.expose());
  assert.equal(people.liveUntilMs(caller), clock.ms + 30 * 60_000);
  people.endSession(caller);
  assert.equal(people.liveUntilMs(caller), 0);

  const wish = { label: 'lab', lifeMs: 5_000 };
  const { token, record } = present(await people.createToken(caller, wish, recorded));
  const tokenCaller = present(people.callerOfToken(token.expose()));
  assert.equal(people.liveUntilMs(tokenCaller), clock.ms + 5_000);
  people.removeToken(record.id);
  assert.equal(people.liveUntilMs(tokenCaller), 0);

  const local = present(people.callerOfToken(people.renewLocalToken().expose()));
  assert.equal(people.liveUntilMs(local), Infinity);
  people.renewLocalToken();
  assert.equal(people.liveUntilMs(local), 0);
});

test('there is one local token at a time, and it is that of this process', async (t) => {
  const { people, restart } = openPeopleLab(t);
  const first = people.renewLocalToken().expose();
  assert.deepEqual(
    [people.callerOfToken(first)?.principal, people.callerOfToken(first)?.credential],
    ['local', 'local'],
  );
  const second = people.renewLocalToken().expose();
  assert.equal(people.callerOfToken(first), undefined);
  assert.notEqual(people.callerOfToken(second), undefined);
  assert.equal(restart().callerOfToken(second), undefined);
});

test('a token is kept once its act is recorded, and survives a restart until it ends', async (t) => {
  const lab = openPeopleLab(t);
  const { people, clock } = lab;
  const { caller } = people.startSession(await addAda(lab), FIRST);
  const wish = { label: 'lab', lifeMs: 1_000 };
  const failure = people.createToken(caller, wish, () => Promise.reject(new Error('disk')));
  await assert.rejects(failure, /disk/);
  assert.deepEqual(people.tokens(), []);
  const { promise, resolve } = Promise.withResolvers<void>();
  const creating = people.createToken(caller, wish, () => promise);
  assert.deepEqual(people.tokens(), []);
  resolve();
  const { token, record } = present(await creating);
  assert.deepEqual(people.tokens(), [record]);
  const restarted = lab.restart();
  assert.equal(restarted.callerOfToken(token.expose())?.principal, 'person:ada');
  clock.ms += 1_000;
  assert.equal(restarted.callerOfToken(token.expose()), undefined);
  assert.equal(codeOf(restarted.removeToken(record.id)), 'E_OPERATE_NOT_FOUND');
});

test('a removed token stays removed after a restart', async (t) => {
  const lab = openPeopleLab(t);
  const { caller } = lab.people.startSession(await addAda(lab), FIRST);
  const wish = { label: 'lab', lifeMs: 60_000 };
  const { token, record } = present(await lab.people.createToken(caller, wish, recorded));
  assert.deepEqual(lab.people.removeToken(record.id), record);
  assert.equal(lab.people.callerOfToken(token.expose()), undefined);
  assert.equal(lab.restart().callerOfToken(token.expose()), undefined);
});

test('a password that is being checked while it is reset lets nobody in', async (t) => {
  const lab = openPeopleLab(t);
  const ada = await addAda(lab);
  const { people } = lab;
  const checking = () => people.checkPassword({ name: 'ada', password: PASSWORD });
  assert.equal(present(await checking()).name, 'ada');
  const reset = checking();
  present(people.membership.clearFactors(ada));
  assert.equal(codeOf(await reset), 'E_OPERATE_SIGN_IN');
});

test('a person who was made anew under the same name is not who signed in', async (t) => {
  const lab = openPeopleLab(t);
  const { people, clock } = lab;
  await addAda(lab);
  const { person } = present(people.membership.invite({ name: 'bob', role: 'viewer' }));
  assert.equal(present(people.stillOf(person)).name, 'bob');
  present(people.membership.remove(person));
  assert.equal(codeOf(people.stillOf(person)), 'E_OPERATE_SIGN_IN');
  clock.ms += 1;
  present(people.membership.invite({ name: 'bob', role: 'viewer' }));
  assert.equal(codeOf(people.stillOf(person)), 'E_OPERATE_SIGN_IN');
});
