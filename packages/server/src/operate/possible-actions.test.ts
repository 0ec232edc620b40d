import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLab } from './lab.testing.ts';
import { PossibleActions } from './possible-actions.ts';

test('what somebody might do is found out once for a policy, a role and a scope', async (t) => {
  const { authorizer } = openLab(t).deps.policies;
  const possible = new PossibleActions({ authorizer });
  let asked = 0;
  const access = {
    possibleActions: () => {
      asked += 1;
      return Promise.resolve([]);
    },
  };
  const ann = { principal: 'person:ann', role: 'viewer' } as const;
  await Promise.all([possible.of(ann, access), possible.of(ann, access)]);
  assert.equal(asked, 1);
  await possible.of({ ...ann, scope: { group: 'north' } }, access);
  assert.equal(asked, 2);
  await possible.of({ ...ann, role: 'operator' }, access);
  assert.equal(asked, 3);
  authorizer.announceChange();
  await possible.of(ann, access);
  assert.equal(asked, 4);
});

test('a failure is told to those who waited, and tried anew for the next', async (t) => {
  const possible = new PossibleActions(openLab(t).deps.policies);
  const ann = { principal: 'person:ann', role: 'viewer' } as const;
  const fails = { possibleActions: () => Promise.reject(new Error('no')) };
  await assert.rejects(possible.of(ann, fails), /no/u);
  const works = { possibleActions: () => Promise.resolve(['self:read' as const]) };
  assert.deepEqual(await possible.of(ann, works), ['self:read']);
});
