/** Backups of a running server: made, restored, drilled; and an erasure that reaches them. @module */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodePublish } from '@holdfast/protocol/mqtt';
import { drillRestore, restoreData, verifyData } from '@holdfast/server';
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

/** A server with devices that have reported, and an empty folder for backups. */
async function openFleet(t: TestContext, ids: readonly string[]) {
  const server = await startInProcess(t);
  const bundles = new Map<string, Awaited<ReturnType<InProcessServer['enroll']>>>();
  for (const id of ids) bundles.set(id, await server.enroll(id, 'gateway'));
  let counter = 0;
  const report = async (
    id: string,
    count: number,
    { secret = 'x', isOver = () => false }: { secret?: string; isOver?: () => boolean } = {},
  ): Promise<void> => {
    const bundle = bundles.get(id) ?? assert.fail(id);
    const device = await RawClient.connect(bundle);
    for (let n = 0; n < count && !isOver(); n += 1) {
      const payload = signedPayload(bundle, { ctr: (counter += 1), n, secret });
      device.send(
        encodePublish(`d/${id}/telemetry`, Buffer.from(payload), {
          qos: 1,
          packetId: 7,
          retain: false,
        }),
      );
      await device.expect('puback');
    }
    await device.abort();
  };
  const folder = temporaryFolder(t);
  return { server, report, folder, to: `folder:${join(folder, 'backups')}` };
}

/** Makes a backup, and waits until it is made. */
async function backUp({ client }: Pick<InProcessServer, 'client'>, to: string) {
  await client.makeBackup({ to });
  const run = await waitFor('the backup', async () => {
    const { run } = await client.backupStatus();
    return run?.state === 'running' ? undefined : run;
  });
  assert.equal(run.state, 'made', run.why ?? 'no reason');
  return run;
}

test('a backup is restored elsewhere, verifies, and starts', async (t) => {
  const { server, report, folder, to } = await openFleet(t, ['pump-1']);
  await report('pump-1', 20);
  const made = await backUp(server, to);
  assert.ok(made.newBytes > 0 && made.bytes === made.newBytes);
  await report('pump-1', 5);
  const again = await backUp(server, to);
  assert.ok(again.newBytes <= again.bytes);
  const { backups: list } = await server.client.backups(to);
  assert.deepEqual(
    list.map(({ id }) => id),
    [made.backup, again.backup],
  );

  const dataDir = join(folder, 'restored');
  const unsealKeyFile = join(server.dataDir, 'unseal.key');
  const id = made.backup;
  const restored = await restoreData({ from: to, id, dataDir, unsealKeyFile });
  assert.equal(restored.backup, made.backup);
  assert.equal(restored.devices, 1);
  assert.ok(restored.verified.ok);
  assert.equal(restored.checkpoint, made.checkpoint);
  await withServer({ dataDir }, async (client) => {
    const readings = await client.readings('pump-1');
    assert.equal(readings.length, 20);
    const acts = await client.acts();
    const act = acts.find(({ action }) => action === 'server.restore');
    assert.equal(act?.facts?.['checkpoint'], made.checkpoint);
  });
  const { ok, findings } = await verifyData({ dataDir });
  assert.ok(ok, JSON.stringify(findings));
});

