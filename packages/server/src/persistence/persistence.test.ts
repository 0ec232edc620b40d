import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { Fault, Secret, systemRandom } from '../kernel/index.ts';
import { fakeToken } from './lab.testing.ts';
import { SealedStore } from './sealed-store.ts';

const unsealKey = new Secret(systemRandom(32));
const Thing = z.object({ name: z.string(), size: z.int() });

function temporaryPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-store-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'registry.db');
}

function openStore(path: string, key = unsealKey): SealedStore {
  return new SealedStore(path, { unsealKey: key, random: systemRandom });
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Fault && error.code === code;
}

test('records survive a restart, and the keys with them', (t) => {
  const path = temporaryPath(t);
  const store = openStore(path);
  store.collection('thing', Thing).write('pump', { name: 'pump', size: 3 });
  const { ref, key } = store.keyring.create('device');
  store.close();
  const again = openStore(path);
  t.after(() => again.close());
  const things = again.collection('thing', Thing);
  assert.deepEqual(things.read('pump'), { name: 'pump', size: 3 });
  assert.deepEqual(things.all(), [{ name: 'pump', size: 3 }]);
  assert.equal(things.read('Pump'), undefined);
  assert.equal(again.collection('other', Thing).read('pump'), undefined);
  assert.ok(Buffer.from(key.expose()).equals(again.keyring.byRef(ref).key.expose()));
  things.remove('pump');
  assert.deepEqual(things.all(), []);
});

test('the files show neither names nor content', (t) => {
  const path = temporaryPath(t);
  const store = openStore(path);
  store.collection('thing', Thing).write('thermostat-kitchen', { name: 'secretive', size: 3 });
  const folder = join(path, '..');
  const bytes = (): string =>
    readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('');
  assert.ok(!/thermostat-kitchen|secretive/.test(bytes()));
  store.close();
  assert.ok(!/thermostat-kitchen|secretive/.test(bytes()));
});

test('another unseal key opens nothing [E_CRYPTO_OPEN]', (t) => {
  const path = temporaryPath(t);
  openStore(path).close();
  assert.throws(() => openStore(path, new Secret(systemRandom(32))), hasCode('E_CRYPTO_OPEN'));
});

test('a row that was moved to another id does not open [E_CRYPTO_OPEN]', (t) => {
  const path = temporaryPath(t);
  const store = openStore(path);
  const things = store.collection('thing', Thing);
  things.write('one', { name: 'one', size: 1 });
  things.write('two', { name: 'two', size: 2 });
  store.close();
  const database = new DatabaseSync(path);
  const rows = database
    .prepare("SELECT lookup, sealed FROM record WHERE collection = 'thing'")
    .all();
  const move = database.prepare('UPDATE record SET sealed = ? WHERE lookup = ?');
  for (const [at, { lookup }] of rows.entries()) {
    move.run(rows.at(at - 1)?.['sealed'] ?? null, lookup ?? null);
  }
  database.close();
  const moved = openStore(path);
  t.after(() => moved.close());
  assert.throws(() => moved.collection('thing', Thing).read('one'), hasCode('E_CRYPTO_OPEN'));
});

test('a wrapped key that was moved to another number does not open [E_CRYPTO_OPEN]', (t) => {
  const path = temporaryPath(t);
  const store = openStore(path);
  const { ref } = store.keyring.create('device');
  const { ref: other } = store.keyring.create('device');
  store.close();
  const database = new DatabaseSync(path);
  database
    .prepare(
      'UPDATE data_key SET wrapped = (SELECT wrapped FROM data_key WHERE ref = ?) WHERE ref = ?',
    )
    .run(other, ref);
  database.close();
  const moved = openStore(path);
  t.after(() => moved.close());
  assert.throws(() => moved.keyring.byRef(ref), hasCode('E_CRYPTO_OPEN'));
});

test('a file of another format is refused [E_PERSISTENCE_VERSION]', (t) => {
  const path = temporaryPath(t);
  openStore(path).close();
  const database = new DatabaseSync(path);
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.throws(() => openStore(path), hasCode('E_PERSISTENCE_VERSION'));
});

test('a transaction that throws leaves nothing behind', (t) => {
  const store = openStore(temporaryPath(t));
  t.after(() => store.close());
  const things = store.collection('thing', Thing);
  assert.throws(() =>
    store.transaction(() => {
      things.write('one', { name: 'one', size: 1 });
      throw new Error('half way');
    }),
  );
  assert.deepEqual(things.all(), []);
});

test('a store under a token opens with this token only, and never by an unseal key', (t) => {
  const path = temporaryPath(t);
  const random = systemRandom;
  const token = fakeToken();
  const store = new SealedStore(path, { token, random });
  const things = store.collection('thing', Thing);
  things.write('pump', { name: 'pump', size: 3 });
  const { ref } = store.keyring.create('device');
  store.close();
  const again = new SealedStore(path, { token, random });
  assert.deepEqual(again.collection('thing', Thing).read('pump'), { name: 'pump', size: 3 });
  assert.equal(again.keyring.byRef(ref).key.expose().length, 32);
  again.close();
  assert.throws(
    () => new SealedStore(path, { token: fakeToken(), random }),
    hasCode('E_CRYPTO_OPEN'),
  );
  assert.throws(() => openStore(path), hasCode('E_CRYPTO_OPEN'));
});

test('a store under an unseal key does not open by a token [E_CRYPTO_OPEN]', (t) => {
  const path = temporaryPath(t);
  openStore(path).close();
  const token = fakeToken();
  const open = (): unknown => new SealedStore(path, { token, random: systemRandom });
  assert.throws(open, hasCode('E_CRYPTO_OPEN'));
});
