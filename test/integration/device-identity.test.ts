/** Identity of a device by the SDK, against a real server: renewal, pins, API key, keys in a token. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  type ConnectOptions,
  type Device,
  type DeviceStatus,
  type UpkeepEvent,
  connect,
  enroll,
  loadBundle,
  openToken,
  renew,
} from '@holdfast/device';
import {
  type InProcessServer,
  VirtualClock,
  enrollByOpenssl,
  softToken,
  startInProcess,
  temporaryFolder,
  waitFor,
  whyNoTokens,
} from '@holdfast/testkit';

const DAY_MS = 86_400_000;

/** Connects by the SDK; delays of reconnects are short. */
function connectDevice(t: TestContext, bundle: ConnectOptions['bundle'], more = {}): Device {
  const device = connect({ bundle, random: () => 0.02, ...more });
  t.after(() => device.close());
  return device;
}

function nextEvent(device: Device, type: UpkeepEvent['type']): Promise<UpkeepEvent> {
  return new Promise((resolve) => {
    device.onUpkeep((event) => {
      if (event.type === type) resolve(event);
    });
  });
}

function nextError(device: Device): Promise<string> {
  return new Promise((resolve) => {
    device.onStatus((status: DeviceStatus) => {
      if (status.state === 'offline') resolve(status.error.code);
    });
  });
}

async function storedNumbers(server: InProcessServer, id: string): Promise<number[]> {
  const stored = await server.client.readings(id, { limit: 1_000 });
  return stored.map(({ payload }) => (JSON.parse(payload) as { n: number }).n).toReversed();
}

test('a renewal in the middle of publishing loses nothing, and ends the certificate before', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('pump-1');
  const copy = join(temporaryFolder(t), 'copy');
  cpSync(bundle.folder, copy, { recursive: true });
  const device = connectDevice(t, bundle);
  const numbers = Array.from({ length: 300 }, (_, n) => n);
  const published = numbers.map((n) => device.publish({ n }));
  const renewed = nextEvent(device, 'renewed');
  await device.renewNow();
  await renewed;
  await Promise.all(published);
  assert.deepEqual(await storedNumbers(server, 'pump-1'), numbers);

  const now = loadBundle(bundle.folder);
  assert.notEqual(now.certificate.serialNumber, bundle.certificate.serialNumber);
  assert.equal(now.certificate.subjectAltName, bundle.certificate.subjectAltName);
  await server.expectRefusal('E_SESSION_SUPERSEDED', async () => {
    const clone = connectDevice(t, copy);
    await nextError(clone);
    await clone.close();
  });
  await device.publish({ n: 300 });
  const again = nextEvent(device, 'renewed');
  await device.renewNow();
  await again;
  await device.publish({ n: 301 });
});

test('a device whose certificate is two thirds through renews without being told', async (t) => {
  const past = await startInProcess(t, { clock: new VirtualClock({ shiftMs: -70 * DAY_MS }) });
  const bundle = await past.enroll('pump-1');
  const server = await past.restart();
  const device = connectDevice(t, bundle);
  await nextEvent(device, 'renewed');
  await device.publish({ n: 1 });
  const { certificate } = loadBundle(bundle.folder);
  assert.ok(certificate.validToDate.getTime() > bundle.certificate.validToDate.getTime());
  assert.deepEqual(await storedNumbers(server, 'pump-1'), [1]);
});

test('a device that slept past the end of its certificate comes back into quarantine', async (t) => {
  const past = await startInProcess(t, { clock: new VirtualClock({ shiftMs: -120 * DAY_MS }) });
  const folder = temporaryFolder(t);
  const { claim } = await past.client.addDevice({ id: 'pump-1', class: 'sensor' });
  // OpenSSL lives in the present: with this certificate it gets no further than having it.
  await enrollByOpenssl(claim.text, folder);
  const server = await past.restart();
  const bundle = join(folder, 'pump-1');
  writeRest(bundle, server);
  const { certificate } = loadBundle(bundle);
  assert.ok(certificate.validToDate.getTime() < Date.now());
  connectDevice(t, bundle);
  await waitFor('the new certificate', () => loadBundle(bundle).next !== undefined);
  const { next } = loadBundle(bundle);
  assert.ok(next !== undefined && next.certificate.validToDate.getTime() > Date.now());
  assert.equal((await server.client.device('pump-1')).device.state, 'quarantined');
});

