import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEVICE_CLASS_NAMES, DEVICE_STATES, ROLE_NAMES } from '../registry/index.ts';
import { ACTION_NAMES } from './actions.ts';
import { Authorizer } from './authorizer.ts';
import { canonicalize } from './canonical.ts';
import { CompiledPolicy } from './compiled-policy.ts';
import { deviceResource, factsOf, personOf } from './lab.testing.ts';
import { RECENT_DECISIONS_MAX } from './limits.ts';
import { RecentDecisions } from './recent-decisions.ts';
import type { DecisionRequest, DeviceFacts, Principal, Resource } from './subjects.ts';
import { DEFAULT_POLICY } from './versions.ts';

const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} };

/** A policy that looks at everything there is to look at, and names some. */
const PICKY = `
permit (principal in Role::"operator", action, resource is Device)
when { resource.group == Group::"north" || resource == Device::"pump-7" };
permit (principal == Person::"person:eve", action, resource) unless { context.steppedUp };
permit (principal is Device, action == Action::"publish", resource is Topic)
when { resource has device && (resource.device == principal || resource.device.group == principal.group) };
permit (principal is App, action, resource is Device)
when { resource has owner && resource.owner == principal.owner && resource.state != State::"revoked" };
forbid (principal, action, resource is Device) when { resource.state == State::"retired" };
forbid (principal, action, resource is Device) when { resource.owner == Owner::"o2" };
permit (principal in DeviceClass::"service", action == Action::"subscribe", resource);
`;

const id = fc.constantFrom('pump-1', 'pump-2', 'pump-7', 'pump-8');
const device: fc.Arbitrary<DeviceFacts> = fc.record({
  id,
  class: fc.constantFrom(...DEVICE_CLASS_NAMES),
  state: fc.constantFrom(...DEVICE_STATES),
  group: fc.constantFrom('', 'north', 'south'),
  owner: fc.constantFrom(undefined, 'o1', 'o2', 'o3'),
});
const principal: fc.Arbitrary<Principal> = fc.oneof(
  fc.record({
    kind: fc.constant('person' as const),
    id: fc.constantFrom('person:ada', 'person:eve'),
    role: fc.constantFrom(...ROLE_NAMES),
  }),
  fc.record({
    kind: fc.constant('app' as const),
    id: fc.constantFrom('a1', 'a2'),
    owner: fc.constantFrom('o1', 'o2'),
  }),
  fc.record({ kind: fc.constant('device' as const), device }),
);
const resource: fc.Arbitrary<Resource> = fc.oneof(
  fc.record({ kind: fc.constant('device' as const), device }),
  fc.record({
    kind: fc.constant('topic' as const),
    part: fc.constantFrom('telemetry' as const, 'cmd' as const),
    device,
  }),
  fc.constant({ kind: 'server' as const }),
  fc.constant({ kind: 'person' as const, id: 'person:ada' }),
);
/** A device has one set of attributes, whether it asks or is asked for. */
const request: fc.Arbitrary<DecisionRequest> = fc
  .record({
    principal,
    resource,
    action: fc.constantFrom(...ACTION_NAMES, 'publish' as const, 'subscribe' as const),
    context: fc.record({ steppedUp: fc.boolean(), secondPerson: fc.boolean() }),
  })
  .filter(({ principal: who, resource: what }) => {
    if (who.kind !== 'device' || !('device' in what)) return true;
    return (
      who.device.id !== what.device?.id ||
      JSON.stringify(who.device) === JSON.stringify(what.device)
    );
  });

test('a request without its names is decided as the request itself', () => {
  for (const text of [DEFAULT_POLICY, PICKY]) {
    const policy = new CompiledPolicy(text);
    fc.assert(
      fc.property(request, (each) => {
        const canonical = policy.canonicalize(each);
        assert.equal(
          policy.decide(canonical.request).isPermitted,
          policy.decide(each).isPermitted,
          canonical.key,
        );
      }),
      { numRuns: 300 },
    );
    policy.close();
  }
});

test('devices that no rule names share a decision, and one that is named has its own', () => {
  const policy = new CompiledPolicy(PICKY);
  const key = (name: string, group = ''): string => {
    const request_ = { principal: personOf('operator'), action: 'device:read' } as const;
    return policy.canonicalize({ ...request_, resource: deviceResource(name, { group }) }).key;
  };
  assert.equal(key('pump-1'), key('pump-2'));
  assert.notEqual(key('pump-1'), key('pump-7'));
  assert.equal(key('pump-1', 'south'), key('pump-2', 'west'));
  assert.notEqual(key('pump-1', 'south'), key('pump-1', 'north'));
  policy.close();
});

test('who asks for itself is told apart from who asks for another', () => {
  const own = factsOf('pump-1');
  const about = (other: DeviceFacts): string =>
    canonicalize(
      {
        principal: { kind: 'device', device: own },
        action: 'publish',
        resource: { kind: 'topic', part: 'state', device: other },
      },
      () => false,
    ).key;
  assert.notEqual(about(own), about(factsOf('pump-2')));
});

