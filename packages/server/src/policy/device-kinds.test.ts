import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEVICE_CLASS_NAMES, DEVICE_STATES, ROLE_NAMES } from '../registry/index.ts';
import { ACTION_NAMES } from './actions.ts';
import { Authorizer } from './authorizer.ts';
import type { DeviceFacts, PersonPrincipal } from './subjects.ts';
import { DEFAULT_POLICY } from './versions.ts';

const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => {} };

/** Names devices, groups and owners, and looks at all that there is to look at. */
const PICKY = `
permit (principal in Role::"operator", action, resource is Device)
when { resource.group == Group::"north" || resource == Device::"pump-7" };
permit (principal in Role::"viewer", action, resource is Device)
when { resource has boot && resource.boot == Boot::"proven" };
permit (principal in Role::"auditor", action, resource is Device)
when { resource has owner && resource.owner == Owner::"owner:a" };
permit (principal in Role::"installer", action, resource in DeviceClass::"gateway");
forbid (principal, action, resource is Device) when { resource.state == State::"retired" };
forbid (principal, action, resource is Device) when { resource has owner } unless
{ context.steppedUp };
`;

const device: fc.Arbitrary<DeviceFacts> = fc.record({
  id: fc.constantFrom('pump-1', 'pump-2', 'pump-7', 'pump-8'),
  class: fc.constantFrom(...DEVICE_CLASS_NAMES),
  state: fc.constantFrom(...DEVICE_STATES),
  group: fc.constantFrom('', 'north', 'south'),
  owner: fc.constantFrom(undefined, 'owner:a', 'owner:b'),
  boot: fc.constantFrom(undefined, 'proven' as const, 'unproven' as const),
});
const principal: fc.Arbitrary<PersonPrincipal> = fc.record({
  kind: fc.constant('person' as const),
  id: fc.constantFrom('person:ada', 'person:eve'),
  role: fc.constantFrom(...ROLE_NAMES),
  scope: fc.constantFrom(undefined, { group: 'south' }, { actions: ['reads'], group: 'north' }),
});

test('devices of one kind are decided alike, whoever asks for what', () => {
  for (const text of [DEFAULT_POLICY, PICKY]) {
    const authorizer = new Authorizer({ clock });
    authorizer.activate(text);
    const question = fc.record({
      principal,
      action: fc.constantFrom(...ACTION_NAMES),
      context: fc.record({ steppedUp: fc.boolean(), secondPerson: fc.boolean() }),
    });
    fc.assert(
      fc.property(question, fc.array(device, { minLength: 20, maxLength: 40 }), (asked, many) => {
        const kindOf = authorizer.deviceKinds(asked.principal.scope);
        const decided = new Map<number | string, boolean>();
        for (const one of many) {
          const resource = { kind: 'device', device: one } as const;
          const { isPermitted } = authorizer.peek({ ...asked, resource });
          const known = decided.get(kindOf(one)) ?? isPermitted;
          assert.equal(isPermitted, known, `${asked.action} ${JSON.stringify(one)}`);
          decided.set(kindOf(one), known);
        }
      }),
      { numRuns: 25 },
    );
  }
});

test('names that no rule mentions tell no devices apart, and owners are looked up', () => {
  const authorizer = new Authorizer({
    clock,
    ownerOf: (id) => (id === 'pump-2' ? 'owner:a' : undefined),
  });
  authorizer.activate(DEFAULT_POLICY);
  const kindOf = authorizer.deviceKinds(undefined);
  const kind = (id: string, group: string): number | string =>
    kindOf({ id, group, class: 'sensor', state: 'active' });
  assert.equal(kind('pump-1', 'north'), kind('pump-7', 'south'));
  assert.notEqual(kind('pump-1', 'north'), kind('pump-2', 'north'));
  // A token for one group tells it from the others.
  const scopedKindOf = authorizer.deviceKinds({ group: 'north' });
  const scoped = (id: string, group: string): number | string =>
    scopedKindOf({ id, group, class: 'sensor', state: 'active' });
  assert.notEqual(scoped('pump-1', 'north'), scoped('pump-7', 'south'));
  assert.equal(scoped('pump-1', 'west'), scoped('pump-7', 'south'));
});
