import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { z } from 'zod';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import {
  type CertificateRecord,
  CertificateSchema,
  type Claim,
  type Device,
} from './device-records.ts';
import { DeviceRegistry } from './device-registry.ts';
import { CERTIFICATES_PRUNED_MAX, CERTIFICATE_KEPT_MS } from './limits.ts';
import { PayloadKeySource } from './payload-keys.ts';

const unsealKey = new Secret(systemRandom(32));

interface Opened {
  readonly store: SealedStore;
  readonly registry: DeviceRegistry;
  readonly reopen: () => Opened;
}

function open(t: TestContext): Opened {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-registry-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const openAgain = (): Opened => {
    const store = new SealedStore(join(folder, 'registry.db'), { unsealKey, random: systemRandom });
    t.after(() => {
      if (store.isOpen) store.close();
    });
    const reopen = (): Opened => {
      store.close();
      return openAgain();
    };
    return { store, registry: new DeviceRegistry(store, { clock: systemClock }), reopen };
  };
  return openAgain();
}

function added(registry: DeviceRegistry, id: string): Device {
  const device = registry.add({ id, class: 'sensor' });
  assert.ok(!(device instanceof Refusal));
  return device;
}

function issued(deviceId: string, n: number): { certificate: CertificateRecord; claim: Claim } {
  const certificate = {
    fingerprint: `${deviceId}-${n}`,
    serial: String(n),
    deviceId,
    notBeforeMs: n,
    notAfterMs: n + 1,
    status: 'current' as const,
  };
  return { certificate, claim: { deviceId, secretHash: 'x', expiresAtMs: 1 } };
}

test('a device, its certificates and its claim survive a restart', (t) => {
  const opened = open(t);
  const device = opened.registry.completeEnrollment(added(opened.registry, 'a'), issued('a', 1));
  const { registry } = opened.reopen();
  assert.deepEqual(registry.byId('a'), device);
  assert.equal(registry.certificatesOf('a')[0]?.status, 'current');
  assert.equal(registry.claimOf('a')?.deviceId, 'a');
  assert.deepEqual(registry.certificatesOf('b'), []);
});

test('an id is taken once [E_OPERATE_CONFLICT]', (t) => {
  const { registry } = open(t);
  added(registry, 'a');
  const again = registry.add({ id: 'a', class: 'sensor' });
  assert.equal(again instanceof Refusal && again.code, 'E_OPERATE_CONFLICT');
});

test('an enrollment supersedes the certificates before it, and moves the payload keys on', (t) => {
  const { registry, store } = open(t);
  const keys = new PayloadKeySource(store.keyring, { tenant: 'default' });
  const first = registry.completeEnrollment(added(registry, 'a'), issued('a', 1));
  const second = registry.completeEnrollment(registry.markPayloadKeyInUse(first), issued('a', 2));
  const statuses = registry.certificatesOf('a').map(({ status }) => status);
  assert.deepEqual(statuses, ['superseded', 'current']);
  assert.equal(second.isPayloadKeyInUse, false);
  assert.deepEqual([keys.of(first).kid, keys.of(second).kid], ['1.1', '1.2']);
  const all = [first, second, added(registry, 'b')].flatMap((device) => {
    const { payloadKey, commandKey } = keys.of(device);
    return [payloadKey, commandKey].map((key) => Buffer.from(key.expose()).toString('hex'));
  });
  assert.equal(new Set(all).size, all.length, 'no two keys are the same');
});

test('a revocation ends every certificate and the claim, and tells the listeners', (t) => {
  const { registry } = open(t);
  const heard: string[] = [];
  const stop = registry.onChange(({ id, state }) => heard.push(`${id} ${state}`));
  registry.completeEnrollment(added(registry, 'a'), issued('a', 1));
  const device = registry.completeEnrollment(added(registry, 'b'), issued('b', 2));
  registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'lost' });
  stop();
  registry.changeState(device.id, { act: 'readmit', by: 'local', reason: 'found' });
  assert.deepEqual(heard, ['a claimed', 'b claimed', 'b revoked']);
  assert.equal(registry.certificate('b-2')?.status, 'revoked');
  assert.equal(registry.certificate('a-1')?.status, 'current');
  assert.equal(registry.claimOf('b'), undefined);
  assert.equal(registry.byId('b')?.stateReason, 'found');
});

