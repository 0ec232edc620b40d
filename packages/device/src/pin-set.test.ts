/** The signed pin set: what makes a device change its pins, and what does not. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { startEst } from '../test-support/est-server.ts';
import { signed } from '../test-support/scripted-broker.ts';
import { foreignKey, testFolder, writeTestBundle } from '../test-support/test-bundle.ts';
import { issue, pinsOf, testPki } from '../test-support/test-pki.ts';
import { type Bundle, loadBundle } from './bundle.ts';
import { PINS_AHEAD_MS_MAX, PINS_MAX } from './limits.ts';
import { readPinSet, updatePins } from './pin-set.ts';
import { enrollmentTarget } from './renewal.ts';

const PKI = testPki();
const OWN = pinsOf(PKI.server);
const TWIN = issue({ name: 'twin', issuer: PKI.issuer, hosts: ['localhost'], purpose: 'server' });
const NEXT = { spki: pinsOf(TWIN).spki };

async function lab(t: TestContext) {
  const est = await startEst(t, PKI);
  const folder = join(testFolder(t), 'bundle');
  const options = { pki: PKI, port: 1, enrollmentPort: est.port };
  const bundle = writeTestBundle(folder, options);
  const update = (from: Bundle = bundle) =>
    updatePins(from, { target: enrollmentTarget(from), nowMs: Date.now() });
  return { est, bundle, folder, update };
}

const REFUSED = { code: 'E_DEVICE_PIN_SET' };

test('a newer signed set takes the place of the pins, in the folder too', async (t) => {
  const { est, bundle, folder, update } = await lab(t);
  const pins = [OWN, NEXT];
  est.script.pins = signed(bundle.commandKey, { version: 3, pins, notBefore: 0 });
  assert.deepEqual(await update(), { result: 'updated', pins, version: 3 });
  assert.equal(est.seen[0]?.call, 'GET /.well-known/holdfast/pins');
  assert.equal(est.seen[0]?.fingerprint, bundle.certificate.fingerprint256);
  const loaded = loadBundle(folder);
  assert.deepEqual([loaded.pins, loaded.pinsVersion], [pins, 3]);
  const { device, tenant, kid, broker, enrollment } = bundle;
  assert.partialDeepStrictEqual(loaded, { device, tenant, kid, broker, enrollment });
  const lines = readFileSync(join(folder, 'server.pin'), 'utf8').trim().split('\n');
  assert.deepEqual([lines.length, lines[0]], [3, `sha256//${OWN.spki}`]);
  // The server whose key was announced is accepted from now on, and that before still is.
  for (const server of [TWIN, PKI.server]) {
    const other = await startEst(t, PKI, { server });
    const enrollment = { host: 'localhost', port: other.port };
    other.script.pins = est.script.pins;
    assert.deepEqual(await update({ ...loaded, enrollment }), { result: 'unchanged' });
  }
});

test('an older set, the same one, and one that does not count yet change nothing', async (t) => {
  const { est, bundle, folder, update } = await lab(t);
  const now = Date.now();
  const sets = [
    { version: 3, pins: NEXT, notBefore: 0 },
    { version: 4, pins: NEXT, notBefore: 0 },
    { version: 5, pins: [OWN, NEXT], notBefore: now + PINS_AHEAD_MS_MAX + 60_000 },
  ];
  for (const set of sets) {
    est.script.pins = signed(bundle.commandKey, set);
    assert.deepEqual(await update({ ...bundle, pinsVersion: 4 }), { result: 'unchanged' });
  }
  assert.deepEqual(loadBundle(folder).pins, [OWN]);
  est.script.pins = signed(bundle.commandKey, {
    version: 5,
    pins: [OWN],
    notBefore: now + PINS_AHEAD_MS_MAX,
  });
  const { result } = await update({ ...bundle, pinsVersion: 4 });
  assert.equal(result, 'updated');
});

test('a set that would lock the device out is refused [E_DEVICE_PIN_SET]', async (t) => {
  const { est, bundle, folder, update } = await lab(t);
  est.script.pins = signed(bundle.commandKey, { version: 1, pins: [NEXT], notBefore: 0 });
  await assert.rejects(update(), REFUSED);
  assert.deepEqual(loadBundle(folder).pins, [OWN]);
});

test('a backup pin of the bundle is accepted, and survives every update', async (t) => {
  const { est, bundle, folder, update } = await lab(t);
  const settings = JSON.parse(readFileSync(join(folder, 'holdfast.json'), 'utf8')) as object;
  const withBackup = JSON.stringify({ ...settings, backupPins: [NEXT] });
  writeFileSync(join(folder, 'holdfast.json'), withBackup);
  const own = signed(bundle.commandKey, { version: 1, pins: [OWN], notBefore: 0 });
  est.script.pins = own;
  const loaded = loadBundle(folder);
  assert.equal((await update(loaded)).result, 'updated');
  const updated = loadBundle(folder);
  assert.deepEqual([updated.pins, updated.backupPins], [[OWN], [NEXT]]);
  const other = await startEst(t, PKI, { server: TWIN });
  other.script.pins = own;
  const enrollment = { host: 'localhost', port: other.port };
  assert.deepEqual(await update({ ...updated, enrollment }), { result: 'unchanged' });
});

test('a server without the set, and one that is not pinned', async (t) => {
  const { est, bundle, update } = await lab(t);
  await assert.rejects(update(), REFUSED);
  const impostor = await startEst(t, PKI, { server: TWIN });
  impostor.script.pins = signed(bundle.commandKey, { version: 1, pins: [NEXT], notBefore: 0 });
  const enrollment = { host: 'localhost', port: impostor.port };
  await assert.rejects(update({ ...bundle, enrollment }), { code: 'E_DEVICE_PIN' });
  assert.deepEqual(impostor.seen, []);
  assert.equal(est.seen.length, 1);
});

test('who does not have the command key cannot write a set', (t) => {
  const bundle = writeTestBundle(join(testFolder(t), 'bundle'), { pki: PKI, port: 1 });
  const { commandKey } = bundle;
  const set = { version: 1, pins: [OWN], notBefore: 0 };
  const genuine = signed(commandKey, set);
  assert.deepEqual(readPinSet(genuine, bundle), { version: 1, pins: [OWN], notBeforeMs: 0 });
  assert.equal(readPinSet(signed(commandKey, { ...set, ctr: 1, ts: 2 }), bundle).version, 1);
  const wrong = [
    '',
    'null',
    '[]',
    '7',
    JSON.stringify(set),
    JSON.stringify({ ...set, sig: 7 }),
    signed(foreignKey(), set),
    genuine.replace('"version": 1', '"version": 2'),
    genuine.replace(OWN.spki, NEXT.spki),
  ];
  for (const text of wrong) assert.throws(() => readPinSet(text, bundle), REFUSED, text);
});

test('a signed command is no pin set, whatever its sender put into it', (t) => {
  const bundle = writeTestBundle(join(testFolder(t), 'bundle'), { pki: PKI, port: 1 });
  const body = { version: 9, pins: [NEXT], notBefore: 0 };
  const command = signed(bundle.commandKey, { ...body, cmd: 'x', ctr: 1, ts: 1 });
  assert.throws(() => readPinSet(command, bundle), REFUSED);
});

test('a genuine set has 1 to PINS_MAX pins, a version and a time', (t) => {
  const bundle = writeTestBundle(join(testFolder(t), 'bundle'), { pki: PKI, port: 1 });
  const set = { version: 1, pins: [OWN] as unknown, notBefore: 0 as unknown };
  const accepts = (change: object) => {
    try {
      return readPinSet(signed(bundle.commandKey, { ...set, ...change }), bundle).version === 1;
    } catch {
      return false;
    }
  };
  assert.ok(accepts({ pins: Array.from({ length: PINS_MAX }, () => OWN) }));
  const bad = [
    { pins: Array.from({ length: PINS_MAX + 1 }, () => OWN) },
    { pins: [] },
    { pins: [{}] },
    { pins: 'x' },
    { version: 1.5 },
    { version: '1' },
    { notBefore: null },
    { notBefore: -1 },
  ];
  for (const change of bad) assert.ok(!accepts(change), JSON.stringify(change));
});

test('any text is a pin set or refused, never a fault', (t) => {
  const bundle = writeTestBundle(join(testFolder(t), 'bundle'), { pki: PKI, port: 1 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.throws(() => readPinSet(text, bundle), REFUSED);
    }),
  );
});
