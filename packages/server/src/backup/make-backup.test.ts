import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { platform } from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { BackupKey } from './backup-key.ts';
import { failingBucket, openBackupLab } from './lab.testing.ts';
import { HOLDS_MAX } from './limits.ts';
import { makeBackup } from './make-backup.ts';
import { type Manifest, decodeManifest, manifestObject } from './manifest.ts';
import { chunksOf, listBackups } from './prune.ts';
import { restoreDatabase } from './restore-database.ts';
import type { BackupStart, FromBackup, ToBackup } from './worker-messages.ts';

type Lab = ReturnType<typeof openBackupLab>;

async function manifestOf({ bucket, dataKey, verifierKey }: Lab, id: string): Promise<Manifest> {
  const key = new BackupKey(dataKey.ref, dataKey.key);
  const bytes = (await bucket.get(manifestObject(id))) ?? assert.fail(id);
  return decodeManifest(bytes, { key, verifierKey });
}

async function headsOf({ bucket, verifierKey }: Lab) {
  return (await listBackups(bucket, verifierKey)).heads;
}

function rowsOf(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const schema = database.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();
    const batches = database
      .prepare('SELECT first, hex(sealed) AS sealed FROM batch ORDER BY first')
      .all();
    const version = database.prepare('PRAGMA user_version').get();
    return JSON.stringify([schema, batches, version]);
  } finally {
    database.close();
  }
}

const logOf = ({ snapshot }: Manifest) =>
  snapshot.databases.find(({ name }) => name === 'log') ?? assert.fail('no log');

test('a backup has the newest checkpoint, and nothing of the wrapped keys', async (t) => {
  const lab = openBackupLab(t, { mebibytes: 1 });
  const registry = new DatabaseSync(lab.paths.registry);
  registry.exec(
    "INSERT INTO key_encryption_key (version, wrapped, created_ms) VALUES (1, x'00', 0)",
  );
  registry.close();
  const made = await makeBackup(lab.optionsFor(lab.bucket));
  assert.equal(made.checkpoint, 'newest');
  const manifest = await manifestOf(lab, made.id);
  const tables = manifest.snapshot.databases.find(({ name }) => name === 'registry')?.tables ?? [];
  assert.deepEqual(
    tables.filter(({ name }) => name.endsWith('_key')).map(({ rows, chunks }) => [rows, chunks]),
    [
      [0, []],
      [0, []],
    ],
  );
});

test('only what is new is written, and what was written twice stands once', async (t) => {
  const lab = openBackupLab(t);
  const first = await makeBackup(lab.optionsFor(lab.bucket));
  assert.equal(first.newBytes, first.bytes);
  const same = await makeBackup(lab.optionsFor(lab.bucket));
  assert.equal(same.newBytes, 0);
  lab.append(1);
  const more = await makeBackup(lab.optionsFor(lab.bucket));
  assert.ok(more.newBytes > 0 && more.newBytes < more.bytes / 2, `${more.newBytes} bytes`);
  assert.equal((await headsOf(lab)).length, 3);
});

test('a backup whose line was cut goes on where it was', async (t) => {
  const lab = openBackupLab(t);
  const cut = failingBucket(lab.bucket, 'put', 3);
  await assert.rejects(makeBackup(lab.optionsFor(cut.bucket)), /the line is cut/u);
  assert.deepEqual(await headsOf(lab), [], 'half a backup is none');
  const rest = failingBucket(lab.bucket, 'put', 1_000);
  const made = await makeBackup(lab.optionsFor(rest.bucket));
  assert.ok(made.newBytes < made.bytes);
  for (const key of cut.done) assert.ok(!rest.done.includes(key), `${key} was put again`);
});

test('what is written while a backup is made is not in it, and none of it is half in it', async (t) => {
  const lab = openBackupLab(t, { mebibytes: 2 });
  const before = rowsOf(lab.paths.log);
  let hasWritten = false;
  const options = lab.optionsFor(lab.bucket);
  const made = await makeBackup({
    ...options,
    onProgress: () => {
      if (!hasWritten) lab.append(3);
      hasWritten = true;
    },
  });
  assert.ok(hasWritten && rowsOf(lab.paths.log) !== before);
  const restored = await restoredLog(t, lab, await manifestOf(lab, made.id));
  assert.equal(rowsOf(restored), before);
});

