/**
 * Goal: what people do to devices is permitted, on the log, and in the right order. Method: the
 * routes on a real registry; recording fails or waits where that matters.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ChangedDeviceSchema,
  ChangedDevicesSchema,
  DeviceListSchema,
} from '@holdfast/protocol/api';
import { DEFAULT_POLICY } from '../policy/index.ts';
import { type Lab, type LabRequest, codeOf, openLab, present } from './lab.testing.ts';

/** Devices that are active, in a group. */
function fleet({ registry }: Lab, ids: readonly string[], group = ''): void {
  for (const id of ids) {
    present(registry.add({ id, class: 'sensor', group }));
    present(registry.changeState(id, { act: 'enroll', by: id, reason: 'test' }));
    present(registry.changeState(id, { act: 'activate', by: id, reason: 'test' }));
  }
}

function stateOf({ registry }: Lab, id: string): string | undefined {
  return registry.byId(id)?.state;
}

function act(lab: Lab, path: string, body: object = {}): Promise<Response> {
  return lab.call('POST', path, {
    token: lab.localToken,
    body: { reason: 'a leak', ...body },
  });
}

function actMany(lab: Lab, body: object, request: LabRequest = {}): Promise<Response> {
  return lab.call('POST', '/v1/device-acts', {
    token: lab.localToken,
    ...request,
    body: { reason: 'a leak', ...body },
  });
}

async function messageOf(answer: Response): Promise<string> {
  const { error } = (await answer.json()) as { error: { message: string } };
  return error.message;
}

test('each act is done to a device, and its record says who, why and from where to where', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['pump-1'], 'north');
  const steps = [
    ['quarantine', 'active', 'quarantined'],
    ['release', 'quarantined', 'active'],
    ['suspend', 'active', 'suspended'],
    ['resume', 'suspended', 'active'],
    ['revoke', 'active', 'revoked'],
    ['retire', 'revoked', 'retired'],
  ] as const;
  for (const [name, stateBefore, stateAfter] of steps) {
    const answer = await act(lab, `/v1/devices/pump-1/${name}`);
    assert.equal(answer.status, 200, name);
    const { device } = ChangedDeviceSchema.parse(await answer.json());
    const { state, stateReason, stateBy, stateAt, group } = device;
    assert.deepEqual(
      [state, stateReason, stateBy, group],
      [stateAfter, 'a leak', 'local', 'north'],
    );
    assert.equal(stateAt, new Date(lab.clock.ms).toISOString());
    assert.deepEqual(lab.recorded.at(-1), {
      action: `device.${name}`,
      principal: 'local',
      target: 'pump-1',
      reason: 'a leak',
      facts: { stateBefore, stateAfter, group: 'north' },
    });
  }
  assert.equal(lab.recorded.length, steps.length);
  const again = await act(lab, '/v1/devices/pump-1/retire');
  assert.equal(again.status, 409);
  assert.match(await messageOf(again), /pump-1 is retired \(a leak\) and cannot be retired/);
  assert.equal(lab.recorded.length, steps.length, 'what was refused is no act');
});

test('what takes away holds although it cannot be recorded, and what gives does not', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b']);
  present(lab.registry.changeState('b', { act: 'quarantine', by: 'server', reason: 'clone' }));
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  assert.equal((await act(lab, '/v1/devices/a/suspend')).status, 500);
  assert.equal(stateOf(lab, 'a'), 'suspended');
  assert.equal((await act(lab, '/v1/devices/b/release')).status, 500);
  assert.equal(stateOf(lab, 'b'), 'quarantined');
  const group = { group: 'north' };
  assert.equal((await act(lab, '/v1/devices/b/set-group', group)).status, 500);
  assert.equal(lab.registry.byId('b')?.group, '');
  lab.journal.isReady = false;
  assert.equal(await codeOf(await act(lab, '/v1/devices/b/release')), 'E_JOURNAL_UNAVAILABLE');
  lab.journal.beforeRecord = () => {};
  assert.equal((await act(lab, '/v1/devices/b/revoke')).status, 200, 'it waits for nothing');
});

test('a release does not lift a quarantine that came while it was recorded', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a']);
  const quarantine = { act: 'quarantine', by: 'server', reason: 'clone' } as const;
  present(lab.registry.changeState('a', quarantine));
  lab.journal.beforeRecord = () => {
    lab.journal.beforeRecord = () => {};
    lab.clock.advance(1);
    present(lab.registry.changeState('a', { act: 'release', by: 'person:eve', reason: 'mine' }));
    present(lab.registry.changeState('a', quarantine));
  };
  const answer = await act(lab, '/v1/devices/a/release');
  assert.equal(answer.status, 409);
  assert.equal(stateOf(lab, 'a'), 'quarantined');
});