test('a backup is worth nothing without the unseal key, and none of its names show', async (t) => {
  const { server, report, folder, to } = await openFleet(t, ['pump-with-a-name']);
  await report('pump-with-a-name', 3, { secret: 'the-secret-of-the-pump' });
  await backUp(server, to);
  const dataDir = join(folder, 'restored');
  await assert.rejects(restoreData({ from: to, dataDir }), { code: 'E_MAIN_RESTORE_UNSEAL' });
  const wrong = join(folder, 'wrong.key');
  writeFileSync(wrong, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
  await assert.rejects(restoreData({ from: to, dataDir, unsealKeyFile: wrong }), {
    code: 'E_CRYPTO_OPEN',
  });
  assert.ok(!existsSync(dataDir), 'no folder of that name is half restored');
  for (const bytes of filesUnder(join(folder, 'backups'))) {
    for (const name of ['pump-with-a-name', 'the-secret-of-the-pump', 'telemetry']) {
      assert.ok(!bytes.includes(name), name);
    }
    const unsealKey = readFileSync(join(server.dataDir, 'unseal.key'), 'utf8').trim();
    assert.ok(!bytes.includes(unsealKey) && !bytes.includes(Buffer.from(unsealKey, 'hex')));
  }
});

test('an erasure reaches the backups made before it', async (t) => {
  const { server, report, folder, to } = await openFleet(t, ['kept-1', 'gone-1']);
  await report('kept-1', 10);
  await report('gone-1', 10, { secret: 'to-be-forgotten' });
  await backUp(server, to);
  const erased = await server.client.eraseDevice('gone-1', 'asked for by its owner');
  assert.deepEqual(erased, { device: 'gone-1', keys: 1, pending: [], isScrubbed: true });
  assert.deepEqual(await server.client.readings('gone-1'), []);
  assert.equal((await server.client.readings('kept-1')).length, 10);
  await report('gone-1', 2);
  assert.equal((await server.client.readings('gone-1')).length, 2, 'it goes on');

  const dataDir = join(folder, 'restored');
  const unsealKeyFile = join(server.dataDir, 'unseal.key');
  const restored = await restoreData({ from: to, dataDir, unsealKeyFile });
  assert.equal(restored.erasedDevices, 1);
  assert.ok(restored.verified.ok, JSON.stringify(restored.verified.findings));
  assert.equal(restored.verified.erased, 10);
  await withServer({ dataDir }, async (client) => {
    assert.deepEqual(await client.readings('gone-1'), []);
    assert.equal((await client.readings('kept-1')).length, 10);
    const acts = await client.acts();
    assert.ok(acts.some(({ action, target }) => action === 'device.erase' && target === 'gone-1'));
  });
  await server.stop();
  const report2 = await verifyData({ dataDir: server.dataDir });
  assert.ok(report2.ok, JSON.stringify(report2.findings));
  assert.equal(report2.erased, 10);
});

test('an erasure waits for a destination that is away, is seen to, and is brought later', async (t) => {
  const { server, report, folder, to } = await openFleet(t, ['gone-1']);
  await report('gone-1', 3);
  await backUp(server, to);
  const [backups, away] = [join(folder, 'backups'), join(folder, 'away')];
  cpSync(backups, away, { recursive: true });
  rmSync(backups, { recursive: true });
  // A file where the folder was: it cannot be made again.
  writeFileSync(backups, '');
  const erased = await server.client.eraseDevice('gone-1', 'asked for');
  assert.deepEqual(erased.pending, [to]);
  const [destination] = (await server.client.backupStatus()).destinations;
  assert.equal(destination?.hasKeys, false);
  assert.ok(destination.failure !== undefined);
  assert.equal(await server.metric('holdfast_backup_keys_pending'), 1);

  rmSync(backups);
  cpSync(away, backups, { recursive: true });
  await server.client.eraseDevice('gone-1', 'once more');
  const [reached] = (await server.client.backupStatus()).destinations;
  assert.equal(reached?.hasKeys, true);
  assert.equal(reached.failure, undefined);
});

test('a damaged backup is named: a chunk changed, removed or swapped, a manifest or keys changed', async (t) => {
  const { server, report, folder, to } = await openFleet(t, ['pump-1']);
  await report('pump-1', 5);
  await backUp(server, to);
  const backups = join(folder, 'backups');
  const unsealKeyFile = join(server.dataDir, 'unseal.key');
  const chunks = pathsUnder(join(backups, 'chunks'));
  const [manifest = ''] = pathsUnder(join(backups, 'backups'));
  const flip = (path: string): void => {
    const bytes = readFileSync(path);
    const middle = bytes.length >> 1;
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    writeFileSync(path, bytes);
  };
  const [one = '', other = ''] = chunks;
  const damages: (() => void)[] = [
    () => flip(one),
    () => rmSync(one),
    () => cpSync(other, one),
    () => flip(manifest),
    () => flip(join(backups, 'keys')),
    () => rmSync(join(backups, 'keys')),
    () => writeFileSync(manifest, '{}\n\n'),
  ];
  const good = join(folder, 'good');
  cpSync(backups, good, { recursive: true });
  for (const [at, damage] of damages.entries()) {
    damage();
    const attempt = drillRestore({
      from: to,
      scratchDir: join(folder, `drill-${at}`),
      unsealKeyFile,
    });
    await assert.rejects(
      attempt,
      /E_BACKUP|E_CRYPTO|backup|Sealed data|no object/iu,
      `damage ${at}`,
    );
    rmSync(backups, { recursive: true });
    cpSync(good, backups, { recursive: true });
  }
  const drill = await drillRestore({ from: to, scratchDir: join(folder, 'drill'), unsealKeyFile });
  assert.ok(drill.verified.ok);
  assert.deepEqual(readdirSync(join(folder, 'drill')), [], 'nothing of it stays');
});

test('pruning keeps the newest, and what they need', async (t) => {
  const { server, report, folder, to } = await openFleet(t, ['pump-1']);
  const { client } = server;
  for (let round = 0; round < 3; round += 1) {
    await report('pump-1', 2);
    await backUp(server, to);
  }
  const before = pathsUnder(join(folder, 'backups/chunks')).length;
  const pruned = await client.pruneBackups({ from: to, keep: 1 });
  assert.equal(pruned.backups, 2);
  assert.equal(pathsUnder(join(folder, 'backups/chunks')).length, before - pruned.chunks);
  assert.equal((await client.backups(to)).backups.length, 1);
  const unsealKeyFile = join(server.dataDir, 'unseal.key');
  const drill = await drillRestore({ from: to, scratchDir: join(folder, 'drill'), unsealKeyFile });
  assert.equal(drill.backup, (await client.backupStatus()).destinations[0]?.lastBackup?.id);
});

test('another server, and another copy of this one, are kept from the backups of this one', async (t) => {
  const { server, report, folder, to } = await openFleet(t, ['pump-1']);
  await report('pump-1', 1);
  await backUp(server, to);
  const stranger = await startInProcess(t);
  await stranger.client.makeBackup({ to });
  const refused = await waitFor('its end', async () => {
    const { run } = await stranger.client.backupStatus();
    return run?.state === 'running' ? undefined : run;
  });
  assert.match(refused.why ?? '', /another server/u);

  const dataDir = join(folder, 'restored');
  const unsealKeyFile = join(server.dataDir, 'unseal.key');
  await restoreData({ from: to, dataDir, unsealKeyFile });
  await backUp(server, to);
  await withServer({ dataDir }, async (client) => {
    await client.makeBackup({ to });
    const run = await waitFor('its end', async () => {
      const { run } = await client.backupStatus();
      return run?.state === 'running' ? undefined : run;
    });
    assert.match(run.why ?? '', /Another copy of this server/u);
  });
});

function pathsUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function filesUnder(folder: string): Buffer[] {
  return pathsUnder(folder).map((path) => readFileSync(path));
}

test('where a passphrase keeps the keys, it alone restores a backup', async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const to = `folder:${join(folder, 'backups')}`;
  const askPassphrase = () => Promise.resolve('five random words for this');
  const options = { dataDir, custody: { kind: 'passphrase' as const }, askPassphrase };
  await withServer(options, async (client) => {
    await backUp({ client }, to);
    const [backup] = (await client.backups(to)).backups;
    assert.match(backup?.custody ?? '', /passphrase/u);
  });
  const restored = join(folder, 'restored');
  const wrong = () => Promise.resolve('five other words for this');
  const restoring = { from: to, dataDir: restored };
  await assert.rejects(restoreData({ ...restoring, askPassphrase: wrong }), /passphrase/iu);
  let asked = 0;
  const report = await restoreData({
    ...restoring,
    askPassphrase: () => {
      asked += 1;
      return askPassphrase();
    },
  });
  assert.ok(report.verified.ok);
  assert.equal(asked, 1);
});

