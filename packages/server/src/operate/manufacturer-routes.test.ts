import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { codeOf, openLab } from './lab.testing.ts';

const command = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout /dev/null';
const run = spawnSync('openssl', [...command.split(' '), '-subj', '/O=Acme/CN=devices']);
const certificatesPem = run.stdout.toString();
const IDEVID = '/v1/devices/dev-1/idevid';

async function open(t: TestContext) {
  const lab = openLab(t);
  const as = (method: string, path: string, body?: unknown): Promise<Response> =>
    lab.call(method, path, { token: lab.localToken, body });
  await as('POST', '/v1/devices', { id: 'dev-1', class: 'sensor' });
  const add = (name = 'acme', pem = certificatesPem): Promise<Response> =>
    as('POST', '/v1/manufacturers', { name, certificatesPem: pem });
  const actions = (): unknown[] => lab.recorded.map(({ action, target }) => [action, target]);
  return { ...lab, as, add, actions };
}

test('a manufacturer is added, listed and removed, each on the audit log', async (t) => {
  const { as, add, recorded } = await open(t);
  const added = await add();
  assert.equal(added.status, 201);
  const view = (await added.json()) as { authorities: unknown[]; deviceCount: number };
  assert.equal(view.deviceCount, 0);
  assert.partialDeepStrictEqual(view.authorities, [{ subject: 'O=Acme, CN=devices' }]);
  assert.deepEqual(await (await as('GET', '/v1/manufacturers')).json(), { manufacturers: [view] });
  assert.equal(await codeOf(await add()), 'E_OPERATE_CONFLICT');
  assert.equal((await as('DELETE', '/v1/manufacturers/acme')).status, 204);
  const absent = await as('DELETE', '/v1/manufacturers/acme');
  assert.equal(await codeOf(absent), 'E_OPERATE_NOT_FOUND');
  assert.deepEqual(
    recorded.slice(-2).map(({ action, target }) => [action, target]),
    [
      ['manufacturer.add', 'acme'],
      ['manufacturer.remove', 'acme'],
    ],
  );
});

test('what is no authority is refused, and not recorded', async (t) => {
  const { add, actions } = await open(t);
  for (const pem of ['x', certificatesPem.replace('BEGIN CERT', 'BEGIN X')]) {
    assert.equal(await codeOf(await add('acme', pem)), 'E_OPERATE_INPUT');
  }
  assert.equal(await codeOf(await add('not a name')), 'E_OPERATE_INPUT');
  assert.ok(!JSON.stringify(actions()).includes('manufacturer'));
});

test('an IDevID is allowed by one of its serial numbers', async (t) => {
  const { as, add, deps, actions } = await open(t);
  await add();
  const allowed = await as('POST', IDEVID, { manufacturer: 'acme', serial: 'AC-1' });
  assert.equal(allowed.status, 201);
  assert.deepEqual(await allowed.json(), {
    device: 'dev-1',
    manufacturer: 'acme',
    serial: 'AC-1',
  });
  const other = await as('POST', IDEVID, { manufacturer: 'acme', certificateSerial: '00:0A:FF' });
  assert.equal(((await other.json()) as { certificateSerial: string }).certificateSerial, 'aff');
  const { kind, serial } = deps.manufacturers.allowanceOf('dev-1') ?? {};
  assert.deepEqual([kind, serial], ['certificate-serial', 'aff']);
  assert.deepEqual(actions().at(-1), ['device.allow-idevid', 'dev-1']);
  const both = { manufacturer: 'acme', serial: 'A', certificateSerial: '0a' };
  for (const body of [
    both,
    { manufacturer: 'acme' },
    { manufacturer: 'acme', certificateSerial: 'xy' },
  ]) {
    assert.equal(await codeOf(await as('POST', IDEVID, body)), 'E_OPERATE_INPUT');
  }
  const unknown = await as('POST', IDEVID, { manufacturer: 'nobody', serial: 'A' });
  assert.equal(await codeOf(unknown), 'E_OPERATE_NOT_FOUND');
});

test('a stopped device is allowed nothing, and a revoked one comes back by it', async (t) => {
  const { as, add, registry } = await open(t);
  await add();
  const allow = (): Promise<Response> => as('POST', IDEVID, { manufacturer: 'acme', serial: 'A' });
  registry.changeState('dev-1', { act: 'revoke', by: 'local', reason: 'lost' });
  assert.equal((await allow()).status, 201);
  assert.equal(registry.byId('dev-1')?.state, 'registered');
  registry.changeState('dev-1', { act: 'retire', by: 'local', reason: 'gone' });
  assert.equal(await codeOf(await allow()), 'E_OPERATE_CONFLICT');
});

test('a manufacturer that is removed meanwhile lets no revoked device come back', async (t) => {
  const { as, add, registry, deps, journal } = await open(t);
  await add();
  registry.changeState('dev-1', { act: 'revoke', by: 'local', reason: 'lost' });
  journal.beforeRecord = () => void deps.manufacturers.remove('acme');
  const late = await as('POST', IDEVID, { manufacturer: 'acme', serial: 'A' });
  assert.equal(await codeOf(late), 'E_OPERATE_NOT_FOUND');
  assert.equal(registry.byId('dev-1')?.state, 'revoked');
});
