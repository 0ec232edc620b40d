import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { HttpBindings } from '@hono/node-server';
import { DEFAULT_POLICY } from '../policy/index.ts';
import type { Device, RoleName } from '../registry/index.ts';
import { type Lab, ORIGIN, codeOf, openLab, present } from './lab.testing.ts';
import {
  APPROVAL_LIFE_MS,
  PRINCIPAL_REQUESTS_PER_MINUTE_MAX,
  STEP_UP_LIFE_MS,
  STRANGER_REQUESTS_PER_MINUTE_MAX,
} from './limits.ts';
import { Routes, text } from './routes.ts';

/** Installers claim in the north alone, and see nothing else. */
const NORTH = `
permit (principal in Role::"administrator", action, resource);
permit (principal is Person, action in Action::"self", resource) when { resource == principal };
permit (principal in Role::"installer",
  action in [Action::"device:read", Action::"device:claim"], resource is Device)
when { resource.group == Group::"north" };
permit (principal in Role::"operator", action == Action::"device:read", resource);`;

const TWO_PEOPLE = `${DEFAULT_POLICY}
forbid (principal, action in [Action::"policy:set", Action::"device:revoke"], resource)
unless { context.secondPerson };`;

/** The session of a new person; `totp` has shown a second factor, `oidc` has not. */
function signIn(
  { people }: Lab,
  role: RoleName,
  by: 'totp' | 'oidc' = 'totp',
  name: string = role,
): string {
  const { code } = present(people.membership.invite({ name, role }));
  const person = present(people.membership.redeem(code.expose()));
  return people.startSession(person, { by, address: '192.0.2.1' }).id.expose();
}

function addDevices({ registry }: Lab): { north: Device; south: Device } {
  return {
    north: present(registry.add({ id: 'pump-n', class: 'sensor', group: 'north' })),
    south: present(registry.add({ id: 'pump-s', class: 'sensor', group: 'south' })),
  };
}

test('what may not be seen is absent, in the same words', async (t) => {
  const lab = openLab(t);
  addDevices(lab);
  lab.deps.policies.authorizer.activate(NORTH);
  const session = signIn(lab, 'installer');
  const ask = async (id: string): Promise<[number, string]> => {
    const answer = await lab.call('GET', `/v1/devices/${id}`, { session });
    return [answer.status, (await answer.text()).replaceAll(id, '<id>')];
  };
  assert.equal((await ask('pump-n'))[0], 200);
  const forbidden = await ask('pump-s');
  assert.equal(forbidden[0], 404);
  assert.deepEqual(forbidden, await ask('pump-x'));
});

test('whoever sees a device learns which right is missing [E_OPERATE_FORBIDDEN]', async (t) => {
  const lab = openLab(t);
  addDevices(lab);
  lab.deps.policies.authorizer.activate(NORTH);
  const body = { reason: 'a test' };
  const session = signIn(lab, 'operator');
  const seen = await lab.call('POST', '/v1/devices/pump-n/revoke', { session, body });
  assert.equal(seen.status, 403);
  assert.equal(await codeOf(seen), 'E_OPERATE_FORBIDDEN');
  const unseen = await lab.call('POST', '/v1/devices/pump-s/revoke', {
    session: signIn(lab, 'installer'),
    body,
  });
  assert.equal(unseen.status, 404);
  assert.equal(lab.registry.byId('pump-s')?.state, 'registered');
});

test('absent and forbidden cost the same work', async (t) => {
  const lab = openLab(t);
  addDevices(lab);
  const { authorizer } = lab.deps.policies;
  authorizer.activate(NORTH);
  const session = signIn(lab, 'installer');
  const counts = { lookUps: 0, decisions: 0 };
  count(t, lab.registry, 'byId', () => (counts.lookUps += 1));
  count(t, authorizer, 'peek', () => (counts.decisions += 1));
  const workFor = async (method: string, path: string): Promise<typeof counts> => {
    Object.assign(counts, { lookUps: 0, decisions: 0 });
    const answer = await lab.call(method, path, { session, body: { reason: 'a test' } });
    assert.equal(answer.status, 404, path);
    return { ...counts };
  };
  for (const [method, rest] of [
    ['GET', ''],
    ['POST', '/claim'],
    ['POST', '/revoke'],
    ['GET', '/readings'],
  ] as const) {
    const forbidden = await workFor(method, `/v1/devices/pump-s${rest}`);
    const absent = await workFor(method, `/v1/devices/pump-x${rest}`);
    assert.deepEqual(absent, forbidden, rest);
    assert.equal(forbidden.lookUps, 1, rest);
  }
});

