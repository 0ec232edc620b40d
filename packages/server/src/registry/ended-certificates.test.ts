import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { Secret, systemClock, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import type { Device } from './device-records.ts';
import { DeviceRegistry } from './device-registry.ts';

interface Lab {
  readonly registry: DeviceRegistry;
  readonly store: SealedStore;
  /** What the clock of the registry says. */
  readonly time: { ms: number };
}

function open(t: TestContext): Lab {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-registry-'));
  const unsealKey = new Secret(systemRandom(32));
  const store = new SealedStore(join(folder, 'registry.db'), { unsealKey, random: systemRandom });
  t.after(() => {
    if (store.isOpen) store.close();
    rmSync(folder, { recursive: true });
  });
  const time = { ms: 1_000 };
  const clock = { ...systemClock, nowMs: () => time.ms };
  return { registry: new DeviceRegistry(store, { clock }), store, time };
}

/** Enrolls a device, which is added first; its certificate has this serial number. */
function enroll({ registry }: Lab, id: string, serial: string): Device {
  const device = registry.byId(id) ?? registry.add({ id, class: 'sensor' });
  assert.ok(!(device instanceof Refusal));
  const facts = { fingerprint: `fingerprint-${serial}`, serial, deviceId: id };
  const certificate = { ...facts, notBeforeMs: 0, notAfterMs: 1e9, status: 'current' as const };
  const claim = { deviceId: id, secretHash: 'x', expiresAtMs: 1 };
  return registry.completeEnrollment(device, { certificate, claim });
}

test('a certificate is found by its serial number, and says when and why it ended', (t) => {
  const lab = open(t);
  const { registry, time } = lab;
  enroll(lab, 'a', '01aa');
  assert.equal(registry.certificateBySerial('01aa')?.endedAtMs, undefined);
  assert.equal(registry.certificateBySerial('01ab'), undefined);
  time.ms = 2_000;
  const device = enroll(lab, 'a', '01bb');
  time.ms = 3_000;
  registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'stolen' });
  const [first, second] = ['01aa', '01bb'].map((serial) => registry.certificateBySerial(serial));
  assert.deepEqual([first?.status, first?.endedAtMs], ['revoked', 2_000], 'it ended before');
  assert.deepEqual([second?.status, second?.endedAtMs], ['revoked', 3_000]);
  assert.equal(second?.endReason, 'stolen');
  assert.deepEqual(
    [...registry.certificates()].map(({ serial }) => serial),
    ['01aa', '01bb'],
  );
});

test('many are revoked in one step; when the disk fails, it holds for all of them', (t) => {
  for (const isDiskGood of [true, false]) {
    const lab = open(t);
    const { registry, store } = lab;
    const ids = ['a', 'b', 'c'];
    for (const id of ids) enroll(lab, id, `01${id}${id}`);
    const heard: string[] = [];
    registry.onChange(({ id }) => {
      // Whoever hears of one finds all of them revoked already.
      assert.equal(registry.certificateBySerial('01cc')?.status, 'revoked');
      heard.push(id);
    });
    if (!isDiskGood) store.close();
    const change = { act: 'revoke', by: 'local', reason: 'recalled' } as const;
    const revoke = (): number => registry.changeStates(ids, change).done.length;
    if (isDiskGood) assert.equal(revoke(), ids.length);
    else assert.throws(revoke);
    assert.deepEqual(heard, ['a', 'b', 'c']);
    for (const id of ids) assert.equal(registry.byId(id)?.stateReason, 'recalled');
  }
});
