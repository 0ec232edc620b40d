import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import type { CertificateRecord, Claim, Device } from './device-records.ts';
import { DeviceRegistry } from './device-registry.ts';
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
  registry.revoke(device, 'lost');
  stop();
  registry.changeState(device, 'registered', 'found');
  assert.deepEqual(heard, ['a claimed', 'b claimed', 'b revoked']);
  assert.equal(registry.certificate('b-2')?.status, 'revoked');
  assert.equal(registry.certificate('a-1')?.status, 'current');
  assert.equal(registry.claimOf('b'), undefined);
  assert.equal(registry.byId('b')?.stateReason, 'found');
});

test('when the disk fails, memory does not run ahead of it, but a revocation holds', (t) => {
  const { registry, store } = open(t);
  const device = registry.completeEnrollment(added(registry, 'a'), issued('a', 1));
  const heard: string[] = [];
  registry.onChange(({ state }) => heard.push(state));
  store.close();
  assert.throws(() => registry.add({ id: 'b', class: 'sensor' }));
  assert.throws(() => registry.changeState(device, 'suspended', 'test'));
  assert.throws(() => registry.completeEnrollment(device, issued('a', 2)));
  assert.equal(registry.byId('b'), undefined);
  assert.equal(registry.byId('a')?.state, 'claimed');
  assert.deepEqual(heard, []);
  assert.throws(() => registry.revoke(device, 'lost'));
  assert.equal(registry.byId('a')?.state, 'revoked');
  assert.equal(registry.certificate('a-1')?.status, 'revoked');
  assert.deepEqual(heard, ['revoked']);
});
