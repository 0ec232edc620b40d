/** A change of the server's key: who keeps the backup pin notices nothing, others refuse. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { shownPins } from '@holdfast/client';
import { type Device, connect, loadBundle } from '@holdfast/device';
import { mosquittoPub, run, signPayload, startInProcess, temporaryFolder } from '@holdfast/testkit';

function connectDevice(t: TestContext, bundle: string): Device {
  const device = connect({ bundle, random: () => 0.02 });
  t.after(() => device.close());
  return device;
}

/** What keeps a device offline. */
function nextError(device: Device): Promise<string> {
  return new Promise((resolve) => {
    device.onStatus((status) => {
      if (status.state === 'offline') resolve(status.error.code);
    });
  });
}

/** A copy of a bundle that pins the present server only: by key, or by certificate. */
function pinOnly(t: TestContext, folder: string, kind: 'spki' | 'certificate'): string {
  const copy = join(temporaryFolder(t), kind);
  cpSync(folder, copy, { recursive: true });
  const path = join(copy, 'holdfast.json');
  const settings = JSON.parse(readFileSync(path, 'utf8')) as { pins: Record<string, string>[] };
  const pin = settings.pins[0]?.[kind];
  assert.ok(pin);
  writeFileSync(path, JSON.stringify({ ...settings, pins: { [kind]: pin } }), { mode: 0o600 });
  return copy;
}

test('a device with the backup pin comes back after a rotation, one without refuses', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const { folder } = await server.enroll('pump-1');
  const meter = await server.enroll('meter-1');
  const valve = await server.enroll('valve-1');
  const before = await client.server();
  const { spki, certificate, backupSpki } = before.pins;
  assert.deepEqual(loadBundle(folder).pins, [{ spki, certificate }, { spki: backupSpki }]);
  const byKey = pinOnly(t, meter.folder, 'spki');
  const byCertificate = pinOnly(t, valve.folder, 'certificate');
  for (const bundle of [folder, byKey, byCertificate]) {
    const device = connectDevice(t, bundle);
    await device.publish({ n: 1 });
    await device.close();
  }

  const after = await client.rotateServerKey();
  assert.equal(after.spki, backupSpki, 'the key of the backup pin');
  assert.notEqual(after.backupSpki, spki);
  const url = `https://localhost:${server.ports.broker}`;
  assert.deepEqual(await shownPins(url), { spki: after.spki, certificate: after.certificate });

  for (const bundle of [byKey, byCertificate]) {
    const device = connectDevice(t, bundle);
    assert.equal(await nextError(device), 'E_DEVICE_PIN', bundle);
    await device.close();
  }
  const device = connectDevice(t, folder);
  await device.publish({ n: 2 });
  await device.updatePins();
  const loaded = loadBundle(folder);
  assert.deepEqual(loaded.pins, [
    { spki: after.spki, certificate: after.certificate },
    { spki: after.backupSpki },
  ]);
  await device.close();

  // The set that the first rotation brought carries the device over the second one, and a restart.
  const again = await client.rotateServerKey();
  assert.equal(again.spki, after.backupSpki);
  const restarted = await server.restart();
  assert.deepEqual((await restarted.client.server()).pins, again);
  const later = connectDevice(t, folder);
  await later.publish({ n: 3 });
  const acts = (await restarted.client.acts()).filter(({ action }) => action.includes('rotate'));
  assert.deepEqual(
    acts.map(({ action }) => action),
    ['server.rotate-key', 'server.rotate-key'],
  );
});

test('clients that trust our authority notice nothing, and curl pins both keys', async (t) => {
  const server = await startInProcess(t);
  const { folder, anchorPem } = await server.enroll('pump-1');
  const { pins } = await server.client.server();
  const anchor = join(folder, 'ca.crt');
  assert.equal(readFileSync(anchor, 'utf8'), anchorPem);
  const curl = async (pin: string): Promise<number | null> => {
    const url = `https://localhost:${server.ports.api}/healthz`;
    const args = ['-sS', '--cacert', anchor, '--pinnedpubkey', pin, url];
    return (await run('curl', args)).code;
  };
  const [old, both] = [`sha256//${pins.spki}`, `sha256//${pins.spki};sha256//${pins.backupSpki}`];
  assert.deepEqual([await curl(old), await curl(both)], [0, 0]);
  await server.client.rotateServerKey();
  const PIN_MISMATCH = 90;
  assert.deepEqual([await curl(old), await curl(both)], [PIN_MISMATCH, 0]);
  const ctr = Date.now();
  const { code, stderr } = await mosquittoPub({
    bundle: folder,
    port: server.ports.broker,
    id: 'pump-1',
    topic: 'd/pump-1/telemetry/temp',
    payload: signPayload(folder, { ctr, ts: ctr, temp: 21 }),
  });
  assert.equal(code, 0, stderr);
});
