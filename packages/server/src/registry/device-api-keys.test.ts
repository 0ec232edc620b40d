import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { DEVICE_API_KEY } from '@holdfast/protocol/api';
import { type Clock, Secret, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { ClassSettings } from './class-settings.ts';
import { DeviceApiKeys } from './device-api-keys.ts';
import { DeviceRegistry } from './device-registry.ts';
import { API_KEY_USE_FLUSH_MS } from './limits.ts';
import { deriveVerifier } from './scram-verifier.ts';

const WEEK_MS = 7 * 86_400_000;

/** A store, a clock that stands still, and its timers. */
function openLab(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  const path = join(folder, 'registry.db');
  const unsealKey = new Secret(systemRandom(32));
  let store = new SealedStore(path, { unsealKey, random: systemRandom });
  t.after(() => {
    if (store.isOpen) store.close();
    rmSync(folder, { recursive: true });
  });
  const time = { ms: Date.UTC(2026, 10, 21), timers: [] as (() => void)[] };
  const clock: Clock = {
    nowMs: () => time.ms,
    monotonicMs: () => time.ms,
    after: (delayMs, task) => {
      assert.equal(delayMs, API_KEY_USE_FLUSH_MS);
      time.timers.push(task);
      return () => {};
    },
  };
  const open = () => {
    const registry = new DeviceRegistry(store, { clock });
    return { registry, keys: new DeviceApiKeys(store, { clock, random: systemRandom, registry }) };
  };
  const lab = { time, ...open() };
  lab.registry.add({ id: 'pump-1', class: 'sensor' });
  return {
    ...lab,
    restart: () => {
      if (store.isOpen) store.close();
      store = new SealedStore(path, { unsealKey, random: systemRandom });
      return open();
    },
    store: () => store,
  };
}

async function create(
  keys: DeviceApiKeys,
  { overlapMs = WEEK_MS, lifeMs }: { overlapMs?: number; lifeMs?: number } = {},
): Promise<{ id: string; key: string }> {
  const made = await keys.make('pump-1', { lifeMs });
  assert.equal(keys.keep(made, overlapMs), undefined);
  return { id: made.record.id, key: made.key.expose() };
}

const idsOf = (keys: DeviceApiKeys): string[] => keys.of('pump-1').map(({ id }) => id);

test('a key is 32 random bytes of which only the verifier is kept, also after a restart', async (t) => {
  const lab = openLab(t);
  const { id, key } = await create(lab.keys);
  assert.match(key, DEVICE_API_KEY);
  const { keys } = lab.restart();
  const verifiers = keys.verifiersOf('pump-1');
  const { storedKey, serverKey } = await deriveVerifier(key, verifiers);
  assert.deepEqual(verifiers.known[0], {
    keyId: id,
    storedKey: Buffer.from(storedKey),
    serverKey: Buffer.from(serverKey),
  });
  assert.ok(!JSON.stringify(keys.of('pump-1')).includes(key.slice(4, 20)));
});

test('a new key lets the one before it count for the overlap, and ends any older one', async (t) => {
  const { keys, time } = openLab(t);
  const first = await create(keys);
  const second = await create(keys);
  assert.deepEqual(idsOf(keys), [first.id, second.id]);
  const { salt } = keys.verifiersOf('pump-1');
  const third = await create(keys, { overlapMs: 1_000 });
  assert.deepEqual(idsOf(keys), [second.id, third.id]);
  assert.deepEqual(keys.verifiersOf('pump-1').salt, salt, 'a client names no key');
  time.ms += 999;
  assert.deepEqual(idsOf(keys), [second.id, third.id]);
  time.ms += 1;
  assert.deepEqual(idsOf(keys), [third.id]);
  assert.equal(keys.isLive('pump-1', second.id), false);
});

test('without an overlap the key before it ends at once', async (t) => {
  const { keys } = openLab(t);
  await create(keys);
  const told: string[] = [];
  keys.onChange((id) => told.push(id));
  const second = await create(keys, { overlapMs: 0 });
  assert.deepEqual(idsOf(keys), [second.id]);
  assert.deepEqual(told, ['pump-1']);
});

test('an overlap does not make a key live longer than it should', async (t) => {
  const { keys, time } = openLab(t);
  const first = await create(keys, { lifeMs: 3_600_000 });
  await create(keys);
  time.ms += 3_600_000;
  assert.ok(!idsOf(keys).includes(first.id));
});

test('two first keys that are made at one time have two salts: the second is refused', async (t) => {
  const { keys } = openLab(t);
  const [one, other] = await Promise.all([keys.make('pump-1', {}), keys.make('pump-1', {})]);
  assert.equal(keys.keep(one, WEEK_MS), undefined);
  const refusal = keys.keep(other, WEEK_MS);
  assert.ok(refusal instanceof Refusal);
  assert.equal(refusal.code, 'E_OPERATE_CONFLICT');
  assert.deepEqual(idsOf(keys), [one.record.id]);
});

test('a removed key has ended for good, and only once', async (t) => {
  const lab = openLab(t);
  const { id } = await create(lab.keys);
  assert.equal(lab.keys.remove('pump-1', 'ffff'), false);
  assert.equal(lab.keys.remove('pump-1', id), true);
  assert.equal(lab.keys.remove('pump-1', id), false);
  assert.equal(lab.keys.isLive('pump-1', id), false);
  assert.deepEqual(idsOf(lab.restart().keys), []);
});

test('the keys are revoked with the device, and do not come back with it', async (t) => {
  const lab = openLab(t);
  await create(lab.keys);
  const device = lab.registry.byId('pump-1');
  assert.ok(device !== undefined);
  lab.registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'stolen' });
  assert.deepEqual(idsOf(lab.keys), []);
  const { registry, keys } = lab.restart();
  assert.equal(registry.byId('pump-1')?.state, 'revoked');
  assert.deepEqual(idsOf(keys), []);
});

