import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { codeOf, openPeopleLab, present } from './people-lab.testing.ts';
import type { Person } from './people-records.ts';

test('an operator of the first version is a person with a password and nothing else', async (t) => {
  const { store, restart, people } = openPeopleLab(t);
  const code = present(people.renewFirstCode()).expose();
  const wish = { code, name: 'ada', password: 'correct horse battery' };
  const made: Person = present(await people.addFirstOperator(wish, () => Promise.resolve()));
  const { name, role, password, createdAtMs } = made;
  store.collection('operator', z.unknown()).write(name, { name, role, password, createdAtMs });
  const restarted = restart();
  assert.deepEqual(restarted.byName('ada'), made);
  assert.equal(present<Person>(await restarted.checkPassword(wish)).name, 'ada');
});

test('a name is taken in every case of its letters', (t) => {
  const { people } = openPeopleLab(t);
  present(people.membership.invite({ name: 'Ada', role: 'viewer' }));
  for (const name of ['Ada', 'ada', 'ADA']) {
    const again = people.membership.invite({ name, role: 'administrator' });
    assert.equal(codeOf(again), 'E_OPERATE_CONFLICT', name);
  }
});

test('what was given is there after a restart, and what was used is used', (t) => {
  const { people, restart } = openPeopleLab(t);
  const { person, code } = present(people.membership.invite({ name: 'ada', role: 'viewer' }));
  const [first] = present(people.factors.renewRecoveryCodes(person));
  const text = present(first).expose();
  const again = restart();
  assert.equal(again.factors.useCode(person, text), 'recovery-code');
  present(again.membership.redeem(code.expose()));
  const third = restart();
  assert.equal(codeOf(third.factors.useCode(person, text)), 'E_OPERATE_SIGN_IN');
  assert.equal(codeOf(third.membership.redeem(code.expose())), 'E_OPERATE_SIGN_IN');
});

test('an administrator who is disabled or has not come yet does not count as one', (t) => {
  const { people } = openPeopleLab(t);
  const { membership, factors } = people;
  const add = (name: string): Person => {
    const { person } = present(membership.invite({ name, role: 'administrator' }));
    const passkey = {
      id: name,
      publicKey: '',
      counter: 0,
      transports: [],
      isSynced: false,
      name,
      createdAtMs: 0,
    };
    return present(factors.addPasskey(person, passkey));
  };
  const ada = add('ada');
  present(membership.invite({ name: 'new', role: 'administrator' }));
  assert.equal(codeOf(membership.disable(ada)), 'E_OPERATE_CONFLICT');
  const bob = add('bob');
  present(membership.disable(ada));
  assert.equal(codeOf(membership.setRole(bob, 'viewer')), 'E_OPERATE_CONFLICT');
  present(membership.enable(ada));
  present(membership.setRole(bob, 'viewer'));
});