test('a group is acted on as a whole: one act for each device, and one for all', async (t) => {
  const lab = openLab(t);
  const ids = Array.from({ length: 250 }, (_, at) => `pump-${String(at).padStart(3, '0')}`);
  fleet(lab, ids, 'north');
  fleet(lab, ['other'], 'south');
  present(lab.registry.changeState('pump-007', { act: 'retire', by: 'local', reason: 'broken' }));
  const answer = await actMany(lab, { act: 'revoke', select: { group: 'north' } });
  const { changed, passedOver, passedOverList } = ChangedDevicesSchema.parse(await answer.json());
  assert.deepEqual([changed, passedOver], [249, 1]);
  assert.deepEqual(
    passedOverList.map(({ id }) => id),
    ['pump-007'],
  );
  assert.match(passedOverList[0]?.why ?? '', /is retired \(broken\)/);
  assert.equal(stateOf(lab, 'other'), 'active');
  assert.equal(stateOf(lab, 'pump-249'), 'revoked');
  assert.equal(lab.recorded.filter(({ action }) => action === 'device.revoke').length, 249);
  const { action, reason, facts } = lab.recorded.at(-1) ?? {};
  assert.deepEqual(
    { action, reason, facts },
    {
      action: 'device.act-many',
      reason: 'a leak',
      facts: { act: 'revoke', select: { group: 'north' }, count: 249 },
    },
  );
});

test('a class, and devices by name, are acted on as well', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b', 'c']);
  const suspended = await actMany(lab, { act: 'suspend', select: { class: 'sensor' } });
  assert.equal(ChangedDevicesSchema.parse(await suspended.json()).changed, 3);
  const first = lab.recorded.length;
  const resumed = await actMany(lab, { act: 'resume', select: { ids: ['a', 'c'] } });
  assert.equal(ChangedDevicesSchema.parse(await resumed.json()).changed, 2);
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => stateOf(lab, id)),
    ['active', 'suspended', 'active'],
  );
  // What gives is on the log as a whole first.
  assert.equal(lab.recorded[first]?.action, 'device.act-many');
  const moved = await actMany(lab, {
    act: 'set-group',
    group: 'north',
    select: { ids: ['a', 'b'] },
  });
  assert.equal(ChangedDevicesSchema.parse(await moved.json()).changed, 2);
  assert.deepEqual(lab.recorded.at(-1)?.facts, {
    groupBefore: '',
    group: 'north',
    state: 'suspended',
  });
});

test('whoever names devices means all of them: nothing is done when one does not allow it', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b']);
  present(lab.registry.changeState('b', { act: 'suspend', by: 'local', reason: 'winter' }));
  const answer = await actMany(lab, { act: 'suspend', select: { ids: ['a', 'b'] } });
  assert.equal(answer.status, 409);
  assert.match(await messageOf(answer), /Nothing was done: b is suspended \(winter\)/);
  const absent = await actMany(lab, { act: 'suspend', select: { ids: ['a', 'x'] } });
  assert.equal(await codeOf(absent), 'E_OPERATE_NOT_FOUND');
  const nobody = await actMany(lab, { act: 'suspend', select: { group: 'empty' } });
  assert.equal(await codeOf(nobody), 'E_OPERATE_NOT_FOUND');
  assert.equal(stateOf(lab, 'a'), 'active');
  assert.deepEqual(lab.recorded, []);
});

test('a group goes with set-group and with nothing else; many need a selection', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a']);
  for (const body of [
    { act: 'set-group', select: { ids: ['a'] } },
    { act: 'suspend', group: 'north', select: { ids: ['a'] } },
    { act: 'suspend', select: { ids: [] } },
    { act: 'suspend', select: { ids: ['a'], group: 'north' } },
    { act: 'suspend', select: { group: '' } },
    { act: 'suspend' },
    { act: 'enroll', select: { ids: ['a'] } },
    { act: 'suspend', select: { ids: Array.from({ length: 501 }, (_, at) => `d${at}`) } },
  ]) {
    const answer = await actMany(lab, body);
    assert.equal(await codeOf(answer), 'E_OPERATE_INPUT', JSON.stringify(body));
  }
  const empty = await actMany(lab, { act: 'set-group', group: '', select: { ids: ['a'] } });
  assert.equal(empty.status, 200);
});

test('a revocation of many goes on when the log cannot be written', async (t) => {
  const lab = openLab(t);
  const ids = Array.from({ length: 150 }, (_, at) => `pump-${at}`);
  fleet(lab, ids, 'north');
  lab.journal.beforeRecord = () => {
    throw new Error('the disk is gone');
  };
  const answer = await actMany(lab, { act: 'revoke', select: { group: 'north' } });
  assert.equal(answer.status, 500);
  for (const id of ids) assert.equal(stateOf(lab, id), 'revoked');
});