test('a disk that fails while a device is revoked is asked again, and stops nothing', async (t) => {
  const lab = openLab(t);
  await create(lab.keys);
  const device = lab.registry.byId('pump-1');
  assert.ok(device !== undefined);
  const told: string[] = [];
  lab.registry.onChange(({ id }) => told.push(id));
  lab.store().close();
  assert.throws(() =>
    lab.registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'stolen' }),
  );
  assert.deepEqual(idsOf(lab.keys), []);
  assert.deepEqual(told, ['pump-1'], 'others heard of it all the same');
});

test('a device without a key is checked with as much work, against what nothing matches', async (t) => {
  const { keys } = openLab(t);
  const shape = (deviceId: string) => {
    const { salt, iterations, known } = keys.verifiersOf(deviceId);
    const lengths = known.map(({ storedKey, serverKey }) => [storedKey.length, serverKey.length]);
    return { salt: salt.length, iterations, lengths };
  };
  const without = shape('pump-1');
  const { salt } = keys.verifiersOf('pump-1');
  assert.deepEqual(keys.verifiersOf('pump-1').salt, salt, 'a salt that changed would tell it');
  assert.notDeepEqual(keys.verifiersOf('pump-2').salt, salt);
  await create(keys);
  assert.deepEqual(shape('pump-1'), without);
  await create(keys);
  assert.deepEqual(shape('pump-1'), without);
});

test('the time of last use is stored within a minute', async (t) => {
  const lab = openLab(t);
  const { id } = await create(lab.keys);
  lab.time.ms += 5_000;
  lab.keys.markUsed('pump-1', id);
  lab.keys.markUsed('pump-1', id);
  assert.equal(lab.keys.of('pump-1')[0]?.usedAtMs, lab.time.ms);
  assert.equal(lab.time.timers.length, 1);
  lab.time.timers[0]?.();
  assert.equal(lab.restart().keys.of('pump-1')[0]?.usedAtMs, lab.time.ms);
});

test('what a class asks is as it comes until it is set, and stays so', (t) => {
  const lab = openLab(t);
  const settings = new ClassSettings(lab.store());
  assert.equal(settings.of('sensor').requiresApiKey, false);
  const told: string[] = [];
  settings.onChange((name) => told.push(name));
  settings.set('sensor', { requiresApiKey: true, onClone: 'report' });
  assert.deepEqual(told, ['sensor']);
  lab.restart();
  const later = new ClassSettings(lab.store());
  const rules = {
    requiresApiKey: true,
    onClone: 'report',
    lateHours: 168,
    renewalGraceMs: 180 * 86_400_000,
  };
  assert.deepEqual(later.of('sensor'), rules);
  assert.equal(later.of('gateway').requiresApiKey, false);
});
