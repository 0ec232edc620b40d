import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import {
  type Answer,
  type LabDevice,
  type UpdateLab,
  openUpdateLab,
} from '../delivery/lab.testing.ts';
import { LOG_BYTES_MAX } from './limits.ts';

const IMAGE = randomBytes(20_000);
const AUTH = '/api/devices/v1/authentication/auth_requests';
const DEPLOYMENTS = '/api/devices/v1/deployments/device/deployments';
const NEXT = '/api/devices/v2/deployments/device/deployments/next';
const IDENTITY = { id_data: '{"mac":"00:11:22:33:44:55"}', tenant_token: '', pubkey: 'PEM' };

interface SetUp {
  readonly lab: UpdateLab;
  readonly pump: LabDevice;
  readonly send: (method: string, path: string, body?: unknown) => Promise<Answer>;
  /** The number of what is offered; undefined for nothing. */
  readonly next: (provides?: Record<string, string>) => Promise<string | undefined>;
}

async function tokenOf(lab: UpdateLab, device: LabDevice): Promise<string> {
  const answer = await lab.ask(device, { path: AUTH, method: 'POST', body: IDENTITY });
  assert.equal(answer.status, 200);
  return answer.text;
}

async function setUp(t: TestContext): Promise<SetUp> {
  const lab = await openUpdateLab(t);
  const pump = lab.addDevice('pump-1');
  await lab.updates.assign(pump.id, lab.updates.add(IMAGE, { name: 'a.mender', version: '2.0.0' }));
  const headers = { authorization: `Bearer ${await tokenOf(lab, pump)}` };
  const send: SetUp['send'] = (method, path, body) =>
    lab.ask(pump, { method, path, body, headers });
  return {
    lab,
    pump,
    send,
    async next(provides = { artifact_name: 'thermostat@1.0.0', device_type: 'thermo-a' }) {
      const body = { device_provides: provides, update_control_map: true };
      const answer = await send('POST', NEXT, body);
      return answer.status === 204 ? undefined : (answer.json() as { id: string }).id;
    },
  };
}

test('an update, from the question to the result', async (t) => {
  const { lab, pump, send, next } = await setUp(t);
  const provides = { artifact_name: 'thermostat@1.0.0', device_type: 'thermo-a' };
  const offered = await send('POST', NEXT, { device_provides: provides, update_control_map: true });
  const { id, artifact } = offered.json() as {
    id: string;
    artifact: { artifact_name: string; device_types_compatible: string[]; source: { uri: string } };
  };
  assert.equal(artifact.artifact_name, 'thermostat@2.0.0');
  assert.deepEqual(artifact.device_types_compatible, ['thermo-a']);
  const { pathname: path } = new URL(artifact.source.uri);
  assert.ok((await lab.ask(pump, { path })).bytes.equals(IMAGE), 'for that it shows no token');
  for (const status of ['downloading', 'downloading', 'installing', 'rebooting', 'success']) {
    assert.equal((await send('PUT', `${DEPLOYMENTS}/${id}/status`, { status })).status, 204);
  }
  assert.deepEqual(
    lab.updates.taken.map(({ report }) => report.state),
    ['downloading', 'staged', 'rebooting', 'confirmed'],
  );
  assert.equal(lab.updates.taken.at(-1)?.report.hardware, 'thermo-a');
  assert.equal(await next(), undefined, 'it is done');
  assert.deepEqual(lab.reports, []);
});

test('the older ways to ask, and the inventory', async (t) => {
  const { lab, send } = await setUp(t);
  const body = { artifact_name: 'thermostat@1.0.0', device_type: 'thermo-a' };
  const older = await send('POST', `${DEPLOYMENTS}/next`, body);
  const oldest = await send('GET', `${DEPLOYMENTS}/next?artifact_name=x&device_type=thermo-a`);
  assert.equal(older.text, oldest.text);
  const attributes = [
    { name: 'device_type', value: 'thermo-a' },
    { name: 'list', value: ['a'] },
  ];
  for (const method of ['PUT', 'PATCH']) {
    const path = '/api/devices/v1/inventory/device/attributes';
    assert.equal((await send(method, path, attributes)).status, 200);
  }
  assert.deepEqual(lab.reports, []);
});

