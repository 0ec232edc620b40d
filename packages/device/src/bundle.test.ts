import assert from 'node:assert/strict';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { testFolder, writeTestBundle } from '../test-support/test-bundle.ts';
import { issue, pinsOf, testPki } from '../test-support/test-pki.ts';
import { loadBundle } from './bundle.ts';

const pki = testPki();

function bundleFolder(t: TestContext): string {
  const folder = join(testFolder(t), 'thermostat-1');
  writeTestBundle(folder, { pki, port: 8_883 });
  return folder;
}

test('a bundle is loaded, and printing it prints no key', (t) => {
  const folder = bundleFolder(t);
  const bundle = loadBundle(folder);
  assert.equal(bundle.device, 'thermostat-1');
  assert.equal(bundle.kid, '1.1');
  const hex = readFileSync(join(folder, 'payload.key'), 'utf8').trim();
  assert.equal(bundle.payloadKey.export().toString('hex'), hex);
  const printed = inspect(bundle, { depth: 5, showHidden: true }) + JSON.stringify(bundle);
  assert.ok(!printed.includes(hex) && !printed.includes('PRIVATE KEY'));
});

test('a key that others can read is refused, whichever it is [E_DEVICE_MODE]', (t) => {
  const folder = bundleFolder(t);
  for (const name of ['client.key', 'payload.key', 'command.key', 'holdfast.json']) {
    for (const mode of [0o640, 0o604, 0o620, 0o601]) {
      chmodSync(join(folder, name), mode);
      assert.throws(() => loadBundle(folder), { code: 'E_DEVICE_MODE' }, `${name} ${mode}`);
    }
    chmodSync(join(folder, name), 0o400);
    assert.doesNotThrow(() => loadBundle(folder), name);
  }
});

test('an API key is loaded, prints nothing, and is for the owner alone', (t) => {
  const folder = bundleFolder(t);
  const path = join(folder, 'api.key');
  const key = `hfk_${'k'.repeat(43)}`;
  assert.equal(loadBundle(folder).apiKey, undefined);
  writeFileSync(path, `${key}\n`, { mode: 0o600 });
  const bundle = loadBundle(folder);
  assert.equal(bundle.apiKey?.expose(), key);
  assert.ok(!inspect(bundle, { depth: 5, showHidden: true }).includes(key));
  chmodSync(path, 0o640);
  assert.throws(() => loadBundle(folder), { code: 'E_DEVICE_MODE' });
  chmodSync(path, 0o600);
  writeFileSync(path, key.slice(1));
  assert.throws(() => loadBundle(folder), { code: 'E_DEVICE_BUNDLE' });
});

test('others may read a certificate, but not change it', (t) => {
  const folder = bundleFolder(t);
  for (const name of ['ca.crt', 'client.crt']) {
    chmodSync(join(folder, name), 0o664);
    assert.throws(() => loadBundle(folder), { code: 'E_DEVICE_MODE' });
    chmodSync(join(folder, name), 0o644);
    assert.doesNotThrow(() => loadBundle(folder));
  }
});

test('a missing, empty, damaged or huge file is named [E_DEVICE_BUNDLE]', (t) => {
  for (const name of ['ca.crt', 'client.crt', 'client.key', 'payload.key', 'holdfast.json']) {
    for (const text of [undefined, '', 'x', ' '.repeat(65_537)]) {
      const folder = bundleFolder(t);
      const path = join(folder, name);
      if (text === undefined) rmSync(path);
      else writeFileSync(path, text);
      assert.throws(
        () => loadBundle(folder),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'E_DEVICE_BUNDLE');
          assert.ok(error.message.includes(name), error.message);
          return true;
        },
      );
    }
  }
});

test('the key must be the one of the certificate', (t) => {
  const folder = bundleFolder(t);
  writeFileSync(join(folder, 'client.key'), issue({ name: 'other' }).keyPem);
  assert.throws(() => loadBundle(folder), { code: 'E_DEVICE_BUNDLE' });
});

test('symmetric keys are 64 lower-case digits, with or without a newline', (t) => {
  const folder = bundleFolder(t);
  const hex = 'ab'.repeat(32);
  const write = (text: string): void => writeFileSync(join(folder, 'payload.key'), text);
  for (const text of [hex, `${hex}\n`, `${hex}\r\n`]) {
    write(text);
    assert.doesNotThrow(() => loadBundle(folder));
  }
  for (const text of [hex.slice(1), `${hex}0`, hex.toUpperCase(), `${hex}\n\n`, ` ${hex}`]) {
    write(text);
    assert.throws(() => loadBundle(folder), { code: 'E_DEVICE_BUNDLE' }, text);
  }
});

test('a bundle whose keys are in a token says so, when none is given [E_DEVICE_TOKEN]', (t) => {
  const folder = bundleFolder(t);
  const uri = 'pkcs11:token=pump;id=%AB;object=holdfast-ab;type=secret-key';
  writeFileSync(join(folder, 'payload.key'), `${uri}\n`);
  assert.throws(() => loadBundle(folder), { code: 'E_DEVICE_TOKEN' });
});

test('the settings are read strictly: version, broker address, one to eight pins', (t) => {
  const folder = bundleFolder(t);
  const path = join(folder, 'holdfast.json');
  const good = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  const pin = pinsOf(pki.server);
  const load = (change: Record<string, unknown>) => {
    writeFileSync(path, JSON.stringify({ ...good, ...change }));
    return loadBundle(folder);
  };
  assert.deepEqual(load({ broker: 'mqtts://[::1]:8883' }).broker, { host: '::1', port: 8_883 });
  assert.equal(load({ pins: Array.from({ length: 8 }, () => pin) }).pins.length, 8);
  assert.deepEqual(load({ pins: [{ spki: pin.spki }] }).pins, [{ spki: pin.spki }]);
  for (const bad of [
    { version: 2 },
    { device: '../x' },
    { broker: 'mqtt://localhost:8883' },
    { broker: 'mqtts://localhost' },
    { broker: 'mqtts://user:pw@localhost:8883' },
    { pins: [] },
    { pins: null },
    { pins: [{}] },
    { pins: Array.from({ length: 9 }, () => pin) },
    { pins: { certificate: pin.certificate.toUpperCase() } },
  ]) {
    assert.throws(() => load(bad), { code: 'E_DEVICE_BUNDLE' }, JSON.stringify(bad));
  }
});
