import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import { Fault, Secret, systemRandom } from '../kernel/index.ts';
import { StoreLab, fakeToken } from './lab.testing.ts';
import {
  KEY_AGE_RENEW_MS,
  KEY_BYTES_MAX,
  KEY_BYTES_RENEW,
  KEY_SEALINGS_AHEAD,
  KEY_SEALINGS_MAX,
  KEY_SEALINGS_PER_START,
  KEY_SEALINGS_RENEW,
} from './limits.ts';
import { SealedStore } from './sealed-store.ts';

function code(wanted: string): (error: unknown) => boolean {
  return (error) => error instanceof Fault && error.code === wanted;
}

/** Sets what a closed store says of the use of a key. */
function setUse(path: string, ref: number, use: { sealings?: number; bytes?: number }): void {
  const database = new DatabaseSync(path);
  const starts = Number(database.prepare('SELECT starts FROM key_use').get()?.['starts']);
  for (const [column, value] of Object.entries(use)) {
    const sql = `UPDATE data_key SET ${column} = ?, starts = ? WHERE ref = ?`;
    database.prepare(sql).run(value, starts, ref);
  }
  database.close();
}

function storedSealings(path: string, ref: number): number {
  const database = new DatabaseSync(path, { readOnly: true });
  const row = database.prepare('SELECT sealings FROM data_key WHERE ref = ?').get(ref);
  database.close();
  return Number(row?.['sealings']);
}

test('a key seals as often as it may, and not once more [E_PERSISTENCE_KEY_SPENT]', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const { ref } = store.keyring.create('device');
  store.close();
  setUse(lab.path, ref, { sealings: KEY_SEALINGS_MAX - 2 });
  const key = lab.open().keyring.byRef(ref);
  key.spend(1);
  key.spend(1);
  assert.throws(() => key.spend(1), code('E_PERSISTENCE_KEY_SPENT'));
  assert.throws(() => key.spend(1), code('E_PERSISTENCE_KEY_SPENT'));
});

test('a key seals as many bytes as it may, and not one more [E_PERSISTENCE_KEY_SPENT]', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const { ref } = store.keyring.create('device');
  store.close();
  setUse(lab.path, ref, { bytes: KEY_BYTES_MAX - 10 });
  const key = lab.open().keyring.byRef(ref);
  key.spend(10);
  assert.throws(() => key.spend(1), code('E_PERSISTENCE_KEY_SPENT'));
});

test('a key is due by its sealings, its bytes or its age, once it is used', (t) => {
  const lab = new StoreLab(t);
  const dueAt = (use: { sealings?: number; bytes?: number }, ageMs = 0): boolean => {
    const store = lab.open();
    const { ref } = store.keyring.create('device');
    store.close();
    if (Object.keys(use).length > 0) setUse(lab.path, ref, use);
    lab.clock.ms += ageMs;
    const again = lab.open();
    again.keyring.byRef(ref);
    assert.equal(again.keyring.isDue(ref), false, 'it was not used');
    again.keyring.byRef(ref).spend(1);
    const isDue = again.keyring.isDue(ref);
    assert.deepEqual(again.keyring.due(), isDue ? [ref] : []);
    again.close();
    return isDue;
  };
  assert.equal(dueAt({}), false);
  assert.equal(dueAt({ sealings: KEY_SEALINGS_RENEW - 2 }), false);
  assert.equal(dueAt({ sealings: KEY_SEALINGS_RENEW - 1 }), true);
  assert.equal(dueAt({ bytes: KEY_BYTES_RENEW - 2 }), false);
  assert.equal(dueAt({ bytes: KEY_BYTES_RENEW - 1 }), true);
  assert.equal(dueAt({}, KEY_AGE_RENEW_MS - 1), false);
  assert.equal(dueAt({}, KEY_AGE_RENEW_MS), true);
});

test('whatever crashes when, never less is known of the use of a key than there was', (t) => {
  const lab = new StoreLab(t);
  const first = lab.open();
  const { ref } = first.keyring.create('device');
  first.close();
  let used = 0;
  const run = fc.record({
    sealings: fc.oneof(fc.nat(3), fc.nat(3 * KEY_SEALINGS_PER_START)),
    isCrash: fc.boolean(),
    isTicking: fc.boolean(),
  });
  const live = { path: lab.path, copy: `${lab.path}.crash` };
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
      for (const { sealings, isCrash, isTicking } of runs) {
        const store = lab.open();
        const { keyring } = store;
        if (sealings > 0) {
          const key = keyring.byRef(ref);
          for (let n = 0; n < sealings; n += 1) key.spend(1);
          if (isTicking) keyring.reserveAhead();
        }
        used += sealings;
        if (isCrash) crash(store, live);
        else store.close();
        const after = lab.open();
        const known = after.census.purposes().find(({ purpose }) => purpose === 'device');
        assert.ok((known?.most.sealings ?? 0) >= used, `${known?.most.sealings} < ${used}`);
        after.close();
      }
    }),
    { numRuns: 20 },
  );
  assert.ok(storedSealings(lab.path, ref) < used + 1_000 * KEY_SEALINGS_AHEAD);
});