test('a restore whose line was cut goes on where it was, and gives what was there', async (t) => {
  const lab = openBackupLab(t);
  const made = await makeBackup(lab.optionsFor(lab.bucket));
  const manifest = await manifestOf(lab, made.id);
  const key = new BackupKey(lab.dataKey.ref, lab.dataKey.key);
  const path = join(lab.folder, 'restored.db');
  const cut = failingBucket(lab.bucket, 'get', 3);
  let done = 0;
  const onChunk = (bytes: number): void => void (done += bytes);
  const parts = logOf(manifest);
  const halted = restoreDatabase(path, parts, { bucket: cut.bucket, key, onChunk });
  await assert.rejects(halted, /the line is cut/u);
  const firstDone = done;
  assert.ok(firstDone > 0);
  done = 0;
  const rest = failingBucket(lab.bucket, 'get', 1_000);
  await restoreDatabase(path, parts, { bucket: rest.bucket, key, onChunk });
  const total = [...chunksOf({ snapshot: { ...manifest.snapshot, databases: [parts] } })];
  assert.equal(
    done,
    total.reduce((sum, { bytes }) => sum + bytes, 0),
    'progress counts all',
  );
  assert.ok(rest.done.length < total.length);
  assert.equal(rowsOf(path), rowsOf(lab.paths.log));
  await restoreDatabase(path, parts, {
    bucket: failingBucket(lab.bucket, 'get', 0).bucket,
    key,
    onChunk,
  });
});

test('a backup that is stopped ends, and leaves no backup', async (t) => {
  const lab = openBackupLab(t);
  const abort = new AbortController();
  const attempt = makeBackup({
    ...lab.optionsFor(lab.bucket),
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await assert.rejects(attempt, { code: 'E_BACKUP_FAILED' });
  assert.deepEqual(await headsOf(lab), []);
});

test('a thread that did not begin while the server stood still is started again', async (t) => {
  const lab = openBackupLab(t, { mebibytes: 1 });
  const late = t.mock.method(Atomics, 'wait', () => 'timed-out', { times: HOLDS_MAX - 1 });
  const made = await makeBackup(lab.optionsFor(lab.bucket));
  assert.equal(late.mock.callCount(), HOLDS_MAX - 1);
  assert.equal(made.newBytes, made.bytes, 'nothing is counted twice');
  t.mock.method(Atomics, 'wait', () => 'timed-out');
  await assert.rejects(makeBackup(lab.optionsFor(lab.bucket)), /not be opened in time/u);
});

/** The niceness of the thread of this process that goes furthest behind. */
function mostNice(): number {
  const all = readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      return [getPriority(Number(thread))];
    } catch {
      return []; // It has just ended.
    }
  });
  return Math.max(...all);
}

test(
  'the thread goes behind the messages only when the server no longer stands still for it',
  { skip: platform !== 'linux' && 'threads have a priority of their own on Linux' },
  async (t) => {
    const { paths, dataKey } = openBackupLab(t, { mebibytes: 1 });
    const before = mostNice();
    const workerData: BackupStart = {
      paths,
      gate: new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT),
      key: { ref: dataKey.ref, root: dataKey.key.expose() },
      known: new Map(),
    };
    const worker = new Worker(new URL('backup-worker.ts', import.meta.url), { workerData });
    t.after(() => worker.terminate());
    const heard = async (): Promise<string> =>
      ((await once(worker, 'message')) as [FromBackup])[0].type;
    assert.equal(await heard(), 'ready');
    assert.equal(mostNice(), before, 'it is waited for next');
    const begin: ToBackup = { type: 'begin' };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, no window
    worker.postMessage(begin);
    assert.equal(await heard(), 'chunk');
    assert.equal(mostNice(), Math.max(before, 10));
  },
);

async function restoredLog(t: TestContext, lab: Lab, manifest: Manifest): Promise<string> {
  const path = join(lab.folder, `${t.name.length}.db`);
  const key = new BackupKey(lab.dataKey.ref, lab.dataKey.key);
  await restoreDatabase(path, logOf(manifest), { bucket: lab.bucket, key, onChunk: () => {} });
  return path;
}
