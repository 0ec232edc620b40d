import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { z } from 'zod';
import { Secret, systemRandom } from '../kernel/index.ts';
import { type Collection, SealedStore } from './sealed-store.ts';

const unsealKey = new Secret(systemRandom(32));

interface Lab {
  readonly path: string;
  readonly store: SealedStore;
  readonly things: Collection<number>;
  /** Closes the store, does something to its file, and says what it says of itself then. */
  readonly reopened: (tamper?: (database: DatabaseSync) => void) => SealedStore['state']['opened'];
}

function openStore(path: string): SealedStore {
  return new SealedStore(path, { unsealKey, random: systemRandom });
}

function openLab(t: TestContext): Lab {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-state-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'registry.db');
  const store = openStore(path);
  t.after(() => {
    if (store.isOpen) store.close();
  });
  return {
    path,
    store,
    things: store.collection('thing', z.number()),
    reopened(tamper) {
      if (store.isOpen) store.close();
      const database = new DatabaseSync(path);
      tamper?.(database);
      database.close();
      const again = openStore(path);
      again.close();
      return again.state.opened;
    },
  };
}

/** The sealed bytes of the only record. */
function sealedIn(database: DatabaseSync): Uint8Array {
  const sealed = database.prepare('SELECT sealed FROM record').get()?.['sealed'];
  assert.ok(sealed instanceof Uint8Array);
  return sealed;
}

test('whatever is written and removed, the digest is that of what is there', (t) => {
  const { store, things, reopened } = openLab(t);
  store.state.release(() => 'note');
  const step = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.option(fc.nat(9)), fc.boolean());
  const act = ([id, value, isFailing]: [string, number | null, boolean]): void => {
    const change = (): void => (value === null ? things.remove(id) : things.write(id, value));
    if (!isFailing) return change();
    assert.throws(() =>
      store.transaction(() => {
        change();
        throw new Error('rolled back');
      }),
    );
  };
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      for (const one of steps) act(one);
    }),
  );
  const { generation } = store.state;
  assert.deepEqual(reopened(), { generation, checkpoint: 'note', isIntact: true });
});

test('an older copy of a record, one that is gone, and one too many show', (t) => {
  const tampers: ((database: DatabaseSync, old: Uint8Array) => void)[] = [
    (database, old) => database.prepare('UPDATE record SET sealed = ?').run(old),
    (database) => database.exec('DELETE FROM record'),
    (database) => database.exec("UPDATE record SET collection = 'other'"),
    (database) =>
      database.exec("INSERT INTO record SELECT collection, x'00', key_ref, sealed FROM record"),
    (database) => database.exec('DELETE FROM state'),
  ];
  for (const tamper of tampers) {
    const { path, things, reopened } = openLab(t);
    things.write('pump', 1);
    const old = new DatabaseSync(path, { readOnly: true });
    const sealed = sealedIn(old);
    old.close();
    things.write('pump', 2);
    assert.equal(reopened().isIntact, true);
    assert.equal(reopened((database) => tamper(database, sealed)).isIntact, false);
  }
});

test('an older file says an older generation, and counts no further until it is checked', (t) => {
  const { path, store, things } = openLab(t);
  store.state.release(() => 'note');
  things.write('pump', 1);
  assert.equal(store.state.generation, 1);
  store.transaction(() => {
    things.write('pump', 2);
    things.write('valve', 2);
  });
  assert.equal(store.state.generation, 2, 'one transaction is one change');
  store.close();
  copyFileSync(path, `${path}.old`);
  const later = openStore(path);
  later.state.release(() => 'note');
  later.collection('thing', z.number()).write('pump', 3);
  later.close();
  copyFileSync(`${path}.old`, path);
  for (let start = 0; start < 3; start += 1) {
    const again = openStore(path);
    again.collection('thing', z.number()).write('pump', 4);
    again.close();
    assert.deepEqual(again.state.opened, { generation: 2, checkpoint: 'note', isIntact: true });
  }
});

test('a checkpoint is kept with each change, and by a mark; a mark is no change', (t) => {
  const { store, things, reopened } = openLab(t);
  let checkpoint = 'first';
  store.state.mark();
  store.state.release(() => checkpoint);
  things.write('pump', 1);
  checkpoint = 'second';
  store.state.mark();
  assert.equal(store.state.generation, 1);
  assert.deepEqual(reopened(), { generation: 1, checkpoint: 'second', isIntact: true });
});

test('what was accepted is intact from then on, above the generation that is known', (t) => {
  const { path, things, reopened } = openLab(t);
  things.write('pump', 1);
  assert.equal(reopened((database) => database.exec('DELETE FROM record')).isIntact, false);
  const store = openStore(path);
  store.state.accept(41);
  store.state.release(() => '');
  store.collection('thing', z.number()).write('valve', 1);
  store.close();
  assert.deepEqual(reopened(), { generation: 42, checkpoint: '', isIntact: true });
});
