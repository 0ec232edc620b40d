/** Goal: an app learns of no device by the work. Method: count what is looked up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../kernel/index.ts';
import { Authorizer, DEFAULT_POLICY, type Principal } from '../policy/index.ts';
import type { Device } from '../registry/index.ts';
import { Permissions } from './permissions.ts';

const device = (id: string): Device =>
  ({ id, class: 'gateway', state: 'active', group: 'g' }) as Device;

test('for an app, a device of another owner costs the look-ups of none, and is decided as none', () => {
  const asked: string[] = [];
  const owners = new Map([
    ['own', 'owner:x'],
    ['foreign', 'owner:y'],
  ]);
  const ownerOf = (id: string): string | undefined => {
    asked.push('owner');
    return owners.get(id);
  };
  const byId = (id: string): Device | undefined => {
    asked.push('device');
    return id === 'absent' ? undefined : device(id);
  };
  const authorizer = new Authorizer({ clock: systemClock, ownerOf: (id) => owners.get(id) });
  authorizer.activate(DEFAULT_POLICY);
  const permissions = new Permissions({
    authorizer,
    registry: { byId },
    ownerOf,
    roleOf: () => undefined,
  });
  const app: Principal = { kind: 'app', id: 'a', owner: 'owner:x' };
  const workOf = (id: string): { decided: boolean[]; asked: string[]; cost: number } => {
    asked.length = 0;
    const before = authorizer.recent().length;
    const decided = [
      permissions.maySubscribe(app, `d/${id}/telemetry/#`),
      permissions.mayPublish(app, `d/${id}/cmd/start`),
      permissions.mayPublish(app, `d/${id}/telemetry`),
    ];
    return { decided, asked: [...asked], cost: authorizer.recent().length - before };
  };
  assert.deepEqual(workOf('own').decided, [true, true, false]);
  const [foreign, nothing] = [workOf('foreign'), workOf('absent')];
  assert.deepEqual(foreign.decided, [false, false, false]);
  assert.deepEqual(foreign.asked, nothing.asked);
  // Both are one question to the policy, which was answered the first time.
  assert.deepEqual(nothing.cost, 0);
});

test('a policy that permits apps everything still shows none the device of another owner', () => {
  const authorizer = new Authorizer({ clock: systemClock, ownerOf: () => 'owner:y' });
  authorizer.activate('permit (principal, action, resource);');
  const permissions = new Permissions({
    authorizer,
    registry: { byId: device },
    ownerOf: () => 'owner:y',
    roleOf: () => undefined,
  });
  const app: Principal = { kind: 'app', id: 'a', owner: 'owner:x' };
  assert.equal(permissions.mayPublish(app, 'd/foreign/cmd/start'), false);
  for (const filter of [
    'd/foreign/telemetry/#',
    'd/+/telemetry/#',
    '+/foreign/state',
    '#',
    'd/#',
  ]) {
    assert.equal(permissions.maySubscribe(app, filter), false, filter);
  }
});