/** Everything for administrators; operators see and suspend what is in the group `north`. */
const NORTH = `
permit (principal in Role::"administrator", action, resource);
permit (principal is Person, action in Action::"self", resource) when { resource == principal };
permit (principal in Role::"operator", action == Action::"device:act-many", resource);
permit (
  principal in Role::"operator",
  action in [Action::"device:read", Action::"device:suspend", Action::"device:group",
    Action::"device:claim"],
  resource is Device
) when { resource.group == Group::"north" };
permit (principal in Role::"operator", action == Action::"device:read", resource is Device)
when { resource.group == Group::"east" };`;

/** The session of an operator who has shown a second factor. */
function operator({ people }: Lab): string {
  const { code } = present(people.membership.invite({ name: 'olga', role: 'operator' }));
  const person = present(people.membership.redeem(code.expose()));
  return people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id.expose();
}

test('each of many devices needs the right; those that may not be seen are not there', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['n-1', 'n-2'], 'north');
  fleet(lab, ['e-1'], 'east');
  fleet(lab, ['s-1'], 'south');
  lab.deps.policies.authorizer.activate(NORTH);
  const session = operator(lab);
  const suspend = (select: object) =>
    actMany(lab, { act: 'suspend', select }, { session, token: undefined });
  assert.equal(await codeOf(await suspend({ ids: ['n-1', 's-1'] })), 'E_OPERATE_NOT_FOUND');
  assert.equal(await codeOf(await suspend({ group: 'south' })), 'E_OPERATE_NOT_FOUND');
  assert.equal(await codeOf(await suspend({ group: 'east' })), 'E_OPERATE_FORBIDDEN');
  assert.equal(await codeOf(await suspend({ class: 'sensor' })), 'E_OPERATE_FORBIDDEN');
  assert.equal(stateOf(lab, 'n-1'), 'active');
  const done = await suspend({ group: 'north' });
  assert.equal(ChangedDevicesSchema.parse(await done.json()).changed, 2);
  // A device can be moved only within what one may move.
  const out = { session, body: { group: 'south', reason: 'x' } };
  const moved = await lab.call('POST', '/v1/devices/n-1/set-group', out);
  assert.equal(moved.status, 403);
  const many = { act: 'set-group', group: 'south', select: { group: 'north' } };
  const manyMoved = await actMany(lab, many, { session, token: undefined });
  assert.equal(await codeOf(manyMoved), 'E_OPERATE_FORBIDDEN');
  assert.equal(lab.registry.byId('n-1')?.group, 'north');

  const list = await lab.call('GET', '/v1/devices?limit=2', { session });
  const { devices, next } = DeviceListSchema.parse(await list.json());
  assert.deepEqual([devices.map(({ id }) => id), next], [['e-1', 'n-1'], 'n-1']);
  const rest = await lab.call('GET', `/v1/devices?limit=2&after=${next}`, { session });
  const last = DeviceListSchema.parse(await rest.json());
  assert.deepEqual([last.devices.map(({ id }) => id), last.next], [['n-2'], undefined]);
});

test('lists are filtered and come in pages', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['b', 'd'], 'north');
  fleet(lab, ['a', 'c', 'e']);
  present(lab.registry.changeState('c', { act: 'suspend', by: 'local', reason: 'winter' }));
  const { localToken: token } = lab;
  const list = async (query: string) => {
    const answer = await lab.call('GET', `/v1/devices${query}`, { token });
    assert.equal(answer.status, 200, query);
    const { devices, next } = DeviceListSchema.parse(await answer.json());
    return [devices.map(({ id }) => id).join(''), next];
  };
  assert.deepEqual(await list(''), ['abcde', undefined]);
  assert.deepEqual(await list('?limit=5'), ['abcde', undefined]);
  assert.deepEqual(await list('?limit=4'), ['abcd', 'd']);
  assert.deepEqual(await list('?limit=4&after=d'), ['e', undefined]);
  assert.deepEqual(await list('?group=north'), ['bd', undefined]);
  assert.deepEqual(await list('?group='), ['ace', undefined]);
  assert.deepEqual(await list('?state=suspended'), ['c', undefined]);
  assert.deepEqual(await list('?class=gateway'), ['', undefined]);
  for (const query of ['?limit=0', '?limit=1001', '?state=dead', '?after=+', '?order=id']) {
    const answer = await lab.call('GET', `/v1/devices${query}`, { token });
    assert.equal(await codeOf(answer), 'E_OPERATE_INPUT', query);
  }
});

const TWO_PEOPLE = `${DEFAULT_POLICY}
forbid (principal, action == Action::"device:revoke", resource)
unless { context.secondPerson };`;

