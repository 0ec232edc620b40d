import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { ROLE_NAMES, type RoleName } from '../registry/index.ts';
import { ACTIONS, ACTION_NAMES, type ApiAction, actionDeclaration } from './actions.ts';
import { Authorizer } from './authorizer.ts';
import { deviceResource, factsOf, personOf } from './lab.testing.ts';
import { checkPolicyText } from './policy-text.ts';
import type { DecisionContext, Principal, Resource } from './subjects.ts';
import { parsePrincipal, parseResource } from './terms.ts';
import { DEFAULT_POLICY, RECOVERY_POLICY } from './versions.ts';

const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} };
const STEPPED_UP: DecisionContext = { steppedUp: true, secondPerson: false };

function authorizerOf(text: string): Authorizer {
  const authorizer = new Authorizer({ clock });
  authorizer.activate(text);
  return authorizer;
}

const authorizer = authorizerOf(DEFAULT_POLICY);

function may(principal: Principal, action: ApiAction, context?: DecisionContext): boolean {
  const { on } = actionDeclaration(action);
  const resource: Resource =
    on === 'device'
      ? deviceResource('pump-1')
      : on === 'self'
        ? { kind: 'person', id: principal.kind === 'person' ? principal.id : '' }
        : { kind: 'server' };
  return authorizer.decide({ principal, action, resource, context }).isPermitted;
}

/** What each role may do on the things of others. */
function rightsOf(role: RoleName): ApiAction[] {
  return ACTION_NAMES.filter((action) => ACTIONS[action].on !== 'self').filter((action) =>
    may(personOf(role), action, STEPPED_UP),
  );
}

test('both policies that come with Holdfast keep to the schema', () => {
  assert.deepEqual(checkPolicyText(DEFAULT_POLICY), []);
  assert.deepEqual(checkPolicyText(RECOVERY_POLICY), []);
});

test('the default policy can be read on two pages', () => {
  assert.ok(DEFAULT_POLICY.split('\n').length <= 140);
});

test('the rules of the guide keep to the schema', () => {
  const path = join(import.meta.dirname, '../../../../docs/guides/roles-and-policy.md');
  const blocks = [...readFileSync(path, 'utf8').matchAll(/^```cedar\n(.*?)^```/gms)];
  assert.ok(blocks.length >= 2);
  for (const [, text = ''] of blocks) assert.deepEqual(checkPolicyText(text), []);
});

test('an administrator may do everything, and an auditor reads everything', () => {
  const others = ACTION_NAMES.filter((action) => ACTIONS[action].on !== 'self');
  assert.deepEqual(rightsOf('administrator'), others);
  const reads = others.filter((action) => actionDeclaration(action).groups.includes('reads'));
  assert.deepEqual(rightsOf('auditor'), reads);
});

test('the other roles may do what their names say, and no more', () => {
  assert.deepEqual(rightsOf('viewer'), ['device:read', 'server:read']);
  assert.ok(!rightsOf('operator').includes('device:revoke'));
  assert.ok(rightsOf('operator').includes('device:command'));
  assert.ok(!rightsOf('installer').includes('device:command'));
  assert.ok(rightsOf('installer').includes('device:claim'));
  assert.ok(rightsOf('security-officer').includes('device:revoke'));
  assert.ok(!rightsOf('security-officer').includes('device:command'));
  for (const role of ROLE_NAMES.filter((each) => each !== 'administrator')) {
    const rights = rightsOf(role);
    for (const action of ['policy:set', 'person:manage', 'ca:rotate'] as const) {
      assert.ok(!rights.includes(action), `${role} ${action}`);
    }
  }
});

test('everybody manages what is their own, and nobody what is of another person', () => {
  for (const role of ROLE_NAMES) {
    assert.ok(may(personOf(role), 'token:manage'), role);
    const resource: Resource = { kind: 'person', id: 'person:eve' };
    if (role === 'administrator') continue;
    const principal = personOf(role);
    const decision = authorizer.decide({ principal, action: 'token:manage', resource });
    assert.equal(decision.isPermitted, false, role);
  }
});