test('when the disk fails, memory does not run ahead of it, but what takes away holds', (t) => {
  const { registry, store } = open(t);
  const device = registry.completeEnrollment(added(registry, 'a'), issued('a', 1));
  const heard: string[] = [];
  registry.onChange(({ state }) => heard.push(state));
  store.close();
  assert.throws(() => registry.add({ id: 'b', class: 'sensor' }));
  assert.throws(() => registry.changeState('a', { act: 'activate', by: 'a', reason: 'test' }));
  assert.throws(() => registry.setGroup(['a'], 'north'));
  assert.throws(() => registry.completeEnrollment(device, issued('a', 2)));
  assert.equal(registry.byId('b'), undefined);
  assert.equal(registry.byId('a')?.state, 'claimed');
  assert.deepEqual(heard, []);
  assert.equal(registry.byId('a')?.group, '');
  const stop = (act: 'suspend' | 'revoke') => () =>
    registry.changeState('a', { act, by: 'local', reason: 'lost' });
  assert.throws(stop('suspend'));
  assert.equal(registry.byId('a')?.state, 'suspended');
  assert.throws(stop('revoke'));
  assert.equal(registry.byId('a')?.state, 'revoked');
  assert.equal(registry.certificate('a-1')?.status, 'revoked');
  assert.deepEqual(heard, ['suspended', 'revoked']);
});

test('many change at once where the life cycle allows it, and the others are told why not', (t) => {
  const opened = open(t);
  const { registry } = opened;
  for (const id of ['a', 'b', 'c']) registry.completeEnrollment(added(registry, id), issued(id, 1));
  added(registry, 'd');
  const change = { act: 'suspend', by: 'person:ada', reason: 'winter' } as const;
  const heard: string[] = [];
  registry.onChange(({ id, state }) => {
    // Whoever hears of one finds all of them changed.
    assert.equal(registry.byId('c')?.state, 'suspended');
    heard.push(`${id} ${state}`);
  });
  const judged = registry.judgeStates(['a', 'b', 'a', 'c', 'd', 'x'], change);
  assert.deepEqual(heard, []);
  const { done, refused } = registry.changeStates(['a', 'b', 'a', 'c', 'd', 'x'], change);
  // The clock goes on between the two.
  const atNoTime = (changes: typeof done): unknown =>
    changes.map(({ after, ...rest }) => ({ ...rest, after: { ...after, stateAtMs: 0 } }));
  assert.deepEqual(atNoTime(done), atNoTime(judged.done));
  assert.deepEqual(refused, judged.refused);
  assert.deepEqual(heard, ['a suspended', 'b suspended', 'c suspended']);
  assert.deepEqual(
    refused.map(({ id, refusal }) => [id, refusal.code]),
    [
      ['d', 'E_OPERATE_CONFLICT'],
      ['x', 'E_OPERATE_NOT_FOUND'],
    ],
  );
  assert.equal(registry.certificate('a-1')?.status, 'current');
  const again = opened.reopen().registry.byId('b');
  assert.deepEqual([again?.stateBy, again?.statesBefore], ['person:ada', ['claimed']]);
});

test('a retired device keeps its id for good, and nothing else', (t) => {
  const { registry } = open(t);
  registry.completeEnrollment(added(registry, 'a'), issued('a', 1));
  registry.changeState('a', { act: 'retire', by: 'local', reason: 'scrapped' });
  assert.equal(registry.claimOf('a'), undefined);
  assert.equal(registry.certificate('a-1')?.status, 'revoked');
  assert.ok(registry.add({ id: 'a', class: 'sensor' }) instanceof Refusal);
  const back = registry.changeState('a', { act: 'readmit', by: 'local', reason: 'found' });
  assert.ok(back instanceof Refusal);
});