test('lists show what may be seen, and a role that sees nothing is told so', async (t) => {
  const lab = openLab(t);
  addDevices(lab);
  lab.deps.policies.authorizer.activate(NORTH);
  const idsOf = async (role: RoleName): Promise<unknown> => {
    const answer = await lab.call('GET', '/v1/devices', { session: signIn(lab, role) });
    if (answer.status !== 200) return codeOf(answer);
    return ((await answer.json()) as { devices: Device[] }).devices.map(({ id }) => id);
  };
  assert.deepEqual(await idsOf('installer'), ['pump-n']);
  assert.deepEqual(await idsOf('operator'), ['pump-n', 'pump-s']);
  assert.equal(await idsOf('viewer'), 'E_OPERATE_FORBIDDEN');
});

test('a role that changes counts from the next request on', async (t) => {
  const lab = openLab(t);
  addDevices(lab);
  const session = signIn(lab, 'viewer');
  const status = async (): Promise<number> =>
    (await lab.call('GET', '/v1/refusals', { session })).status;
  assert.equal(await status(), 403);
  present(lab.people.membership.setRole(present(lab.people.byName('viewer') ?? fail()), 'auditor'));
  assert.equal(await status(), 200);
});

test('a dangerous act asks for the second factor again after five minutes [E_OPERATE_STEP_UP]', async (t) => {
  const lab = openLab(t);
  const body = { text: DEFAULT_POLICY, reason: 'a test' };
  const set = (session: string): Promise<Response> =>
    lab.call('POST', '/v1/policy', { session, body });
  const session = signIn(lab, 'administrator');
  const { token } = await lab.createToken(session);
  lab.clock.advance(STEP_UP_LIFE_MS - 1);
  assert.equal((await set(session)).status, 201);
  lab.clock.advance(1);
  const late = await set(session);
  assert.equal(late.status, 403);
  assert.equal(await codeOf(late), 'E_OPERATE_STEP_UP');
  const never = await set(signIn(lab, 'administrator', 'oidc', 'bob'));
  assert.equal(await codeOf(never), 'E_OPERATE_STEP_UP');
  const byToken = await lab.call('POST', '/v1/policy', { token, body });
  assert.equal(await codeOf(byToken), 'E_OPERATE_STEP_UP', 'a token is never stepped up');
  const local = await lab.call('POST', '/v1/policy', { token: lab.localToken, body });
  assert.equal(local.status, 201);
  const viewer = await set(signIn(lab, 'viewer'));
  assert.equal(await codeOf(viewer), 'E_OPERATE_FORBIDDEN');
});

test('a session without a second factor sets one up, and nothing else [E_OPERATE_SECOND_FACTOR]', async (t) => {
  const lab = openLab(t);
  const { code } = present(lab.people.membership.invite({ name: 'eve', role: 'administrator' }));
  const person = present(lab.people.membership.redeem(code.expose()));
  const started = lab.people.startSession(person, { by: 'invitation', address: '192.0.2.1' });
  const session = started.id.expose();
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 200);
  for (const path of ['/v1/devices', '/v1/tokens', '/v1/approvals', '/v1/refusals']) {
    const answer = await lab.call('GET', path, { session });
    assert.equal(await codeOf(answer), 'E_OPERATE_SECOND_FACTOR', path);
  }
});

interface Waiting {
  readonly id: string;
  readonly principal: string;
}

async function waiting({ call }: Lab, session: string): Promise<Waiting[]> {
  const answer = await call('GET', '/v1/approvals', { session });
  return ((await answer.json()) as { approvals: Waiting[] }).approvals;
}

