import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { testFolder, writeTestBundle } from '../../test-support/test-bundle.ts';
import { testPki } from '../../test-support/test-pki.ts';
import { Fernet } from '../fernet.ts';
import { SECURE_STORE_BYTES_MAX, SECURE_STORE_NAME_MAX } from '../limits.ts';
import { type JsonValue, type MonotonicCounter, SecureStore } from './secure-store.ts';

const FILE = 'settings.sealed';

test('values stay, of whatever JSON they are, and the file shows none of them', (t) => {
  const folder = join(testFolder(t), 'own');
  const store = new SecureStore({ in: folder });
  const values: Record<string, JsonValue> = { wifi: { ssid: 'upstairs', psk: 'hunter2' }, n: 0 };
  for (const [name, value] of Object.entries(values)) store.set(name, value);
  store.set('__proto__', [null, true, -0.5, 'ü']);
  store.set('gone', 1);
  store.delete('gone');
  const again = new SecureStore({ in: folder });
  assert.deepEqual(again.names(), ['wifi', 'n', '__proto__']);
  assert.deepEqual(again.get('wifi'), values['wifi']);
  assert.deepEqual(again.get('__proto__'), [null, true, -0.5, 'ü']);
  assert.equal(again.get('gone'), undefined);
  const text = readFileSync(join(folder, FILE), 'latin1');
  for (const word of ['wifi', 'upstairs', 'hunter2']) assert.ok(!text.includes(word));
  for (const name of [FILE, 'store.key']) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  }
});

test('any values come back as they were', (t) => {
  const store = new SecureStore({ in: join(testFolder(t), 'own') });
  const name = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
  fc.assert(
    fc.property(name, fc.jsonValue(), (name, value) => {
      const plain: JsonValue = JSON.parse(JSON.stringify(value));
      store.set(name, plain);
      assert.deepEqual(store.get(name), plain);
    }),
    { numRuns: 30 },
  );
});

test('in a bundle it is sealed by the payload key: with another one it does not open', (t) => {
  const pki = testPki();
  const folder = testFolder(t);
  const bundle = writeTestBundle(join(folder, 'a'), { pki, port: 1 });
  const other = writeTestBundle(join(folder, 'b'), { pki, port: 1 });
  new SecureStore({ in: bundle }).set('pin', 1234);
  assert.equal(new SecureStore({ in: bundle }).get('pin'), 1234);
  new SecureStore({ in: other }).set('pin', 0);
  copyFileSync(join(bundle.folder, 'store', FILE), join(other.folder, 'store', FILE));
  assert.throws(() => new SecureStore({ in: other }), { code: 'E_DEVICE_STORE' });
});

test('a file with one bit changed, or cut off, does not open [E_DEVICE_STORE]', (t) => {
  const folder = join(testFolder(t), 'own');
  new SecureStore({ in: folder }).set('a', 1);
  const path = join(folder, FILE);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(path, changed);
    assert.throws(() => new SecureStore({ in: folder }), { code: 'E_DEVICE_STORE' }, `${at}`);
    writeFileSync(path, bytes.subarray(0, at));
    assert.throws(() => new SecureStore({ in: folder }), { code: 'E_DEVICE_STORE' }, `${at}`);
  }
  writeFileSync(path, bytes);
  assert.equal(new SecureStore({ in: folder }).get('a'), 1);
});

test('with a counter an older file is found out, also a removed one; a crash is none', (t) => {
  const folder = join(testFolder(t), 'own');
  const path = join(folder, FILE);
  let value = 0;
  const counter: MonotonicCounter = {
    read: () => value,
    advanceTo: (next) => {
      assert.ok(next > value);
      value = next;
    },
  };
  const store = new SecureStore({ in: folder, counter });
  store.set('a', 1);
  copyFileSync(path, `${path}.old`);
  store.set('a', 2);
  const newest = readFileSync(path);
  copyFileSync(`${path}.old`, path);
  assert.throws(() => store.get('a'), { code: 'E_DEVICE_STORE_ROLLBACK' });
  assert.throws(() => new SecureStore({ in: folder, counter }), {
    code: 'E_DEVICE_STORE_ROLLBACK',
  });
  assert.equal(new SecureStore({ in: folder }).get('a'), 1, 'without a counter nobody knows');
  rmSync(path);
  assert.throws(() => new SecureStore({ in: folder, counter }), {
    code: 'E_DEVICE_STORE_ROLLBACK',
  });
  writeFileSync(path, newest);
  value = 1;
  assert.equal(new SecureStore({ in: folder, counter }).get('a'), 2);
  assert.equal(value, 2, 'the counter is brought to where the file is');
});

test('names and size have their bounds; what is too large changes nothing', (t) => {
  const store = new SecureStore({ in: join(testFolder(t), 'own') });
  store.set('n'.repeat(SECURE_STORE_NAME_MAX), 1);
  for (const name of ['', 'n'.repeat(SECURE_STORE_NAME_MAX + 1)]) {
    assert.throws(() => store.set(name, 1), { code: 'E_DEVICE_STORE' });
  }
  store.delete('n'.repeat(SECURE_STORE_NAME_MAX));
  // [3,[["a","…"]]]
  const most = SECURE_STORE_BYTES_MAX - '[3,[["a",""]]]'.length;
  assert.throws(() => store.set('a', 'x'.repeat(most + 1)), { code: 'E_DEVICE_STORE' });
  assert.deepEqual(store.names(), []);
  store.set('a', 'x'.repeat(most));
  assert.equal(store.get('a'), 'x'.repeat(most));
});

test('values go out as Fernet tokens and come in by them', (t) => {
  const store = new SecureStore({ in: join(testFolder(t), 'own') });
  const fernet = new Fernet(Fernet.generateKey());
  store.set('a', { b: [1] });
  store.setFromFernet('c', store.toFernet('a', fernet), { fernet });
  assert.deepEqual(store.get('c'), { b: [1] });
  store.setFromFernet('d', fernet.encrypt(Buffer.from('no JSON')), { fernet, ttlS: 60 });
  assert.equal(store.get('d'), 'no JSON');
  const old = fernet.encrypt(Buffer.from('1'), { atMs: Date.now() - 61_000 });
  assert.throws(() => store.setFromFernet('e', old, { fernet, ttlS: 60 }), {
    code: 'E_DEVICE_FERNET_TOKEN',
  });
  assert.throws(() => store.toFernet('e', fernet), { code: 'E_DEVICE_STORE' });
});
