/** Goal: a token does what both its person and its scope may, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TokenScope } from '../registry/index.ts';
import { ACTIONS, ACTION_NAMES, actionDeclaration } from './actions.ts';
import { Authorizer } from './authorizer.ts';
import { factsOf, personOf } from './lab.testing.ts';
import type { DecisionContext, DeviceFacts, Principal, Resource } from './subjects.ts';
import { isInScope, unknownInScope } from './token-scope.ts';
import { DEFAULT_POLICY } from './versions.ts';

const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} };
const context: DecisionContext = { steppedUp: true, secondPerson: true };
const server: Resource = { kind: 'server' };
const deviceOf = (group: string): Resource => ({
  kind: 'device',
  device: factsOf('pump-1', { group }),
});
const resourceOf = (device: DeviceFacts): Resource => ({ kind: 'device', device });

function administrator(scope: TokenScope): Principal {
  const person = personOf('administrator');
  assert.ok(person.kind === 'person');
  return { ...person, scope };
}

function openAuthorizer(): Authorizer {
  const authorizer = new Authorizer({ clock });
  authorizer.activate(DEFAULT_POLICY);
  return authorizer;
}

test('a scope permits what it names, by action and by group of actions', () => {
  const authorizer = openAuthorizer();
  const may = (scope: TokenScope): string[] =>
    ACTION_NAMES.filter((action) => {
      const { on } = actionDeclaration(action);
      const own: Resource = { kind: 'person', id: 'person:ada' };
      const resource = on === 'self' ? own : on === 'server' ? server : deviceOf('north');
      const principal = administrator(scope);
      return authorizer.decide({ principal, action, resource, context }).isPermitted;
    }).toSorted();
  const reads = ACTION_NAMES.filter((each) => actionDeclaration(each).groups.includes('reads'));
  assert.deepEqual(may({ actions: ['reads'] }), [...reads, 'self:read'].toSorted());
  const some = ['device:command', 'policy:set', 'self:read'];
  assert.deepEqual(may({ actions: ['policy:set', 'device:command'] }), some);
  const onDevices = ACTION_NAMES.filter((action) => ACTIONS[action].on === 'device');
  assert.deepEqual(may({ group: 'north' }), [...onDevices, 'self:read'].toSorted());
  assert.deepEqual(may({ group: 'south' }), ['self:read']);
});

test('what a scope names is not permitted to whoever lacks the right to it', () => {
  const authorizer = openAuthorizer();
  const viewer = personOf('viewer');
  assert.ok(viewer.kind === 'person');
  const principal = { ...viewer, scope: { actions: ['device:command', 'reads'] } };
  const may = (action: 'device:command' | 'device:read' | 'audit:read'): boolean =>
    authorizer.decide({ principal, action, resource: deviceOf(''), context }).isPermitted;
  assert.deepEqual(
    [may('device:read'), may('device:command'), may('audit:read')],
    [true, false, false],
  );
});

test('what nobody knows is outside: fail closed', () => {
  const asked = { action: 'device:read', resource: deviceOf('north') } as const;
  assert.ok(isInScope({ actions: ['device:read'] }, asked));
  for (const scope of [
    {},
    { actions: [] },
    { actions: ['device:reads', 'Reads', '*', 'device'] },
    { actions: ['self'] },
    { actions: ['device:read'], group: '' },
  ]) {
    assert.ok(!isInScope(scope, asked), JSON.stringify(scope));
  }
  for (const action of ['publish', 'subscribe'] as const) {
    const resource = { kind: 'topic', part: 'telemetry' } as const;
    assert.ok(!isInScope({ actions: ['publish', 'subscribe'] }, { action, resource }));
  }
});

test('only what is on the server or a device can be named', () => {
  assert.equal(unknownInScope(['reads', 'dangerous', 'device:read', 'policy:set']), undefined);
  for (const name of ['self:read', 'self:secure', 'token:manage', 'approval:decide', 'read', '']) {
    assert.equal(unknownInScope(['reads', name]), name);
  }
});

test('a group is one that no rule mentions, and is never every device', () => {
  const authorizer = openAuthorizer();
  const ask = (scope: TokenScope) => {
    const question = { principal: administrator(scope), resourceOf, context } as const;
    const action = 'device:read';
    return [
      authorizer.isPermittedForSome({ ...question, action }),
      authorizer.isPermittedForEvery({ ...question, action }),
    ];
  };
  assert.deepEqual(ask({ actions: ['reads'] }), [true, true]);
  assert.deepEqual(ask({ actions: ['reads'], group: 'north' }), [true, false]);
  assert.deepEqual(ask({ actions: ['audit:read'] }), [false, false]);
});

test('a decision of a token is remembered for nobody else, and tried on no other policy', () => {
  const authorizer = openAuthorizer();
  const request = { action: 'device:command', resource: deviceOf('north'), context } as const;
  const whole = personOf('administrator');
  const scoped = administrator({ actions: ['reads'] });
  const may = (principal: Principal): boolean =>
    authorizer.decide({ ...request, principal }).isPermitted;
  assert.deepEqual([may(scoped), may(whole), may(scoped)], [false, true, false]);
  assert.deepEqual(
    authorizer.recent().map(({ isPermitted, count }) => [isPermitted, count]),
    [[true, 1]],
  );
});
