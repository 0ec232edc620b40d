import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseClaim } from '@holdfast/protocol';
import {
  ActListSchema,
  ChangedDeviceSchema,
  ClaimedDeviceSchema,
  CreatedTokenSchema,
  DeviceDetailSchema,
  DeviceListSchema,
  MeSchema,
  ReadingListSchema,
  RefusalListSchema,
  SentCommandSchema,
  ServerInfoSchema,
  TokenListSchema,
} from '@holdfast/protocol/api';
import type { z } from 'zod';
import { ORIGIN, PASSWORD, codeOf, openLab, present, sessionOf } from './lab.testing.ts';

/** The body of an answer, which must have this status and exactly this shape. */
async function parsed<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  status: number,
  answer: Response,
): Promise<z.infer<z.ZodObject<Shape>>> {
  assert.equal(answer.status, status);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  const body: unknown = await answer.json();
  const value = schema.parse(body);
  assert.deepEqual(value, body, 'the answer has fields that the schema does not name');
  return value;
}

test('the server says what it is to whoever may know, and nothing more', async (t) => {
  const { call, localToken: token } = openLab(t);
  assert.match(await (await call('GET', '/')).text(), /^This is the API of a Holdfast server/);
  assert.equal(await (await call('GET', '/healthz')).text(), 'ok\n');
  const info = await parsed(ServerInfoSchema, 200, await call('GET', '/v1/server', { token }));
  assert.equal(info.api, ORIGIN);
  assert.equal(info.startedAt, '2026-11-21T00:00:00.000Z');
  const metrics = await call('GET', '/metrics', { token });
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=/);
  assert.match(await metrics.text(), /^holdfast_lab_total 1$/m);
});

test('readiness follows the journal', async (t) => {
  const lab = openLab(t);
  assert.equal((await lab.call('GET', '/readyz')).status, 200);
  lab.journal.isReady = false;
  const answer = await lab.call('GET', '/readyz');
  assert.equal(answer.status, 503);
  assert.equal(await answer.text(), 'not ready\n');
});

test('a person signs in, makes a token and signs out', async (t) => {
  const lab = openLab(t);
  const { call, people } = lab;
  const code = people.renewFirstCode()?.expose() ?? '';
  const body = { code, name: 'ada', password: PASSWORD };
  const first = await call('POST', '/v1/sign-in/first', { body });
  const session = sessionOf(first);
  const me = await parsed(MeSchema, 201, first);
  assert.deepEqual(me, {
    principal: 'person:ada',
    role: 'administrator',
    credential: 'session',
    expiresAt: '2026-11-21T12:00:00.000Z',
    steppedUpAt: '2026-11-21T00:00:00.000Z',
  });
  // The code came by the terminal; a password alone is good for adding a second factor to it.
  const again = await call('POST', '/v1/sign-in', { body: { name: 'ada', password: PASSWORD } });
  assert.notEqual(sessionOf(again), session);
  const { steppedUpAt: _steppedUpAt, ...limited } = { ...me, needsSecondFactor: true };
  assert.deepEqual(await parsed(MeSchema, 200, again), limited);
  const { may = [], ...asked } = await parsed(
    MeSchema,
    200,
    await call('GET', '/v1/me', { session }),
  );
  assert.deepEqual(asked, me);
  assert.ok(may.includes('person:manage'));

  const wish = { session, body: { label: 'lab', lifeMs: 60_000 } };
  const made = await parsed(CreatedTokenSchema, 201, await call('POST', '/v1/tokens', wish));
  assert.match(made.token, /^hf_[\w-]{43}$/);
  assert.equal(made.expiresAt, '2026-11-21T00:01:00.000Z');
  const { token } = made;
  const tokenMe = await parsed(MeSchema, 200, await call('GET', '/v1/me', { token }));
  assert.deepEqual([tokenMe.principal, tokenMe.credential], ['person:ada', 'token']);
  const list = await parsed(TokenListSchema, 200, await call('GET', '/v1/tokens', { token }));
  const createdAt = '2026-11-21T00:00:00.000Z';
  const listed = { label: 'lab', principal: 'person:ada', createdAt, expiresAt: made.expiresAt };
  assert.deepEqual(list.tokens, [{ id: made.id, ...listed }]);
  // As packages/client sends it: without a body, and so without a content type.
  assert.equal((await call('DELETE', `/v1/tokens/${made.id}`, { session })).status, 204);
  assert.equal((await call('DELETE', `/v1/tokens/${made.id}`, { session })).status, 404);

  const out = await call('POST', '/v1/sign-out', { session });
  assert.equal(out.status, 204);
  assert.match(out.headers.get('set-cookie') ?? '', /^__Host-holdfast=; Max-Age=0; Path=\/;/);
  assert.deepEqual(
    lab.recorded.map(({ action, principal, target }) => [action, principal, target]),
    [
      ['person.first-sign-in', 'person:ada', undefined],
      ['person.sign-in', 'person:ada', undefined],
      ['token.create', 'person:ada', made.id],
      ['token.remove', 'person:ada', made.id],
      ['person.sign-out', 'person:ada', undefined],
    ],
  );
  const acts = JSON.stringify(lab.recorded);
  for (const secret of [code, PASSWORD, session, token]) assert.ok(!acts.includes(secret));
});

