import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Fault, Secret, systemRandom } from '../kernel/index.ts';
import { StateStore } from './state-store.ts';

const key = new Secret(systemRandom(32));

function temporaryFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-state-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'broker.db');
}

function open(path: string, { logSize = 10, withKey = key } = {}): StateStore {
  return new StateStore(path, { key: withKey, random: systemRandom, logSize });
}

function save(store: StateStore, values: Record<string, string | undefined>): void {
  const changes = Object.entries(values).map(([name, text]) => ({
    key: name,
    value: text === undefined ? undefined : Buffer.from(text),
  }));
  store.save(changes, { logSize: 10 });
}

function load(store: StateStore, bytesMin = 1_000): Record<string, string> {
  const found: Record<string, string> = {};
  for (let after: number | undefined = 0; after !== undefined;) {
    const page = store.load({ after, bytesMin });
    for (const row of page.rows) found[row.key] = Buffer.from(row.value).toString();
    after = page.next;
  }
  return found;
}

function isStateFault(error: unknown): boolean {
  return error instanceof Fault && error.code === 'E_JOURNAL_STATE' && error.fix.length > 40;
}

test('values come back under their keys after the file was closed', (t) => {
  const path = temporaryFile(t);
  const store = open(path);
  save(store, { 'session/a': '1', 'session/é\0': '2', '': 'empty key', gone: 'x', none: '' });
  save(store, { 'session/a': '3', gone: undefined, never: undefined });
  store.close();
  const again = open(path);
  t.after(() => again.close());
  const expected = { 'session/a': '3', 'session/é\0': '2', '': 'empty key', none: '' };
  assert.deepEqual(load(again), expected);
  assert.deepEqual(load(again, 1), expected, 'in pages of one row');
});

test('a save that fails leaves everything as it was', (t) => {
  const store = open(temporaryFile(t));
  t.after(() => store.close());
  save(store, { a: '1' });
  const bad = { key: 'b', value: 'no bytes' as unknown as Uint8Array };
  assert.throws(() => store.save([{ key: 'a', value: undefined }, bad], { logSize: 10 }));
  assert.deepEqual(load(store), { a: '1' });
});

test('the files show neither keys nor values', (t) => {
  const path = temporaryFile(t);
  const store = open(path);
  t.after(() => store.close());
  const secrets = ['pump-4711', 'd/pump-4711/state', 'valve open'];
  save(store, { 'session/pump-4711': 'valve open', 'retained/d/pump-4711/state': 'valve open' });
  const files = readdirSync(join(path, '..'));
  assert.ok(files.includes('broker.db-wal'), 'what is not checkpointed counts too');
  const bytes = Buffer.concat(files.map((file) => readFileSync(join(path, '..', file))));
  assert.ok(bytes.length > 4_096);
  for (const secret of [...secrets, 'session', 'retained', 'routed']) {
    assert.equal(bytes.includes(secret), false, secret);
  }
});

test('each changed byte of a row is a fault, not a loss [E_JOURNAL_STATE]', (t) => {
  const path = temporaryFile(t);
  const store = open(path);
  save(store, { 'session/a': '123' });
  store.close();
  const database = new DatabaseSync(path);
  const rows = database.prepare('SELECT rowid AS place, sealed FROM state').all();
  assert.equal(rows.length, 2, 'the session, and the size of the log');
  database.close();
  const change = 'UPDATE state SET sealed = ? WHERE rowid = ?';
  for (const { place, sealed } of rows) {
    assert.ok(sealed instanceof Uint8Array);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeRow(change, path, [changed, Number(place)]);
      assert.throws(() => {
        const damaged = open(path);
        try {
          load(damaged);
        } finally {
          damaged.close();
        }
      }, isStateFault);
    }
    writeRow(change, path, [sealed, Number(place)]);
  }
  const good = open(path);
  assert.deepEqual(load(good), { 'session/a': '123' });
  good.close();
});

test('two rows that were swapped do not open', (t) => {
  const path = temporaryFile(t);
  const store = open(path);
  save(store, { 'session/a': '1', 'session/b': '2' });
  store.close();
  const swap = `UPDATE state SET sealed = (SELECT sealed FROM state AS other
    WHERE other.rowid = 3 - state.rowid) WHERE rowid IN (?, ?)`;
  writeRow(swap, path, [1, 2]);
  const swapped = open(path);
  t.after(() => swapped.close());
  assert.throws(() => load(swapped), isStateFault);
});

test('another key opens nothing', (t) => {
  const path = temporaryFile(t);
  const store = open(path);
  save(store, { a: '1' });
  store.close();
  const stranger = open(path, { withKey: new Secret(systemRandom(32)) });
  t.after(() => stranger.close());
  assert.throws(() => load(stranger), isStateFault);
});

test('state that was saved behind the end of the log is not taken', (t) => {
  const path = temporaryFile(t);
  const store = open(path, { logSize: 9 });
  save(store, { a: '1' });
  store.close();
  assert.throws(() => open(path, { logSize: 9 }), isStateFault);
  for (const logSize of [10, 11]) open(path, { logSize }).close();
});

function writeRow(sql: string, path: string, values: (Uint8Array | number)[]): void {
  const database = new DatabaseSync(path);
  assert.ok(Number(database.prepare(sql).run(...values).changes) > 0);
  database.close();
}