test('what is remembered is right after the device or the policy has changed', () => {
  const authorizer = new Authorizer({ clock });
  const may = (state: DeviceFacts['state']): boolean =>
    authorizer.decide({
      principal: { kind: 'app', id: 'a1', owner: 'o1' },
      action: 'device:read',
      resource: deviceResource('pump-1', { owner: 'o1', state }),
    }).isPermitted;
  authorizer.activate(PICKY);
  assert.deepEqual([may('active'), may('revoked'), may('active')], [true, false, true]);
  const { epoch } = authorizer;
  authorizer.activate(DEFAULT_POLICY);
  assert.ok(authorizer.epoch > epoch);
  assert.deepEqual([may('active'), may('revoked')], [true, true]);
});

test('a wildcard is permitted only when it is for every device that could be', () => {
  const authorizer = new Authorizer({ clock });
  const wildcard = (who: Principal) => ({
    principal: who,
    action: 'device:read' as const,
    resourceOf: (facts: DeviceFacts): Resource => ({ kind: 'device', device: facts }),
  });
  authorizer.activate(PICKY);
  assert.equal(authorizer.isPermittedForEvery(wildcard(personOf('operator'))), false);
  assert.equal(authorizer.isPermittedForSome(wildcard(personOf('operator'))), true);
  assert.equal(authorizer.isPermittedForSome(wildcard(personOf('viewer'))), false);
  authorizer.activate(DEFAULT_POLICY);
  assert.equal(authorizer.isPermittedForEvery(wildcard(personOf('viewer'))), true);
  const app = { kind: 'app', id: 'a1', owner: 'o1' } as const;
  assert.equal(authorizer.isPermittedForEvery(wildcard(app)), false);
  assert.equal(authorizer.isPermittedForSome(wildcard(app)), true);
});

test('an owner that is kept elsewhere counts', () => {
  const owners = new Map([['pump-1', 'o1']]);
  const authorizer = new Authorizer({ clock, ownerOf: (name) => owners.get(name) });
  authorizer.activate(DEFAULT_POLICY);
  const may = (name: string): boolean =>
    authorizer.decide({
      principal: { kind: 'app', id: 'a1', owner: 'o1' },
      action: 'device:read',
      resource: deviceResource(name),
    }).isPermitted;
  assert.deepEqual([may('pump-1'), may('pump-2')], [true, false]);
  owners.delete('pump-1');
  assert.equal(may('pump-1'), false);
});

test('a rule that cannot be looked at permits nothing', () => {
  const policy = new CompiledPolicy(
    'permit (principal, action, resource) when { resource.owner == principal };',
  );
  const principal_ = personOf('administrator');
  const request_ = { principal: principal_, action: 'device:read' } as const;
  const decision = policy.decide({ ...request_, resource: deviceResource('pump-1') });
  assert.equal(decision.isPermitted, false);
  policy.close();
});

test('the last decisions are kept up to a number, refused ones apart', () => {
  const recent = new RecentDecisions();
  const add = (n: number, isPermitted: boolean): void =>
    recent.add(
      { principal: personOf('viewer'), action: 'device:read', resource: deviceResource(`d-${n}`) },
      { isPermitted, rules: [] },
      n,
    );
  add(0, false);
  for (let n = 0; n <= RECENT_DECISIONS_MAX; n += 1) add(n, true);
  assert.equal(recent.all().length, RECENT_DECISIONS_MAX + 1);
  assert.ok(recent.all().some(({ isPermitted }) => !isPermitted));
  add(RECENT_DECISIONS_MAX, true);
  assert.equal(recent.all()[0]?.count, 2);
});

test('a fleet that does the same all the time is one decision of each kind', () => {
  const recent = new RecentDecisions();
  for (const name of ['pump-1', 'pump-2', 'pump-3']) {
    const facts = factsOf(name);
    recent.add(
      {
        principal: { kind: 'device', device: facts },
        action: 'publish',
        resource: { kind: 'topic', part: 'state', device: facts },
      },
      { isPermitted: true, rules: [] },
      0,
    );
  }
  assert.equal(recent.all().length, 1);
});

test('a rule that names one topic holds for it, and for no other', () => {
  const authorizer = new Authorizer({ clock });
  const forbidden = 'forbid (principal, action, resource == Topic::"pump-1/telemetry");';
  authorizer.activate(`${DEFAULT_POLICY}\n${forbidden}`);
  const mayReport = (name: string): boolean => {
    const device = factsOf(name);
    const resource = { kind: 'topic', part: 'telemetry', device } as const;
    const principal = { kind: 'device', device } as const;
    return authorizer.decide({ principal, action: 'publish', resource }).isPermitted;
  };
  assert.deepEqual(['pump-2', 'pump-1', 'pump-2'].map(mayReport), [true, false, true]);
});