test('a dangerous act asks for the second factor, even of an administrator', () => {
  const dangerous = ACTION_NAMES.filter((each) =>
    actionDeclaration(each).groups.includes('dangerous'),
  );
  assert.ok(dangerous.includes('policy:set'));
  for (const action of dangerous) {
    assert.equal(may(personOf('administrator'), action), false, action);
    assert.equal(may(personOf('administrator'), action, STEPPED_UP), true, action);
  }
});

test('an app reads, commands and gives away the devices of its owner, and does nothing else', () => {
  const app: Principal = { kind: 'app', id: 'a1', owner: 'owner:x' };
  const own = deviceResource('pump-1', { owner: 'owner:x' });
  for (const resource of [
    deviceResource('pump-2', { owner: 'owner:y' }),
    deviceResource('pump-3'),
  ]) {
    const decision = authorizer.decide({ principal: app, action: 'device:read', resource });
    assert.equal(decision.isPermitted, false);
  }
  const done = ACTION_NAMES.filter(
    (action) =>
      authorizer.decide({ principal: app, action, resource: own, context: STEPPED_UP }).isPermitted,
  );
  assert.deepEqual(done, ['device:command', 'device:consent', 'device:give-away', 'device:read']);
});

test('the recovery policy lets in who holds the data folder, and nobody else', () => {
  const recovery = authorizerOf(RECOVERY_POLICY);
  const local: Principal = { kind: 'person', id: 'local', role: 'administrator' };
  const request = { action: 'policy:set', resource: { kind: 'server' } } as const;
  assert.equal(recovery.decide({ principal: local, ...request }).isPermitted, true);
  const ada = personOf('administrator');
  assert.equal(recovery.decide({ principal: ada, ...request }).isPermitted, false);
});

test('nothing is permitted before a policy is in force', () => {
  const none = new Authorizer({ clock });
  const principal = personOf('administrator');
  const resource = deviceResource('pump-1');
  assert.equal(none.decide({ principal, action: 'device:read', resource }).isPermitted, false);
  const wildcard = {
    principal,
    action: 'device:read',
    resourceOf: (device: ReturnType<typeof factsOf>): Resource => ({ kind: 'device', device }),
  } as const;
  assert.equal(none.isPermittedForEvery(wildcard), false);
  assert.equal(none.isPermittedForSome(wildcard), false);
});

test('who and what are written as people say it', () => {
  const world = {
    deviceOf: (id: string) => (id === 'pump-1' ? factsOf(id) : undefined),
    roleOf: (id: string) => (id === 'person:ada' ? ('operator' as const) : undefined),
  };
  const ada = parsePrincipal('person:ada', world);
  assert.deepEqual(ada, { kind: 'person', id: 'person:ada', role: 'operator' });
  assert.deepEqual(parsePrincipal('role:viewer', world), {
    kind: 'person',
    id: 'person:',
    role: 'viewer',
  });
  assert.deepEqual(parsePrincipal('device:pump-1', world), {
    kind: 'device',
    device: { ...factsOf('pump-1'), owner: undefined },
  });
  const inWorld = { world, principal: personOf('viewer') };
  assert.deepEqual(parseResource('topic:pump-1/cmd', inWorld), {
    kind: 'topic',
    part: 'cmd',
    device: { ...factsOf('pump-1'), owner: undefined },
  });
  assert.deepEqual(parseResource('device:new[class=gateway,group=north,owner=o]', inWorld), {
    kind: 'device',
    device: { id: 'new', class: 'gateway', state: 'active', group: 'north', owner: 'o' },
  });
  for (const wrong of ['device:none', 'person:eve', 'role:king', 'class:toaster', 'x', '']) {
    const refusal = parsePrincipal(wrong, world);
    assert.ok(refusal instanceof Refusal && refusal.code === 'E_POLICY_TERM', wrong);
  }
  for (const wrong of ['topic:pump-1/x', 'device:pump-1[state=odd]', 'servers']) {
    assert.ok(parseResource(wrong, inWorld) instanceof Refusal, wrong);
  }
});