test('a device is added, claimed, commanded and revoked', async (t) => {
  const lab = openLab(t);
  const { call, localToken: token, registry } = lab;
  const body = { id: 'dev-1', class: 'sensor' };
  const path = '/v1/devices/dev-1';
  const added = await parsed(
    ClaimedDeviceSchema,
    201,
    await call('POST', '/v1/devices', { token, body }),
  );
  assert.equal(added.device.state, 'registered');
  const claim = parseClaim(added.claim.text);
  assert.equal(claim?.deviceId, 'dev-1');
  assert.equal(claim?.secret, added.claim.secret);
  assert.equal(added.claim.expiresAt, '2026-11-22T00:00:00.000Z');
  const conflict = await call('POST', '/v1/devices', { token, body });
  assert.equal(conflict.status, 409);
  assert.equal(await codeOf(conflict), 'E_OPERATE_CONFLICT');

  const list = await parsed(DeviceListSchema, 200, await call('GET', '/v1/devices', { token }));
  assert.deepEqual(list.devices, [{ ...added.device, online: false, hasOwner: false }]);
  const second = await call('POST', `${path}/claim`, { token });
  const reclaimed = await parsed(ClaimedDeviceSchema, 201, second);
  assert.notEqual(reclaimed.claim.secret, added.claim.secret);

  const command = { name: 'open', body: { angle: 90 } };
  const sent = await call('POST', `${path}/commands`, { token, body: command });
  assert.deepEqual(await parsed(SentCommandSchema, 201, sent), { index: 1, receivers: 1 });

  const revocation = { token, body: { reason: 'stolen' } };
  const revoked = await call('POST', `${path}/revoke`, revocation);
  const { device } = await parsed(ChangedDeviceSchema, 200, revoked);
  assert.deepEqual([device.state, device.stateReason], ['revoked', 'stolen']);
  const shown = await parsed(DeviceDetailSchema, 200, await call('GET', path, { token }));
  const facts = { online: false, hasOwner: false };
  assert.deepEqual(shown, { device: { ...device, ...facts }, certificates: [] });
  assert.equal(registry.claimOf('dev-1'), undefined);

  // A claim is the operator's word that the device may come back.
  const lifted = await parsed(
    ClaimedDeviceSchema,
    201,
    await call('POST', `${path}/claim`, { token }),
  );
  assert.equal(lifted.device.state, 'registered');
  assert.deepEqual(
    lab.recorded.map(({ action, principal, target, reason, facts }) => ({
      action,
      principal,
      target,
      reason,
      facts,
    })),
    [
      ['device.add', undefined, { class: 'sensor', group: '' }],
      ['device.claim', undefined, { stateBefore: 'registered' }],
      ['device.revoke', 'stolen', { stateBefore: 'registered', stateAfter: 'revoked', group: '' }],
      ['device.claim', undefined, { stateBefore: 'revoked' }],
    ].map(([action, reason, facts]) => ({
      action,
      principal: 'local',
      target: 'dev-1',
      reason,
      facts,
    })),
  );
  const acts = JSON.stringify(lab.recorded);
  assert.ok(!acts.includes(added.claim.secret) && !acts.includes(reclaimed.claim.secret));
});

