/**
 * Goal: a token with a scope does inside it what its person may, at every route and in every
 * stream. Method: an administrator makes tokens, so that only the scope can be what refuses.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MeSchema, TOKEN_SCOPE_ACTIONS_MAX, TokenListSchema } from '@holdfast/protocol/api';
import { People } from '../registry/index.ts';
import { type Lab, StreamReader, codeOf, openLab, present } from './lab.testing.ts';

interface Scope {
  readonly actions?: readonly string[];
  readonly group?: string;
}

async function openFleet(t: Parameters<typeof openLab>[0]) {
  const lab = openLab(t);
  present(lab.registry.add({ id: 'pump-n', class: 'sensor', group: 'north' }));
  present(lab.registry.add({ id: 'pump-s', class: 'sensor', group: 'south' }));
  const session = await lab.signInFirst();
  const tokenOf = async (scope: Scope): Promise<string> => {
    const body = { label: 'scoped', scope };
    const answer = await lab.call('POST', '/v1/tokens', { session, body });
    assert.equal(answer.status, 201, await answer.clone().text());
    return ((await answer.json()) as { token: string }).token;
  };
  return { lab, session, tokenOf };
}

const statusOf = async (lab: Lab, token: string, method: string, path: string, body?: object) =>
  (await lab.call(method, path, { token, ...(body && { body }) })).status;

test('a token that reads changes nothing', async (t) => {
  const { lab, tokenOf } = await openFleet(t);
  const token = await tokenOf({ actions: ['reads'] });
  const reason = { reason: 'a test' };
  for (const path of [
    '/v1/devices',
    '/v1/devices/pump-s',
    '/v1/server',
    '/v1/audit/acts',
    '/v1/me',
  ]) {
    assert.equal(await statusOf(lab, token, 'GET', path), 200, path);
  }
  for (const [path, body] of [
    ['/v1/devices', { id: 'dev-1', class: 'sensor' }],
    ['/v1/device-imports', { devices: [{ id: 'dev-1', class: 'sensor' }] }],
    ['/v1/devices/pump-n/quarantine', reason],
    ['/v1/devices/pump-n/commands', { name: 'stop', body: {} }],
  ] as const) {
    const answer = await lab.call('POST', path, { token, body });
    assert.equal(answer.status, 403, path);
    assert.equal(await codeOf(answer), 'E_OPERATE_FORBIDDEN');
  }
  assert.equal(lab.registry.byId('pump-n')?.state, 'registered');
  assert.equal(lab.registry.byId('dev-1'), undefined);
});

test('a token for a group sees no other device, in no list, and nothing of the server', async (t) => {
  const { lab, tokenOf } = await openFleet(t);
  const token = await tokenOf({ group: 'north' });
  const idsOf = async (path: string): Promise<string[]> => {
    const text = await (await lab.call('GET', path, { token })).text();
    return ['pump-n', 'pump-s'].filter((id) => text.includes(id));
  };
  assert.deepEqual(await idsOf('/v1/devices?count=yes'), ['pump-n']);
  assert.deepEqual(await idsOf('/v1/export/devices?format=csv'), ['pump-n']);
  const facets = await (await lab.call('GET', '/v1/device-facets', { token })).text();
  assert.match(facets, /"devices":1,[^]*north/u);
  assert.doesNotMatch(facets, /south/u);
  const select = { devices: ['pump-n', 'pump-s'] };
  const plan = { act: 'quarantine', select };
  const planned = await lab.call('POST', '/v1/device-acts/plan', { token, body: plan });
  assert.doesNotMatch(await planned.text(), /"devices":2/u);
  // It is absent, in the words for one that is not there.
  const shown = async (id: string): Promise<string> =>
    (await (await lab.call('GET', `/v1/devices/${id}`, { token })).text()).replaceAll(id, '<id>');
  assert.equal(await shown('pump-s'), await shown('pump-x'));
  const reason = { reason: 'a test' };
  const act = (id: string) => statusOf(lab, token, 'POST', `/v1/devices/${id}/quarantine`, reason);
  // The device is inside; that it is registered only is what is in the way then.
  assert.deepEqual([await act('pump-n'), await act('pump-s')], [409, 404]);
  const added = (group: string) =>
    statusOf(lab, token, 'POST', '/v1/devices', { id: `new-${group}`, class: 'sensor', group });
  assert.deepEqual([await added('north'), await added('south')], [201, 403]);
  for (const path of ['/v1/server', '/v1/audit/acts', '/v1/overview', '/v1/live', '/v1/people']) {
    assert.equal(await statusOf(lab, token, 'GET', path), 403, path);
  }
});

test('chosen actions are what it may do, and all that it is told', async (t) => {
  const { lab, tokenOf } = await openFleet(t);
  const token = await tokenOf({ actions: ['device:claim', 'device:read'], group: 'north' });
  const me = MeSchema.parse(await (await lab.call('GET', '/v1/me', { token })).json());
  assert.deepEqual(me.may, ['device:claim', 'device:read']);
  assert.deepEqual(me.scope, { actions: ['device:claim', 'device:read'], group: 'north' });
  const rights = await lab.call('GET', '/v1/devices/pump-n/rights', { token });
  const { acts } = (await rights.json()) as { acts: { act: string; isPossible: boolean }[] };
  assert.deepEqual(
    acts.filter(({ isPossible }) => isPossible).map(({ act }) => act),
    ['claim'],
  );
});

test('a scope is told in the list and by the act, and its absence too', async (t) => {
  const { lab, session, tokenOf } = await openFleet(t);
  await tokenOf({ actions: ['reads'] });
  await lab.createToken(session);
  const answer = await lab.call('GET', '/v1/tokens', { session });
  const { tokens } = TokenListSchema.parse(await answer.json());
  assert.deepEqual(
    tokens.map(({ scope }) => scope),
    [{ actions: ['reads'] }, undefined],
  );
  const made = lab.recorded.filter(({ action }) => action === 'token.create');
  assert.deepEqual(
    made.map(({ facts }) => facts?.['scope']),
    [{ actions: ['reads'] }, undefined],
  );
});

test('no scope lets a token near tokens, sessions and factors', async (t) => {
  const { lab, session, tokenOf } = await openFleet(t);
  const { id } = await lab.createToken(session);
  const token = await tokenOf({ actions: ['reads', 'dangerous', 'session:end', 'token:end'] });
  for (const [method, path] of [
    ['POST', '/v1/tokens'],
    ['GET', '/v1/tokens'],
    ['DELETE', `/v1/tokens/${id}`],
    ['POST', '/v1/step-up'],
    ['POST', '/v1/me/totp'],
    ['DELETE', '/v1/me/totp'],
    ['POST', '/v1/me/password'],
    ['POST', '/v1/me/passkey-options'],
    ['DELETE', `/v1/me/sessions/${id}`],
    ['GET', '/v1/approvals'],
  ] as const) {
    const body = { label: 'another', code: '123456', password: 'x'.repeat(12) };
    const answer = await lab.call(method, path, { token, body });
    assert.equal(answer.status, 403, `${method} ${path}`);
    assert.equal(await codeOf(answer), 'E_OPERATE_FORBIDDEN', path);
  }
  // A dangerous act asks for a second factor, which a token never has.
  const erase = await lab.call('POST', '/v1/devices/pump-n/erase', {
    token: await tokenOf({ actions: ['device:erase'] }),
    body: { reason: 'a test' },
  });
  assert.equal(await codeOf(erase), 'E_OPERATE_STEP_UP');
  assert.equal(lab.people.tokens().length, 3);
});

test('a scope names what there is, and 1 to 32 of it', async (t) => {
  const { lab, session } = await openFleet(t);
  const make = async (scope: unknown): Promise<number> => {
    const body = { label: 'scoped', scope };
    return (await lab.call('POST', '/v1/tokens', { session, body })).status;
  };
  const many = Array.from({ length: TOKEN_SCOPE_ACTIONS_MAX }, () => 'reads');
  assert.equal(await make({ actions: many }), 201);
  assert.equal(await make({ group: 'north' }), 201);
  for (const scope of [
    {},
    null,
    'reads',
    ['reads'],
    { actions: [] },
    { actions: 'reads' },
    { actions: [...many, 'reads'] },
    { actions: ['read'] },
    { actions: ['reads', 'self:secure'] },
    { actions: ['token:manage'] },
    { group: '' },
    { actions: ['reads'], group: 'a b' },
    { actions: ['reads'], role: 'viewer' },
  ]) {
    assert.equal(await make(scope), 400, JSON.stringify(scope));
  }
  assert.equal(lab.people.tokens().length, 2);
});

test('a stream is inside the scope, and ends when its device leaves the group', async (t) => {
  const { lab, tokenOf } = await openFleet(t);
  const token = await tokenOf({ actions: ['device:read'], group: 'north' });
  const open = (path: string) => lab.call('GET', path, { token });
  assert.equal((await open('/v1/devices/pump-s/readings/stream')).status, 404);
  assert.equal((await open('/v1/refusals/stream')).status, 403);
  const reader = new StreamReader(await open('/v1/devices/pump-n/readings/stream'));
  assert.equal(await reader.next(), ': open\n\n');
  const facts = { deviceId: 'pump-n', topic: 'd/pump-n/telemetry', kid: '1.1', payload: '{}' };
  lab.readings.push({ index: 1, atMs: lab.clock.ms, ...facts });
  assert.match((await reader.next()) ?? '', /^event: reading\nid: 1\n/u);
  lab.registry.setGroup(['pump-n'], 'south');
  lab.readings.push({ index: 2, atMs: lab.clock.ms, ...facts });
  assert.equal(await reader.next(), undefined);
});

test('a scope outlives a restart, and follows the rights of its person', async (t) => {
  const { lab, tokenOf } = await openFleet(t);
  const token = await tokenOf({ actions: ['device:read', 'audit:read'] });
  assert.equal(await statusOf(lab, token, 'GET', '/v1/audit/acts'), 200);
  const again = new People(lab.store, lab.deps);
  assert.deepEqual(again.callerOfToken(token)?.scope, { actions: ['device:read', 'audit:read'] });
  lab.deps.policies.authorizer.activate(
    'permit (principal, action == Action::"device:read", resource);',
  );
  assert.equal(await statusOf(lab, token, 'GET', '/v1/devices'), 200);
  assert.equal(await statusOf(lab, token, 'GET', '/v1/audit/acts'), 403);
});
