/** Backups in the hands of somebody else: who can write to the destination, or beside the restore. @module */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { encodePublish } from '@holdfast/protocol/mqtt';
import { changeCustody, restoreData, verifyData } from '@holdfast/server';
import {
  type InProcessServer,
  RawClient,
  VirtualClock,
  signedPayload,
  startInProcess,
  temporaryFolder,
  waitFor,
  withServer,
} from '@holdfast/testkit';

/** A server with a device that has reported, and a folder for backups. */
async function open(t: TestContext, options: { readonly clock?: VirtualClock } = {}) {
  const server = await startInProcess(t, options);
  const bundle = await server.enroll('pump-1', 'gateway');
  let counter = 0;
  const report = async (count: number): Promise<void> => {
    const device = await RawClient.connect(bundle);
    for (let n = 0; n < count; n += 1) {
      const payload = Buffer.from(signedPayload(bundle, { ctr: (counter += 1), n }));
      const publish = { qos: 1, packetId: 7, retain: false } as const;
      device.send(encodePublish('d/pump-1/telemetry', payload, publish));
      await device.expect('puback');
    }
    await device.abort();
  };
  const folder = temporaryFolder(t);
  const backups = join(folder, 'backups');
  const to = `folder:${backups}`;
  const restoring = {
    from: to,
    dataDir: join(folder, 'restored'),
    unsealKeyFile: join(server.dataDir, 'unseal.key'),
  };
  return { server, report, folder, backups, to, restoring };
}

async function runOf({ client }: Pick<InProcessServer, 'client'>, to: string) {
  await client.makeBackup({ to });
  return waitFor('the backup', async () => {
    const { run } = await client.backupStatus();
    return run?.state === 'running' ? undefined : run;
  });
}

async function backUp(server: Pick<InProcessServer, 'client'>, to: string): Promise<string> {
  const run = await runOf(server, to);
  assert.equal(run.state, 'made', run.why ?? 'no reason');
  return run.backup ?? assert.fail('no id');
}

test('a restore that ends after it has settled goes on with the keys that it made', async (t) => {
  const { server, report, backups, to, restoring } = await open(t);
  await report(3);
  const id = await backUp(server, to);
  await server.client.eraseDevice('pump-1', 'asked for');
  const { dataDir } = restoring;
  const first = await restoreData(restoring);
  assert.equal(first.erasedDevices, 1);
  // As it is when the machine fails while the log is verified.
  const verifierKey = readFileSync(join(dataDir, 'log.pub'), 'utf8').trim();
  const { sequence } = JSON.parse(readFileSync(join(backups, 'keys'), 'utf8').split('\n')[0] ?? '');
  const mark = { version: 1, backup: id, verifierKey, keys: Number(sequence) };
  renameSync(dataDir, `${dataDir}.restoring`);
  writeFileSync(join(`${dataDir}.restoring`, 'restore.json'), `${JSON.stringify(mark)}\n`);
  await restoreData(restoring);
  await withServer({ dataDir }, async (client) => {
    assert.deepEqual(await client.readings('pump-1'), []);
    assert.equal((await client.eraseDevice('pump-1', 'again')).keys, 1);
  });
  const { ok, findings } = await verifyData({ dataDir });
  assert.ok(ok, JSON.stringify(findings));
});

test('a manifest under another name is not the newest backup', async (t) => {
  const { server, report, backups, to, restoring } = await open(t);
  await report(3);
  const old = await backUp(server, to);
  await report(3);
  const newest = await backUp(server, to);
  cpSync(join(backups, 'backups', old), join(backups, 'backups', 'z'));
  await assert.rejects(restoreData(restoring), { code: 'E_BACKUP_DAMAGED' });
  await assert.rejects(server.client.pruneBackups({ from: to, keep: 1 }));
  const restored = await restoreData({ ...restoring, id: newest });
  assert.equal(restored.backup, newest);
});

test('an older object with keys is put right by the server, and not restored with', async (t) => {
  const clock = new VirtualClock();
  const { server, report, folder, backups, to, restoring } = await open(t, { clock });
  await report(3);
  await backUp(server, to);
  const [keys, kept] = [join(backups, 'keys'), join(folder, 'kept')];
  cpSync(keys, kept);
  await server.client.eraseDevice('pump-1', 'asked for');
  await backUp(server, to);
  cpSync(kept, keys);
  await assert.rejects(restoreData(restoring), { code: 'E_BACKUP_KEYS_OLD' });
  const [oldest] = readdirSync(join(backups, 'backups')).sort();
  await assert.rejects(restoreData({ ...restoring, id: oldest }), { code: 'E_BACKUP_KEYS_OLD' });
  await waitFor('the keys', () => {
    clock.advance(3_600_000);
    return readFileSync(keys).equals(readFileSync(kept)) ? undefined : true;
  });
  const act = (await server.client.acts()).find(({ action }) => action === 'backup.keys-replaced');
  assert.equal(act?.target, to);
});

