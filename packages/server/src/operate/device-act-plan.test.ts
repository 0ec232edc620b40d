/**
 * Goal: what people are shown before an act on many devices is what is done, or nothing is. Method:
 * plans and acts on a real registry that changes in between.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ChangedDeviceSchema,
  ChangedDevicesSchema,
  type DeviceActsPlan,
  DeviceActsPlanSchema,
} from '@holdfast/protocol/api';
import { DEFAULT_POLICY } from '../policy/index.ts';
import { type Lab, codeOf, openLab, present } from './lab.testing.ts';

function fleet({ registry }: Lab, ids: readonly string[], group = ''): void {
  for (const id of ids) {
    present(registry.add({ id, class: 'sensor', group }));
    present(registry.changeState(id, { act: 'enroll', by: id, reason: 'test' }));
    present(registry.changeState(id, { act: 'activate', by: id, reason: 'test' }));
  }
}

async function plan(lab: Lab, body: object, session?: string): Promise<DeviceActsPlan> {
  const who = session === undefined ? { token: lab.localToken } : { session };
  const answer = await lab.call('POST', '/v1/device-acts/plan', { ...who, body });
  assert.equal(answer.status, 200, await answer.clone().text());
  return DeviceActsPlanSchema.parse(await answer.json());
}

function act(lab: Lab, body: object, session?: string): Promise<Response> {
  const who = session === undefined ? { token: lab.localToken } : { session };
  return lab.call('POST', '/v1/device-acts', { ...who, body: { reason: 'a leak', ...body } });
}

test('a plan tells who would be changed and why others are passed over, and does nothing', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b', 'c', 'd'], 'north');
  fleet(lab, ['other']);
  lab.connected.set('b', {
    address: '',
    sinceMs: 0,
    protocol: 'MQTT 5',
    transport: { transport: 'TLS' },
    fingerprint: '',
    keepAliveS: 0,
  });
  present(lab.registry.changeState('c', { act: 'suspend', by: 'local', reason: 'winter' }));
  present(lab.registry.changeState('d', { act: 'retire', by: 'local', reason: 'broken' }));
  const found = await plan(lab, { act: 'suspend', select: { filter: { group: 'north' } } });
  const { token, ...told } = found;
  assert.match(token, /^[0-9a-f]{64}$/u);
  assert.deepEqual(told, {
    selected: 4,
    changed: 2,
    changedList: ['a', 'b'],
    changes: [{ from: 'active', to: 'suspended', devices: 2 }],
    online: 1,
    passedOver: 2,
    passedOverReasons: [
      {
        why: 'It is suspended and cannot be suspended: only one that is claimed or active can be.',
        devices: 1,
      },
      {
        why: 'It is retired and cannot be suspended: only one that is claimed or active can be.',
        devices: 1,
      },
    ],
    passedOverList: [
      {
        id: 'c',
        why: 'c is suspended (winter) and cannot be suspended: only one that is claimed or active can be.',
      },
      {
        id: 'd',
        why: 'd is retired (broken) and cannot be suspended: only one that is claimed or active can be.',
      },
    ],
    forbidden: 0,
    forbiddenList: [],
    needs: 'nothing',
  });
  assert.equal(lab.registry.byId('a')?.state, 'active');
  assert.deepEqual(lab.recorded, []);
});

test('all that match are changed when they are still those of the plan', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b', 'c'], 'north');
  present(lab.registry.changeState('c', { act: 'suspend', by: 'local', reason: 'winter' }));
  const wish = { act: 'quarantine', select: { filter: { group: 'north', state: 'active' } } };
  assert.equal(await codeOf(await act(lab, wish)), 'E_OPERATE_INPUT', 'it has to be planned first');
  const { token } = await plan(lab, wish);

  // One more matches by now.
  present(lab.registry.changeState('c', { act: 'resume', by: 'local', reason: 'spring' }));
  const late = await act(lab, { ...wish, expect: token });
  assert.equal(await codeOf(late), 'E_OPERATE_CONFLICT');
  assert.equal(lab.registry.byId('a')?.state, 'active');
  assert.equal(lab.recorded.length, 0);

  const again = await plan(lab, wish);
  assert.notEqual(again.token, token);
  const other = await act(lab, { ...wish, act: 'suspend', expect: again.token });
  assert.equal(await codeOf(other), 'E_OPERATE_CONFLICT', 'it stands for that act alone');
  const done = ChangedDevicesSchema.parse(
    await (await act(lab, { ...wish, expect: again.token })).json(),
  );
  assert.deepEqual([done.changed, done.passedOver], [3, 0]);
  assert.deepEqual(lab.recorded.at(-1)?.facts, {
    act: 'quarantine',
    select: { filter: { group: 'north', state: 'active' } },
    count: 3,
  });
});

test('a device that came back to the same state is another one to a plan', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a']);
  present(lab.registry.changeState('a', { act: 'quarantine', by: 'server', reason: 'clone' }));
  const wish = { act: 'release', select: { ids: ['a'] } };
  const { token } = await plan(lab, wish);
  present(lab.registry.changeState('a', { act: 'release', by: 'local', reason: 'fine' }));
  lab.clock.advance(1);
  present(lab.registry.changeState('a', { act: 'quarantine', by: 'server', reason: 'again' }));
  assert.equal(await codeOf(await act(lab, { ...wish, expect: token })), 'E_OPERATE_CONFLICT');
  assert.equal(lab.registry.byId('a')?.state, 'quarantined');
});

test('whoever has seen who is passed over may name them all the same', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b']);
  present(lab.registry.changeState('b', { act: 'suspend', by: 'local', reason: 'winter' }));
  const wish = { act: 'suspend', select: { ids: ['a', 'b'] } };
  const { token, passedOver } = await plan(lab, wish);
  assert.equal(passedOver, 1);
  assert.equal((await act(lab, wish)).status, 409, 'without a plan, all of them are meant');
  const answer = await act(lab, { ...wish, expect: token });
  const done = ChangedDevicesSchema.parse(await answer.json());
  assert.deepEqual([done.changed, done.passedOver, done.passedOverList[0]?.id], [1, 1, 'b']);
});

test('tags are set for one, and added and removed for many, on the log', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b']);
  const one = await lab.call('POST', '/v1/devices/a/set-tags', {
    token: lab.localToken,
    body: { tags: ['roof', 'cold'], reason: 'found' },
  });
  assert.deepEqual(ChangedDeviceSchema.parse(await one.json()).device.tags, ['cold', 'roof']);
  assert.deepEqual(lab.recorded, [
    {
      action: 'device.set-tags',
      principal: 'local',
      target: 'a',
      reason: 'found',
      facts: { tagsBefore: [], tags: ['cold', 'roof'], state: 'active' },
    },
  ]);
  const wish = { act: 'add-tags', tags: ['roof'], select: { ids: ['a', 'b'] } };
  const planned = await plan(lab, wish);
  assert.deepEqual(planned.changes, [{ from: '', to: 'roof', devices: 1 }]);
  assert.deepEqual(planned.passedOverReasons, [
    { why: 'It has its tags like this already.', devices: 1 },
  ]);
  const added = await act(lab, wish);
  assert.equal(ChangedDevicesSchema.parse(await added.json()).changed, 1, 'a has it already');
  assert.deepEqual(lab.registry.byId('b')?.tags, ['roof']);
  const removed = await act(lab, { ...wish, act: 'remove-tags' });
  assert.equal(ChangedDevicesSchema.parse(await removed.json()).changed, 2);
  assert.deepEqual(lab.registry.byId('a')?.tags, ['cold']);
  assert.equal(lab.registry.byId('b')?.tags, undefined);
  assert.deepEqual(lab.recorded.at(-1)?.facts, {
    tagsBefore: ['roof'],
    tags: [],
    state: 'active',
  });
});

test('a device has 16 tags at most, of the form of tags', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a']);
  const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `t${at}`);
  const set = (tags: unknown): Promise<Response> =>
    lab.call('POST', '/v1/devices/a/set-tags', {
      token: lab.localToken,
      body: { tags, reason: 'x' },
    });
  for (const tags of [
    many(17),
    ['Roof'],
    ['a b'],
    [''],
    ['x'.repeat(33)],
    ['-a'],
    ['a', 'a'],
    'a',
  ]) {
    assert.equal(await codeOf(await set(tags)), 'E_OPERATE_INPUT', JSON.stringify(tags));
  }
  assert.equal((await set([...many(15), 'x'.repeat(32)])).status, 200);
  const over = await act(lab, { act: 'add-tags', tags: ['more'], select: { ids: ['a'] } });
  assert.equal(over.status, 409);
  assert.equal(lab.registry.byId('a')?.tags?.length, 16);
  assert.equal((await set([])).status, 200);
  assert.equal(lab.registry.byId('a')?.tags, undefined);
});

test('a plan says what is missing for it: a right, a second factor, a second person', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['n-1'], 'north');
  fleet(lab, ['s-1'], 'south');
  const { people } = lab;
  const { code } = present(people.membership.invite({ name: 'olga', role: 'operator' }));
  const person = present(people.membership.redeem(code.expose()));
  const session = people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id.expose();
  const all = { filter: { class: 'sensor' } };
  const needs = async (name: string): Promise<unknown[]> => {
    const found = await plan(lab, { act: name, select: all }, session);
    return [found.changed, found.forbidden, found.forbiddenList, found.needs];
  };
  assert.deepEqual(await needs('suspend'), [2, 0, [], 'nothing']);
  assert.deepEqual(await needs('revoke'), [2, 2, ['n-1', 's-1'], 'nothing']);
  lab.clock.advance(300_000);
  assert.deepEqual(await needs('suspend'), [2, 0, [], 'step-up']);
  lab.deps.policies.authorizer.activate(`${DEFAULT_POLICY}
forbid (principal, action == Action::"device:suspend", resource)
when { resource.group == Group::"south" } unless { context.secondPerson };
forbid (principal, action == Action::"device:read", resource is Device)
when { resource.group == Group::"north" };`);
  assert.deepEqual(await needs('suspend'), [1, 0, [], 'second-person'], 'n-1 is not there');
});