test('many wait for a second person where one of them asks for one, and count once', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b'], 'north');
  lab.deps.policies.authorizer.activate(TWO_PEOPLE);
  const revoke = () => actMany(lab, { act: 'revoke', select: { group: 'north' } });
  assert.equal(await codeOf(await revoke()), 'E_OPERATE_SECOND_PERSON');
  assert.equal(stateOf(lab, 'a'), 'active');
  const { people } = lab;
  const { code } = present(people.membership.invite({ name: 'sam', role: 'security-officer' }));
  const sam = present(people.membership.redeem(code.expose()));
  const session = people.startSession(sam, { by: 'totp', address: '192.0.2.1' }).id.expose();
  const listed = await lab.call('GET', '/v1/approvals', { session });
  const { approvals } = (await listed.json()) as { approvals: { id: string; body: string }[] };
  assert.equal(approvals.length, 1);
  assert.match(approvals[0]?.body ?? '', /"north"/, 'whoever approves sees what it is about');
  const path = `/v1/approvals/${approvals[0]?.id}/approve`;
  assert.equal((await lab.call('POST', path, { session })).status, 200);
  const done = await revoke();
  assert.equal(ChangedDevicesSchema.parse(await done.json()).changed, 2);
  assert.equal(stateOf(lab, 'b'), 'revoked');
});

test('who approves many is judged for each of them, when they approve and when it is done', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b'], 'north');
  present(lab.registry.setGroup(['b'], 'south') ?? 'done');
  const northOnly = `${TWO_PEOPLE}
forbid (principal == Person::"person:sam", action == Action::"device:revoke", resource)
when { resource.group == Group::"south" };`;
  lab.deps.policies.authorizer.activate(northOnly);
  const { people } = lab;
  const session = (name: string): string => {
    const { code } = present(people.membership.invite({ name, role: 'security-officer' }));
    const person = present(people.membership.redeem(code.expose()));
    return people.startSession(person, { by: 'totp', address: '192.0.2.1' }).id.expose();
  };
  const [sam, eve] = [session('sam'), session('eve')];
  const revoke = () => actMany(lab, { act: 'revoke', select: { ids: ['a', 'b'] } });
  assert.equal(await codeOf(await revoke()), 'E_OPERATE_SECOND_PERSON');
  const idOf = async (): Promise<string> => {
    const listed = await lab.call('GET', '/v1/approvals', { token: lab.localToken });
    const { approvals } = (await listed.json()) as { approvals: { id: string }[] };
    return approvals[0]?.id ?? '';
  };
  const approve = async (as: string): Promise<number> =>
    (await lab.call('POST', `/v1/approvals/${await idOf()}/approve`, { session: as })).status;
  assert.equal(await approve(sam), 404, 'one of the devices is not for sam');
  assert.equal(await approve(eve), 200);
  // The right of who approved is asked for again: it may have ended meanwhile.
  lab.deps.policies.authorizer.activate(northOnly.replace('person:sam', 'person:eve'));
  const late = await revoke();
  assert.equal(late.status, 403);
  assert.match(await messageOf(late), /eve/);
  assert.deepEqual([stateOf(lab, 'a'), stateOf(lab, 'b')], ['active', 'active']);
});

test('an approval of the whole is none for a device that its giver has no right to', async (t) => {
  const lab = openLab(t);
  fleet(lab, ['a', 'b'], 'north');
  present(lab.registry.setGroup(['b'], 'south') ?? 'done');
  lab.deps.policies.authorizer.activate(`${DEFAULT_POLICY}
forbid (principal, action in [Action::"device:act-many", Action::"device:revoke"], resource)
unless { context.secondPerson };
forbid (principal == Person::"person:sam", action == Action::"device:revoke", resource)
when { resource.group == Group::"south" };`);
  const { people } = lab;
  const { code } = present(people.membership.invite({ name: 'sam', role: 'security-officer' }));
  const sam = present(people.membership.redeem(code.expose()));
  const session = people.startSession(sam, { by: 'totp', address: '192.0.2.1' }).id.expose();
  const revoke = (ids: string[]) => actMany(lab, { act: 'revoke', select: { ids } });
  const approved = async (ids: string[]): Promise<Response> => {
    assert.equal(await codeOf(await revoke(ids)), 'E_OPERATE_SECOND_PERSON');
    const listed = await lab.call('GET', '/v1/approvals', { session });
    const { approvals } = (await listed.json()) as { approvals: { id: string }[] };
    const path = `/v1/approvals/${approvals[0]?.id}/approve`;
    assert.equal((await lab.call('POST', path, { session })).status, 200);
    return revoke(ids);
  };
  const both = await approved(['a', 'b']);
  assert.equal(both.status, 403);
  assert.match(await messageOf(both), /Not for b\./);
  assert.deepEqual([stateOf(lab, 'a'), stateOf(lab, 'b')], ['active', 'active']);
  assert.equal((await approved(['a'])).status, 200);
});