test('a device that has it already is not updated', async (t) => {
  const { lab, next } = await setUp(t);
  const provides = { artifact_name: 'thermostat@2.0.0', device_type: 'thermo-a' };
  assert.equal(await next(provides), undefined);
  assert.equal(lab.updates.taken.at(-1)?.report.state, 'confirmed');
  assert.equal(await next(provides), undefined);
  assert.equal(lab.updates.taken.length, 1);
});

test('a failure, and its log, which tells why', async (t) => {
  const { lab, pump, send, next } = await setUp(t);
  const id = (await next()) ?? assert.fail();
  await send('PUT', `${DEPLOYMENTS}/${id}/status`, { status: 'failure' });
  const log = (level: string, message: string) => ({ timestamp: 'x', level, message });
  const large = { messages: [log('error', 'x'.repeat(LOG_BYTES_MAX))] };
  assert.equal((await send('PUT', `${DEPLOYMENTS}/${id}/log`, large)).status, 413);
  const messages = [log('error', 'no signature'), log('info', 'State transition')];
  assert.equal((await send('PUT', `${DEPLOYMENTS}/${id}/log`, { messages })).status, 204);
  const told = lab.updates.taken.map(({ report }) => [report.state, report.why]);
  assert.deepEqual(told, [
    ['failed', undefined],
    ['failed', 'no signature'],
  ]);
  assert.equal(await next(), undefined);
  const again = { messages: [log('error', 'another reason')] };
  assert.equal((await send('PUT', `${DEPLOYMENTS}/${id}/log`, again)).status, 204);
  assert.equal(lab.updates.taken.length, 2, 'a log is read once');
  lab.services.assigned(pump.id);
  assert.notEqual(await next(), undefined, 'who assigns it again means it');
});

test('what is not to go on is aborted', async (t) => {
  const { lab, pump, send, next } = await setUp(t);
  const id = (await next()) ?? assert.fail();
  const third = lab.updates.add(Buffer.from('third'), { version: '3.0.0' });
  await lab.updates.assign(pump.id, third);
  const status = async (word: string): Promise<number> =>
    (await send('PUT', `${DEPLOYMENTS}/${id}/status`, { status: word })).status;
  assert.equal(await status('installing'), 409);
  assert.equal(await status('failure'), 204);
  assert.deepEqual(lab.updates.taken, [], 'the third has not failed');
  assert.notEqual(await next(), id);
});

test('the token is worth nothing without the certificate', async (t) => {
  const { lab, pump, next } = await setUp(t);
  const other = lab.addDevice('pump-2');
  const [token, others] = [await tokenOf(lab, pump), await tokenOf(lab, other)];
  assert.notEqual(token, others);
  const ask = (device: LabDevice | undefined, authorization: string): Promise<Answer> =>
    lab.ask(device, { path: `${DEPLOYMENTS}/next`, headers: { authorization } });
  assert.equal((await ask(pump, `Bearer ${token}`)).status, 200);
  assert.equal((await ask(other, `Bearer ${token}`)).status, 401);
  assert.equal((await ask(undefined, `Bearer ${token}`)).status, 401);
  assert.equal((await ask(pump, `Bearer ${others}`)).status, 401);
  assert.equal((await ask(pump, `Bearer ${token}x`)).status, 401);
  assert.equal((await ask(pump, 'Bearer ')).status, 401);
  assert.deepEqual(
    lab.reports.map(({ refusal, principal }) => [refusal.code, principal]),
    [
      ['E_UPDATE_TOKEN', 'pump-2'],
      ['E_SESSION_NO_CERTIFICATE', undefined],
      ['E_UPDATE_TOKEN', 'pump-1'],
      ['E_UPDATE_TOKEN', 'pump-1'],
    ],
    'a client that has none yet is no refusal',
  );
  assert.notEqual(await next(), undefined);
});

test('what cannot be read, and what was never given, is refused', async (t) => {
  const { lab, pump, send, next } = await setUp(t);
  const id = (await next()) ?? assert.fail();
  assert.equal((await send('PUT', `${DEPLOYMENTS}/${id}/status`, { status: 'fine' })).status, 400);
  assert.equal(
    (await send('PUT', `${DEPLOYMENTS}/2147483646/status`, { status: 'success' })).status,
    404,
  );
  assert.equal((await lab.ask(pump, { path: AUTH, method: 'POST', body: {} })).status, 400);
  assert.equal((await send('GET', '/api/devices/v1/deviceconfig/configuration')).status, 404);
  assert.deepEqual(lab.updates.taken, []);
});