test('what somebody else made ready is not restored into', async (t) => {
  const { server, to, folder, restoring } = await open(t);
  const id = await backUp(server, to);
  const verifierKey = readFileSync(join(server.dataDir, 'log.pub'), 'utf8').trim();
  const staging = `${restoring.dataDir}.restoring`;
  const mark = `${JSON.stringify({ version: 1, backup: id, verifierKey })}\n`;
  mkdirSync(staging, { mode: 0o777 });
  writeFileSync(join(staging, 'restore.json'), mark, { mode: 0o666 });
  await assert.rejects(restoreData(restoring), { code: 'E_MAIN_RESTORE_OTHER' });
  rmSync(staging, { recursive: true });
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere, { mode: 0o700 });
  writeFileSync(join(elsewhere, 'restore.json'), mark, { mode: 0o600 });
  symlinkSync(elsewhere, staging);
  await assert.rejects(restoreData(restoring), { code: 'E_MAIN_RESTORE_OTHER' });
  assert.ok(!existsSync(join(elsewhere, 'unseal.key')));
});

test('keys without an end, or a pipe, in the place of an object end nothing', async (t) => {
  const { server, backups, to } = await open(t);
  await backUp(server, to);
  const keys = join(backups, 'keys');
  rmSync(keys);
  symlinkSync('/dev/zero', keys);
  const endless = await runOf(server, to);
  assert.match(endless.why ?? '', /E_BUCKETS|ELOOP/u);
  rmSync(keys);
  execFileSync('mkfifo', [keys]);
  const silent = await runOf(server, to);
  assert.match(silent.why ?? '', /is no file/u);
});

test('one damaged manifest does not hide the other backups', async (t) => {
  const { server, backups, to } = await open(t);
  const id = await backUp(server, to);
  writeFileSync(join(backups, 'backups', '0-damaged'), '{}');
  const { backups: list, damaged } = await server.client.backups(to);
  assert.deepEqual(
    list.map((backup) => backup.id),
    [id],
  );
  assert.deepEqual(damaged, ['backups/0-damaged']);
});

test('a copy of the unseal key restores where its keeper does not open any more', async (t) => {
  const folder = temporaryFolder(t);
  const [dataDir, kept] = [join(folder, 'data'), join(folder, 'kept.key')];
  const to = `folder:${join(folder, 'backups')}`;
  await withServer({ dataDir }, () => Promise.resolve());
  cpSync(join(dataDir, 'unseal.key'), kept);
  const askPassphrase = () => Promise.resolve('five random words for this');
  await changeCustody({ dataDir, to: { kind: 'passphrase' }, askPassphrase });
  await withServer({ dataDir, askPassphrase }, (client) => backUp({ client }, to));
  const restoring = { from: to, dataDir: join(folder, 'restored') };
  const forgotten = () => Promise.resolve('five words that are wrong');
  await assert.rejects(restoreData({ ...restoring, askPassphrase: forgotten }), {
    code: 'E_CRYPTO_PASSPHRASE',
  });
  const report = await restoreData({ ...restoring, unsealKeyFile: kept });
  assert.ok(report.verified.ok);
});

test('what a reader kept in the write-ahead log goes when it has let go', async (t) => {
  const clock = new VirtualClock();
  const { server, report } = await open(t, { clock });
  await report(1);
  const path = join(server.dataDir, 'registry.db');
  const reader = new DatabaseSync(path, { readOnly: true });
  const sql = "SELECT wrapped FROM data_key WHERE purpose = 'device'";
  const wrapped = reader.prepare(sql).get()?.['wrapped'];
  assert.ok(wrapped instanceof Uint8Array);
  // So that the key stands in the write-ahead log, and a reader needs it there.
  reader.exec('BEGIN');
  reader.prepare(sql).get();
  const erasing = { isDone: false };
  const erased = server.client.eraseDevice('pump-1', 'asked for').finally(() => {
    erasing.isDone = true;
  });
  await waitFor('the erasure', () => {
    clock.advance(1_000);
    return erasing.isDone || undefined;
  });
  assert.equal((await erased).isScrubbed, false);
  const isThere = (): boolean =>
    [path, `${path}-wal`].some((file) => readFileSync(file).includes(wrapped));
  assert.ok(isThere(), 'the reader sees it still');
  reader.exec('COMMIT');
  reader.close();
  await waitFor('the key to be gone', () => {
    clock.advance(60_000);
    return isThere() ? undefined : true;
  });
});