test('a device is in one group, and whoever listens hears of another one', (t) => {
  const opened = open(t);
  const { registry } = opened;
  for (const id of ['b', 'a']) registry.add({ id, class: 'sensor', group: 'north' });
  const heard: string[] = [];
  registry.onChange(({ id, group }) => heard.push(`${id} ${group}`));
  assert.equal(registry.setGroup(['a', 'x', 'a'], 'south').length, 1);
  assert.deepEqual(heard, ['a south']);
  const groups = opened
    .reopen()
    .registry.all()
    .map(({ group }) => group);
  assert.deepEqual(groups, ['south', 'north']);
});

test('many are added with their claims, or none of them', (t) => {
  const opened = open(t);
  const { registry } = opened;
  added(registry, 'b');
  const wish = (id: string) => ({ id, class: 'sensor', by: 'person:ada' }) as const;
  const claim = (deviceId: string) => ({ deviceId, secretHash: 'y', expiresAtMs: 2 });
  assert.ok(registry.addMany([wish('a'), wish('b')], [claim('a')]) instanceof Refusal);
  assert.equal(registry.byId('a'), undefined);
  assert.equal(registry.claimOf('a'), undefined);
  const made = registry.addMany([wish('c'), wish('a')], [claim('a'), claim('b'), claim('c')]);
  assert.ok(!(made instanceof Refusal));
  assert.deepEqual(
    [...registry.after('a')].map(({ id, stateBy }) => [id, stateBy]),
    [
      ['b', 'server'],
      ['c', 'person:ada'],
    ],
  );
  const { registry: again } = opened.reopen();
  assert.deepEqual(again.all(), registry.all());
  for (const id of ['a', 'b', 'c']) assert.equal(again.claimOf(id)?.secretHash, 'y');
});

test('a device from before groups and authors of states were noted is read', (t) => {
  const opened = open(t);
  const { group, stateBy, stateAtMs, statesBefore, ...old } = added(opened.registry, 'a');
  assert.deepEqual([group, stateBy, statesBefore], ['', 'server', []]);
  assert.ok(stateAtMs > 0);
  opened.store.collection<unknown>('device', z.unknown()).write('a', old);
  const read = opened.reopen().registry.byId('a');
  assert.deepEqual(read, { ...old, group: '', stateBy: '', stateAtMs: 0, statesBefore: [] });
});

test('a certificate is forgotten a year after its end, for good, and not before', (t) => {
  const opened = open(t);
  const { store } = opened;
  let nowMs = 0;
  const clock = { ...systemClock, nowMs: () => nowMs };
  const registry = new DeviceRegistry(store, { clock });
  const device = registry.completeEnrollment(added(registry, 'a'), issued('a', 1));
  registry.completeEnrollment(device, issued('a', 2));
  nowMs = 2 + CERTIFICATE_KEPT_MS;
  assert.equal(registry.pruneCertificates(), 0);
  nowMs += 1;
  assert.equal(registry.pruneCertificates(), 1);
  for (const one of [registry, opened.reopen().registry]) {
    assert.equal(one.certificate('a-1'), undefined);
    assert.equal(one.certificateBySerial('1'), undefined);
    assert.deepEqual(
      one.certificatesOf('a').map(({ serial }) => serial),
      ['2'],
    );
  }
});

test('so many certificates are forgotten in one go, and the others in the next', (t) => {
  const { store } = open(t);
  const records = store.collection('certificate', CertificateSchema);
  store.transaction(() => {
    for (let n = 0; n <= CERTIFICATES_PRUNED_MAX; n += 1) {
      const { certificate } = issued('a', n);
      records.write(certificate.fingerprint, certificate);
    }
  });
  const registry = new DeviceRegistry(store, { clock: systemClock });
  assert.equal(registry.pruneCertificates(), CERTIFICATES_PRUNED_MAX);
  assert.equal(registry.pruneCertificates(), 1);
  assert.equal(registry.pruneCertificates(), 0);
});