/** What the SDK wants in a bundle besides the identity. */
function writeRest(folder: string, { info, ports }: InProcessServer): void {
  const settings = {
    version: 1,
    device: 'pump-1',
    tenant: 'default',
    kid: '1.1',
    broker: `mqtts://localhost:${ports.broker}`,
    enrollment: `https://localhost:${ports.enroll}`,
    pins: info.pins,
  };
  const files = {
    'holdfast.json': JSON.stringify(settings),
    'payload.key': 'a1'.repeat(32),
    'command.key': 'b2'.repeat(32),
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }
  chmodSync(join(folder, 'client.key'), 0o600);
}

test('by hand, for programs that are not the SDK', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('pump-1');
  const renewed = await renew({ bundle: bundle.folder });
  assert.notEqual(renewed.certificate.serialNumber, bundle.certificate.serialNumber);
  assert.equal(renewed.next, undefined);
  assert.ok(!existsSync(join(bundle.folder, 'client.key.next')));
  const device = connectDevice(t, bundle.folder);
  await device.publish({ n: 1 });
});

test('the pin set of the server is genuine, and names the server', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('pump-1');
  const device = connectDevice(t, bundle);
  const updated = nextEvent(device, 'pins-updated');
  await device.updatePins();
  await updated;
  const loaded = loadBundle(bundle.folder);
  assert.ok(loaded.pinsVersion > 0);
  assert.deepEqual(loaded.pins, bundle.pins);
  await device.updatePins();
  // The set is signed for this device alone.
  const other = await server.enroll('pump-2');
  const foreign = connectDevice(t, { ...other, commandKey: bundle.commandKey });
  await assert.rejects(foreign.updatePins(), { code: 'E_DEVICE_PIN_SET' });
});

test('an API key is proven by SCRAM on both sides', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('pump-1');
  const created = await server.client.createDeviceApiKey('pump-1', {});
  const path = join(bundle.folder, 'api.key');
  writeFileSync(path, `${created.key}\n`, { mode: 0o600 });
  const device = connectDevice(t, bundle.folder);
  await device.publish({ n: 1 });
  await waitFor('the command', async () => {
    const { receivers } = await server.client.sendCommand('pump-1', { name: 'set', body: {} });
    device.onCommand(() => {});
    return receivers === 1;
  });
  const renewed = nextEvent(device, 'renewed');
  await device.renewNow();
  await renewed;
  await device.publish({ n: 2 });
  await device.close();

  writeFileSync(path, `hfk_${'x'.repeat(43)}\n`, { mode: 0o600 });
  await server.expectRefusal('E_SESSION_API_KEY', async () => {
    const impostor = connectDevice(t, bundle.folder);
    assert.equal(await nextError(impostor), 'E_DEVICE_REFUSED');
    await impostor.close();
  });
});

const ENGINES = ['x86_64', 'aarch64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu/engines-3/pkcs11.so`);
const noEngine = ENGINES.some((path) => existsSync(path))
  ? undefined
  : 'libengine-pkcs11-openssl is not installed';
const skip = whyNoTokens() ?? noEngine ?? false;

test('a key that cannot be exported enrolls, signs payloads, and renews', { skip }, async (t) => {
  const server = await startInProcess(t);
  const { module, label, pin } = softToken(t, 'pump-1');
  const token = await openToken({ module, label, pin: () => pin });
  const { claim } = await server.client.addDevice({ id: 'pump-1', class: 'sensor' });
  const out = join(temporaryFolder(t), 'pump-1');
  await enroll({ claim: claim.text, out, token });
  for (const name of ['client.key', 'payload.key']) {
    assert.doesNotMatch(readFileSync(join(out, name), 'utf8'), /PRIVATE KEY|^[0-9a-f]{64}/mu);
  }
  const device = connectDevice(t, out, { token });
  await device.publish({ n: 1 });
  const renewed = nextEvent(device, 'renewed');
  await device.renewNow();
  await renewed;
  await device.publish({ n: 2 });
  assert.deepEqual(await storedNumbers(server, 'pump-1'), [1, 2]);
  await device.close();
});