test('certificates of a device are shown', async (t) => {
  const { call, localToken: token, registry } = openLab(t);
  await call('POST', '/v1/devices', { token, body: { id: 'dev-1', class: 'sensor' } });
  const device = registry.byId('dev-1') ?? assert.fail('no device');
  const certificate = {
    fingerprint: 'ab',
    serial: 'cd',
    deviceId: 'dev-1',
    status: 'current' as const,
    notBeforeMs: Date.UTC(2026, 0, 1),
    notAfterMs: Date.UTC(2027, 0, 1),
  };
  const claim = { deviceId: 'dev-1', secretHash: 'ef', expiresAtMs: 0 };
  registry.completeEnrollment(device, { certificate, claim });
  const answer = await call('GET', '/v1/devices/dev-1', { token });
  const { certificates } = await parsed(DeviceDetailSchema, 200, answer);
  const [notBefore, notAfter] = ['2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'];
  const shown = { fingerprint: 'ab', serial: 'cd', status: 'current', notBefore, notAfter };
  assert.deepEqual(certificates, [shown]);
});

test('a device that must stay out gets no claim, and no act says that it did', async (t) => {
  const { call, localToken: token, registry, recorded } = openLab(t);
  for (const [state, acts] of [
    ['quarantined', ['enroll', 'quarantine']],
    ['suspended', ['enroll', 'suspend']],
    ['retired', ['retire']],
  ] as const) {
    await call('POST', '/v1/devices', { token, body: { id: state, class: 'sensor' } });
    const device = registry.byId(state) ?? assert.fail('no device');
    for (const act of acts) {
      present(registry.changeState(device.id, { act, by: 'local', reason: 'for the test' }));
    }
    const before = recorded.length;
    const answer = await call('POST', `/v1/devices/${state}/claim`, { token });
    assert.equal(answer.status, 409, state);
    assert.equal(recorded.length, before);
  }
});

test('histories come in pages, newest first', async (t) => {
  const lab = openLab(t);
  const { call, localToken: token } = lab;
  await call('POST', '/v1/devices', { token, body: { id: 'dev-1', class: 'sensor' } });
  const atMs = lab.clock.ms;
  const at = new Date(atMs).toISOString();
  for (const index of [3, 5]) {
    const topic = 'd/dev-1/telemetry';
    const payload = `{"n": ${index}}`;
    lab.readings.push({ index, atMs, deviceId: 'dev-1', topic, kid: '1.1', payload });
    lab.refusals.push({ index, atMs, code: 'E_VERIFY_SIG', detail: 'no match', count: 2 });
    lab.acts.push({ index, atMs, action: 'device.add', principal: 'local', target: 'dev-1' });
  }
  const readings = await parsed(
    ReadingListSchema,
    200,
    await call('GET', '/v1/devices/dev-1/readings?limit=1', { token }),
  );
  const reading = { index: 5, at, device: 'dev-1', topic: 'd/dev-1/telemetry', kid: '1.1' };
  assert.deepEqual(readings.readings, [{ ...reading, payload: '{"n": 5}' }]);
  const older = await call('GET', '/v1/refusals?before=5', { token });
  const { refusals } = await parsed(RefusalListSchema, 200, older);
  assert.deepEqual(
    refusals.map(({ index, code, detail, count }) => [index, code, detail, count]),
    [[3, 'E_VERIFY_SIG', 'no match', 2]],
  );
  assert.match(refusals[0]?.fix ?? '', /payload\.key/);
  const { acts } = await parsed(ActListSchema, 200, await call('GET', '/v1/audit/acts', { token }));
  assert.deepEqual(
    acts.map(({ index, action }) => [index, action]),
    [
      [5, 'device.add'],
      [3, 'device.add'],
    ],
  );
  assert.deepEqual(lab.readings.pages, [{ limit: 1 }]);
  assert.deepEqual(lab.refusals.pages, [{ limit: 100, before: 5 }]);
  for (const path of ['readings', 'readings/stream', 'claim']) {
    const method = path === 'claim' ? 'POST' : 'GET';
    const answer = await call(method, `/v1/devices/absent/${path}`, { token });
    assert.equal(answer.status, 404, path);
  }
});

test('the checkpoint is given byte for byte', async (t) => {
  const { call, localToken: token, deps } = openLab(t);
  const answer = await call('GET', '/v1/audit/checkpoint', { token });
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; charset=UTF-8$/i);
  assert.equal(await answer.text(), deps.checkpoint());
});