/** Leaves the files as they were before the store is closed. */
function crash(store: SealedStore, { path, copy }: { path: string; copy: string }): void {
  for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
  store.close();
  for (const end of ['', '-wal', '-shm']) rmSync(path + end, { force: true });
  for (const end of ['', '-wal']) {
    if (existsSync(copy + end)) copyFileSync(copy + end, path + end);
    rmSync(copy + end, { force: true });
  }
}

test('a clean stop writes down what was really used', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const key = store.keyring.create('device');
  for (let n = 0; n < 7; n += 1) key.spend(10);
  assert.equal(storedSealings(lab.path, key.ref), KEY_SEALINGS_PER_START);
  store.close();
  assert.equal(storedSealings(lab.path, key.ref), 7);
});

test('what is reserved in a transaction that fails is reserved again', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const things = store.collection('thing', z.number());
  const key = store.keyring.create('device');
  const spendAll = (): void => {
    for (let n = 0; n <= KEY_SEALINGS_PER_START; n += 1) key.spend(1);
  };
  assert.throws(() =>
    store.transaction(() => {
      things.write('a', 1);
      spendAll();
      throw new Error('half way');
    }),
  );
  assert.equal(storedSealings(lab.path, key.ref), KEY_SEALINGS_PER_START);
  key.spend(1);
  assert.ok(storedSealings(lab.path, key.ref) >= KEY_SEALINGS_AHEAD);
});

test('a renewed key seals, and those before it open', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const first = store.keyring.only('acts');
  const second = store.keyring.renew('acts');
  assert.notEqual(second.ref, first.ref);
  assert.equal(store.keyring.only('acts').ref, second.ref);
  assert.deepEqual(
    store.keyring.all('acts').map(({ ref }) => ref),
    [second.ref, first.ref],
  );
  store.close();
  const again = lab.open();
  assert.equal(again.keyring.only('acts').ref, second.ref);
  assert.ok(Buffer.from(again.keyring.byRef(first.ref).key.expose()).equals(first.key.expose()));
  const acts = again.census.purposes().find(({ purpose }) => purpose === 'acts');
  assert.deepEqual([acts?.current, acts?.former], [1, 1]);
});

test('records are sealed again under a new key, and stay intact', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const things = store.collection('thing', z.number());
  store.transaction(() => {
    for (let n = 0; n < 300; n += 1) things.write(`thing-${n}`, n);
  });
  const before = store.keyring.only('records').ref;
  const check = (of: SealedStore): void => {
    const found = of.collection('thing', z.number());
    assert.equal(found.all().length, 300);
    assert.equal(found.read('thing-299'), 299);
  };
  assert.equal(store.resealing().isNeeded, false);
  const { ref } = store.keyring.renew('records');
  const resealing = store.resealing();
  assert.equal(resealing.isNeeded, true);
  assert.equal(resealing.step(), true);
  things.write('thing-7', 7);
  check(store);
  store.close();
  const again = lab.open();
  assert.equal(again.state.opened.isIntact, true);
  const rest = again.resealing();
  while (rest.step());
  assert.equal(rest.isNeeded, false);
  assert.notEqual(ref, before);
  check(again);
  again.close();
  const database = new DatabaseSync(lab.path);
  for (const table of ['record', 'state']) {
    const refs = database.prepare(`SELECT DISTINCT key_ref FROM ${table}`).all();
    assert.deepEqual(
      refs.map((row) => Number(row['key_ref'])),
      [ref],
    );
  }
  database.close();
  const last = lab.open();
  assert.equal(last.state.opened.isIntact, true);
  check(last);
});

function rotated(store: SealedStore, clock: { ms: number }): void {
  store.keyring.keks.add(clock.ms);
  const rotation = store.rotation();
  while (rotation.step());
  assert.equal(rotation.finish(), 0);
}