test('a backup is consistent while devices report and others are added', async (t) => {
  const { server, report, folder, to } = await openFleet(t, ['pump-1']);
  const state = { isDone: false };
  // Over one connection: a device that connects again and again is held off, and this may take long.
  const reporting = report('pump-1', Number.POSITIVE_INFINITY, { isOver: () => state.isDone });
  const adding = (async () => {
    for (let n = 0; !state.isDone; n += 1)
      await server.client.addDevice({ id: `d-${n}`, class: 'sensor' });
  })();
  const unsealKeyFile = join(server.dataDir, 'unseal.key');
  try {
    for (let round = 0; round < 3; round += 1) {
      await backUp(server, to);
      const scratchDir = join(folder, `drill-${round}`);
      const { verified } = await drillRestore({ from: to, scratchDir, unsealKeyFile });
      assert.ok(verified.ok, JSON.stringify(verified.findings));
    }
  } finally {
    state.isDone = true;
    await Promise.all([reporting, adding]);
  }
});

test('backups are made by schedule, and one that fails is seen and made later', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const folder = temporaryFolder(t);
  const backups = join(folder, 'backups');
  const to = `folder:${backups}`;
  const { client } = server;
  await client.scheduleBackups({ to, everyHours: 1 });
  writeFileSync(backups, 'no folder');
  const ticked = <T>(what: string, done: () => Promise<T | undefined>): Promise<T> =>
    waitFor(what, () => {
      clock.advance(60_000);
      return done();
    });
  const failed = await ticked('a failure', async () =>
    (await client.acts()).find(({ action }) => action === 'backup.fail'),
  );
  assert.equal(failed.principal, 'server');
  assert.equal(failed.target, to);
  assert.ok((await server.metric('holdfast_backups_total')) >= 1);
  rmSync(backups);
  const made = await ticked('a backup', async () =>
    (await client.acts()).find(({ action }) => action === 'backup.make'),
  );
  assert.equal(made.principal, 'server');
  assert.equal((await client.server()).backups?.troubles, 0);
  await client.scheduleBackups(undefined);
});