test('a second person approves, and the request is made again, once [E_OPERATE_SECOND_PERSON]', async (t) => {
  const lab = openLab(t);
  addDevices(lab);
  lab.deps.policies.authorizer.activate(TWO_PEOPLE);
  const ada = signIn(lab, 'administrator', 'totp', 'ada');
  const bob = signIn(lab, 'security-officer', 'totp', 'bob');
  const eve = signIn(lab, 'viewer', 'totp', 'eve');
  const revoke = async (reason = 'stolen'): Promise<string> => {
    const answer = await lab.call('POST', '/v1/devices/pump-n/revoke', {
      session: ada,
      body: { reason },
    });
    return answer.ok ? 'done' : codeOf(answer);
  };
  assert.equal(await revoke(), 'E_OPERATE_SECOND_PERSON');
  assert.equal(await revoke(), 'E_OPERATE_SECOND_PERSON', 'asking again asks for no other');
  const [approval, ...others] = await waiting(lab, bob);
  assert.equal(others.length, 0);
  const path = `/v1/approvals/${approval?.id}`;
  assert.deepEqual(await waiting(lab, eve), [], 'who could not do it does not see it');
  for (const session of [ada, eve]) {
    const answer = await lab.call('POST', `${path}/approve`, { session });
    assert.equal(answer.status, 404, 'neither who asked nor who may not');
  }
  const { token } = await lab.createToken(bob);
  const byToken = await lab.call('POST', `${path}/approve`, { token });
  assert.equal(await codeOf(byToken), 'E_OPERATE_STEP_UP');
  assert.equal((await lab.call('POST', `${path}/approve`, { session: bob })).status, 200);
  assert.equal(await revoke('another reason'), 'E_OPERATE_SECOND_PERSON', 'word for word');
  assert.equal(lab.registry.byId('pump-n')?.state, 'registered');
  assert.equal(await revoke(), 'done');
  assert.equal(await revoke(), 'E_OPERATE_SECOND_PERSON', 'once');
  const acts = lab.recorded.filter(({ action }) => action.startsWith('approval.'));
  assert.deepEqual(
    acts.map(({ action, principal }) => [action, principal]),
    [
      ['approval.ask', 'person:ada'],
      ['approval.approve', 'person:bob'],
      ['approval.ask', 'person:ada'],
      ['approval.ask', 'person:ada'],
    ],
  );
});

test('who approves sees no secret of the request', async (t) => {
  const lab = openLab(t);
  lab.deps.policies.authorizer.activate(`${DEFAULT_POLICY}
forbid (principal, action in [Action::"oidc:manage", Action::"ca:root"], resource)
unless { context.secondPerson };`);
  const ada = signIn(lab, 'administrator', 'totp', 'ada');
  const bob = signIn(lab, 'administrator', 'totp', 'bob');
  const secret = 'correct horse battery';
  for (const [path, body] of [
    ['/v1/oidc', { issuer: 'https://id.example', clientSecret: secret }],
    ['/v1/ca/root/export', { passphrase: secret }],
  ] as const) {
    const answer = await lab.call('POST', path, { session: ada, body });
    assert.equal(await codeOf(answer), 'E_OPERATE_SECOND_PERSON');
  }
  const listed = await (await lab.call('GET', '/v1/approvals', { session: bob })).text();
  assert.match(listed, /id\.example/);
  assert.match(listed, /\(secret\)/);
  assert.ok(!listed.includes(secret));
});

for (const how of ['disable', 'remove', 'role', 'reset-factors'] as const) {
  test(`an approval counts no more after a ${how} of who gave it`, async (t) => {
    const lab = openLab(t);
    addDevices(lab);
    lab.deps.policies.authorizer.activate(TWO_PEOPLE);
    const ada = signIn(lab, 'administrator', 'totp', 'ada');
    const bob = signIn(lab, 'security-officer', 'totp', 'bob');
    const revoke = (): Promise<Response> =>
      lab.call('POST', '/v1/devices/pump-n/revoke', { session: ada, body: { reason: 'stolen' } });
    assert.equal(await codeOf(await revoke()), 'E_OPERATE_SECOND_PERSON');
    const [approval] = await waiting(lab, bob);
    const path = `/v1/approvals/${approval?.id}/approve`;
    assert.equal((await lab.call('POST', path, { session: bob })).status, 200);
    const [method, rest] = how === 'remove' ? ['DELETE', ''] : ['POST', `/${how}`];
    const changed = await lab.call(method, `/v1/people/bob${rest}`, {
      token: lab.localToken,
      // A role that has the right, too: it is not the one with which it was given.
      ...(how === 'role' && { body: { role: 'administrator' } }),
    });
    assert.ok(changed.ok, how);
    assert.equal(await codeOf(await revoke()), 'E_OPERATE_SECOND_PERSON');
    assert.equal(lab.registry.byId('pump-n')?.state, 'registered');
  });
}