test('a rotation wraps every key again, and destroys the version before', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const keys = Array.from({ length: 300 }, () => store.keyring.create('device'));
  store.keyring.destroy(keys[5]?.ref ?? 0);
  const database = new DatabaseSync(lab.path, { readOnly: true });
  const old = database.prepare('SELECT wrapped FROM key_encryption_key').get()?.['wrapped'];
  const oldKeys = database.prepare('SELECT wrapped FROM data_key WHERE wrapped IS NOT NULL').all();
  database.close();
  store.keyring.keks.add(lab.clock.ms);
  const rotation = store.rotation();
  rotation.step();
  assert.equal(rotation.left, oldKeys.length - 128);
  assert.equal(rotation.finish(), oldKeys.length - 128, 'nothing is retired before its time');
  assert.ok(store.keyring.keks.isRotating);
  const during = store.keyring.create('device');
  store.close();
  const again = lab.open();
  const rest = again.rotation();
  while (rest.step());
  assert.equal(rest.finish(), 0);
  assert.equal(again.scrub(), true);
  again.close();
  const bytes = readFileSync(lab.path);
  assert.ok(old instanceof Uint8Array);
  assert.equal(bytes.includes(old), false, 'the wrapped key of before is overwritten');
  for (const { wrapped } of oldKeys) {
    assert.ok(wrapped instanceof Uint8Array && !bytes.includes(wrapped));
  }
  const last = lab.open();
  for (const [at, key] of [...keys, during].entries()) {
    if (at === 5) assert.throws(() => last.keyring.byRef(key.ref), code('E_PERSISTENCE_KEY'));
    else assert.ok(Buffer.from(last.keyring.byRef(key.ref).key.expose()).equals(key.key.expose()));
  }
  const versions = last.census.versions().map((kek) => [kek.version, kek.dataKeys]);
  assert.deepEqual(versions, [
    [1, 0],
    [2, oldKeys.length + 1],
  ]);
  rotated(last, lab.clock);
  assert.equal(last.keyring.keks.current.version, 3);
});

test('the wrapping of a version that is retired opens nothing [E_CRYPTO_OPEN]', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const { ref } = store.keyring.create('device');
  store.close();
  copyFileSync(lab.path, `${lab.path}.old`);
  const again = lab.open();
  rotated(again, lab.clock);
  again.close();
  const database = new DatabaseSync(lab.path);
  database.exec(`ATTACH '${lab.path}.old' AS old`);
  database
    .prepare(
      `UPDATE data_key SET (kek_version, wrapped) =
       (SELECT kek_version, wrapped FROM old.data_key WHERE ref = ?) WHERE ref = ?`,
    )
    .run(ref, ref);
  database.close();
  assert.throws(() => lab.open().keyring.byRef(ref), code('E_CRYPTO_OPEN'));
});

function tokenPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'registry.db');
}

test('in a token: two keys while it lasts, and one after; what a crash made is destroyed', (t) => {
  const path = tokenPath(t);
  const token = fakeToken();
  const random = systemRandom;
  let store = new SealedStore(path, { token, random });
  t.after(() => store.close());
  const reopen = (): void => {
    store.close();
    store = new SealedStore(path, { token, random });
  };
  const key = store.keyring.create('device');
  token.crashAfterMake = true;
  assert.throws(() => store.keyring.keks.add(0));
  token.crashAfterMake = false;
  reopen();
  assert.equal(store.keyring.keks.isRotating, false);
  assert.equal(store.keyring.keks.hasLeftovers, true);
  store.keyring.keks.destroyLeftovers();
  assert.equal(token.keys.length, 1);
  store.keyring.keks.add(0);
  store.keyring.keks.destroyLeftovers();
  assert.equal(token.keys.length, 2, 'nothing is destroyed that is still needed');
  reopen();
  assert.equal(store.keyring.keks.isRotating, true);
  const rotation = store.rotation();
  while (rotation.step());
  assert.equal(rotation.finish(), 0);
  reopen();
  assert.equal(store.keyring.keks.hasLeftovers, true);
  store.keyring.keks.destroyLeftovers();
  assert.equal(token.keys.length, 1);
  reopen();
  assert.ok(Buffer.from(store.keyring.byRef(key.ref).key.expose()).equals(key.key.expose()));
});

test('a keyring that is only read writes nothing', (t) => {
  const lab = new StoreLab(t);
  const store = lab.open();
  const key = store.keyring.create('device');
  store.close();
  const before = readFileSync(lab.path);
  assert.throws(
    () =>
      new SealedStore(lab.path, { unsealKey: new Secret(systemRandom(32)), random: systemRandom }),
    code('E_CRYPTO_OPEN'),
  );
  assert.ok(readFileSync(lab.path).equals(before), 'a start with another key counts nothing');
  assert.ok(key.ref > 0);
});
