import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { DeviceRegistry } from './device-registry.ts';
import { MANUFACTURERS_MAX } from './limits.ts';
import { type AllowedIdevid, Manufacturers } from './manufacturers.ts';

const command = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout /dev/null';
const pem = spawnSync('openssl', [...command.split(' '), '-subj', '/CN=maker']).stdout;
const certificates = [new X509Certificate(pem)];

function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-makers-'));
  const unsealKey = new Secret(systemRandom(32));
  const store = new SealedStore(join(folder, 'registry.db'), { unsealKey, random: systemRandom });
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const deps = { clock: systemClock };
  const start = () => {
    const registry = new DeviceRegistry(store, deps);
    return { registry, manufacturers: new Manufacturers(store, { ...deps, registry }) };
  };
  const { registry, manufacturers } = start();
  for (const id of ['a', 'b']) registry.add({ id, class: 'sensor' });
  manufacturers.add({ name: 'acme', certificates });
  return { registry, manufacturers, start };
}

function allowed(
  deviceId: string,
  serial: string,
  more: Partial<AllowedIdevid> = {},
): AllowedIdevid {
  return { deviceId, manufacturer: 'acme', kind: 'serial', serial, ...more };
}

function codeOf(value: unknown): string {
  assert.ok(value instanceof Refusal);
  return value.code;
}

test('manufacturers and what is allowed of them survive a restart', (t) => {
  const { manufacturers, start } = open(t);
  manufacturers.allow(allowed('a', 'S1'));
  const again = start().manufacturers;
  assert.deepEqual(
    again.all().map(({ name, certificates: [one] }) => [name, one?.fingerprint256]),
    [['acme', certificates[0]?.fingerprint256]],
  );
  const idevid = { manufacturer: 'acme', serial: 'S1', certificateSerial: '1' };
  assert.equal(again.find(idevid)?.deviceId, 'a');
  assert.equal(again.countOf('acme'), 1);
  assert.ok(again.remove('acme'));
  assert.equal(again.remove('acme'), false);
  assert.deepEqual([again.find(idevid), start().manufacturers.all()], [undefined, []]);
  assert.equal(start().manufacturers.find(idevid), undefined);
});

test('a serial number is of one kind, of one manufacturer, and for one device', (t) => {
  const { manufacturers } = open(t);
  manufacturers.add({ name: 'other', certificates });
  manufacturers.allow(allowed('a', '17'));
  assert.equal(codeOf(manufacturers.allow(allowed('b', '17'))), 'E_OPERATE_CONFLICT');
  const find = (serial: string | undefined, certificateSerial: string, manufacturer = 'acme') =>
    manufacturers.find({ manufacturer, serial, certificateSerial })?.deviceId;
  assert.equal(find('17', '1'), 'a');
  assert.equal(find(undefined, '17'), undefined);
  assert.equal(find('17', '1', 'other'), undefined);
  manufacturers.allow(allowed('b', '99', { kind: 'certificate-serial' }));
  assert.equal(find('x', '99'), 'b');
  assert.equal(find('17', '99'), undefined, 'a certificate that names two devices is none');
});

test('a new allowance voids the one before it', (t) => {
  const { manufacturers } = open(t);
  manufacturers.allow(allowed('a', 'S1'));
  manufacturers.allow(allowed('a', 'S2'));
  const find = (serial: string) =>
    manufacturers.find({ manufacturer: 'acme', serial, certificateSerial: '1' })?.deviceId;
  assert.deepEqual([find('S1'), find('S2')], [undefined, 'a']);
  assert.ok(!(manufacturers.allow(allowed('b', 'S1')) instanceof Refusal));
});

test('a revocation voids it, also at the next start', (t) => {
  const { manufacturers, registry, start } = open(t);
  const idevid = { manufacturer: 'acme', serial: 'S1', certificateSerial: '1' };
  manufacturers.allow(allowed('a', 'S1'));
  registry.changeState('a', { act: 'revoke', by: 'local', reason: 'stolen' });
  assert.equal(manufacturers.find(idevid), undefined);
  registry.changeState('a', { act: 'readmit', by: 'local', reason: 'found' });
  assert.equal(start().manufacturers.find(idevid), undefined);
});

test('names are taken once, there are so many, and unknown ones allow nothing', (t) => {
  const { manufacturers } = open(t);
  assert.equal(codeOf(manufacturers.add({ name: 'acme', certificates })), 'E_OPERATE_CONFLICT');
  const unknown = manufacturers.allow(allowed('a', 'S1', { manufacturer: 'nobody' }));
  assert.equal(codeOf(unknown), 'E_OPERATE_NOT_FOUND');
  for (let n = 1; n < MANUFACTURERS_MAX; n += 1) manufacturers.add({ name: `m${n}`, certificates });
  assert.equal(codeOf(manufacturers.add({ name: 'more', certificates })), 'E_OPERATE_CONFLICT');
  assert.equal(manufacturers.all().length, MANUFACTURERS_MAX);
});