test('an approval ends after an hour, or when it is refused', async (t) => {
  const lab = openLab(t);
  addDevices(lab);
  lab.deps.policies.authorizer.activate(TWO_PEOPLE);
  const ada = signIn(lab, 'administrator', 'totp', 'ada');
  const ask = async (): Promise<string | undefined> => {
    const body = { reason: 'stolen' };
    await lab.call('POST', '/v1/devices/pump-n/revoke', { session: ada, body });
    return (await waiting(lab, ada))[0]?.id;
  };
  const first = await ask();
  lab.clock.advance(APPROVAL_LIFE_MS / 2 - 1);
  signIn(lab, 'viewer');
  assert.equal(await ask(), first);
  const bob = signIn(lab, 'administrator', 'totp', 'bob');
  const refusal = await lab.call('POST', `/v1/approvals/${first}/refuse`, { session: bob });
  assert.equal(refusal.status, 204);
  const second = await ask();
  assert.notEqual(second, first);
  lab.deps.policies.authorizer.activate(TWO_PEOPLE);
  // Used every now and then, so that the session does not go idle.
  for (let passed = 0; passed < APPROVAL_LIFE_MS; passed += APPROVAL_LIFE_MS / 4) {
    lab.clock.advance(APPROVAL_LIFE_MS / 4);
    await lab.call('GET', '/v1/me', { session: ada });
  }
  assert.deepEqual(await waiting(lab, ada), []);
});

test('requests are limited for each principal, and for strangers by network [E_OPERATE_RATE]', async (t) => {
  const lab = openLab(t);
  const session = signIn(lab, 'viewer');
  for (let n = 0; n < PRINCIPAL_REQUESTS_PER_MINUTE_MAX; n += 1) {
    assert.equal((await lab.call('GET', '/v1/me', { session })).status, 200);
  }
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 429);
  for (let n = 0; n < STRANGER_REQUESTS_PER_MINUTE_MAX; n += 1) {
    assert.equal((await lab.call('GET', '/healthz')).status, 200);
  }
  assert.equal((await lab.call('GET', '/healthz')).status, 429);
  assert.equal((await lab.call('GET', '/v1/me')).status, 429);
  const other = await lab.call('GET', '/healthz', { address: '198.51.100.7' });
  assert.equal(other.status, 200);
  const neighbor = await lab.call('GET', '/v1/server', { session: signIn(lab, 'auditor') });
  assert.equal(neighbor.status, 200, 'who has a credential goes on behind the same router');
  lab.clock.advance(60_000);
  assert.equal((await lab.call('GET', '/v1/me', { session })).status, 200);
});

test('a route has to say what it needs, and to ask for it', async (t) => {
  const lab = openLab(t);
  const routes = new Routes(lab.deps);
  const responses = { 200: text('x') };
  const handler = (c: { text: (body: string, status: 200) => Response }): Response =>
    c.text('x', 200);
  const add = routes.add.bind(routes) as (needs: unknown, config: object, done: unknown) => void;
  const config = { method: 'get', path: '/v1/x', responses };
  assert.throws(() => add({ action: 'device:read', on: 'device' }, config, handler), /no device/);
  assert.throws(
    () => add({ action: 'device:read', on: 'server' }, config, handler),
    /not an action/,
  );
  assert.throws(() => add({ action: 'no:such', on: 'server' }, config, handler), /not an action/);
  const onDevice = { action: 'device:read', on: 'device' } as const;
  const get = { method: 'get', path: '/v1/x', responses } as const;
  // @ts-expect-error -- a path that names no device does not compile
  assert.throws(() => routes.add(onDevice, get, handler));
  let asks = false;
  routes.add(
    { action: 'device:read', on: 'devices' },
    { method: 'get', path: '/v1/y', responses },
    (c) => {
      if (asks) c.get('access').filter([]);
      return c.text('secret', 200);
    },
  );
  routes.app.onError((_error, c) => c.text('a fault', 500));
  const headers = { authorization: `Bearer ${lab.localToken}` };
  const env = { incoming: { socket: { remoteAddress: '::1' } } } as unknown as HttpBindings;
  const fetch = (): Response | Promise<Response> =>
    routes.app.fetch(new Request(`${ORIGIN}/v1/y`, { headers }), env);
  const forgotten = await fetch();
  assert.equal(forgotten.status, 500);
  assert.doesNotMatch(await forgotten.text(), /secret/);
  asks = true;
  assert.equal((await fetch()).status, 200);
});

/** Calls `then` before each call of a method. */
function count<T extends object>(t: TestContext, on: T, name: keyof T, then: () => void): void {
  const original: unknown = on[name];
  assert.ok(typeof original === 'function');
  t.mock.method(
    on,
    name as never,
    function (this: T, ...args: unknown[]): unknown {
      then();
      return Reflect.apply(original, this, args);
    } as never,
  );
}

function fail(): never {
  throw new Error('nobody is there');
}
