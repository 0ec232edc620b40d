/** Artifacts of updates in backups: a device gets them from a restored server. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Client } from '@holdfast/client';
import {
  type Bundle,
  type FetchPort,
  FirmwareUpdater,
  PinnedFetch,
  openWritableFile,
} from '@holdfast/device';
import { drillRestore, restoreData, start } from '@holdfast/server';
import { startInProcess, temporaryFolder, waitFor, withServer } from '@holdfast/testkit';
import { enrollmentTargetOf } from '../../packages/device/src/agent/open-agent.ts';
import { systemClock } from '../../packages/device/src/clock.ts';
import { People, present } from './firmware-people.ts';

/** Bytes of an object at a destination that holds a whole chunk of an artifact, sealed twice. */
const OBJECT_BYTES = 512 * 1_024 + 2 * 28;

/** On a busy machine, a backup waits for its thread. */
const BACKUP_MS_MAX = 90_000;

/** A server with a release in three chunks, and an empty folder for backups. */
async function open(t: TestContext) {
  const server = await startInProcess(t);
  const people = new People();
  await people.init(server.client);
  const image = randomBytes(1_300_000);
  const release = await people.release(server.client, '1.0.0', image);
  const folder = temporaryFolder(t);
  const backups = join(folder, 'backups');
  const to = `folder:${backups}`;
  const unsealKeyFile = join(folder, 'copy-of-unseal.key');
  cpSync(join(server.dataDir, 'unseal.key'), unsealKeyFile);
  const restoring = { from: to, dataDir: join(folder, 'restored'), unsealKeyFile };
  return { server, people, image, release, folder, backups, to, restoring };
}

async function backUp(client: Client, to: string) {
  await client.makeBackup({ to });
  const ended = async () => {
    const { run } = await client.backupStatus();
    return run?.state === 'running' ? undefined : run;
  };
  const run = await waitFor('the backup', ended, BACKUP_MS_MAX);
  assert.equal(run.state, 'made', run.why ?? 'no reason');
  return run;
}

/** The objects at a destination that hold whole chunks of artifacts. */
function artifactObjects(backups: string): string[] {
  return readdirSync(join(backups, 'chunks'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size === OBJECT_BYTES)
    .toSorted();
}

/** A device with the updater of the SDK, as it left the factory. */
async function openDevice(t: TestContext, bundle: Bundle, folder: string) {
  const fetch = new PinnedFetch(enrollmentTargetOf({ bundle: bundle.folder }));
  t.after(() => fetch.close());
  const updater = await FirmwareUpdater.open({
    folder: join(folder, 'updater'),
    imageRoot: await fileOf(fetch, '/update/v1/image/1.root.json'),
    directorRoot: await fileOf(fetch, '/update/v1/director/1.root.json'),
    fetch,
    hardware: 'thermo-a',
    clock: systemClock,
    device: { id: bundle.device, certifiedFromMs: bundle.certificate.validFromDate.getTime() },
  });
  return { fetch, updater };
}

async function fileOf(fetch: FetchPort, path: string): Promise<Buffer> {
  const { status, body } = await fetch.get({ path });
  assert.equal(status, 200, path);
  return Buffer.concat(await Array.fromAsync(body));
}

test('a device installs from a restored server what was released on the lost one', async (t) => {
  const { server, image, release, folder, to, restoring } = await open(t);
  const { client, ports } = server;
  const pump = await server.enroll('pump-1');
  await server.enroll('pump-2');
  const { fetch, updater } = await openDevice(t, pump, folder);
  await client.assignRelease('pump-1', { release: release.id });
  const made = await backUp(client, to);
  assert.deepEqual(made.artifacts, { count: 1, missing: 0 });
  assert.ok(made.newBytes > image.length);
  const again = await backUp(client, to);
  assert.ok(again.newBytes < image.length, `${again.newBytes} bytes were copied again`);
  assert.ok(again.bytes > image.length, 'and progress has counted it');
  // It takes what a device has sent, and nothing of releases.
  await client.eraseDevice('pump-2', 'asked for by its owner');
  await server.stop();
  fetch.close();
  rmSync(server.dataDir, { recursive: true });

  const restored = await restoreData(restoring);
  const { count, bytes, missing, areInBackup } = restored.artifacts;
  assert.deepEqual([count, bytes, missing, areInBackup], [1, image.length, [], true]);
  const { dataDir } = restoring;
  const onFatal = (error: Error): never => assert.fail(error);
  const running = await start({ dataDir, hosts: [], ports, onFatal });
  t.after(() => running.stop());
  const update = present(await updater.check(1));
  assert.equal(update.release.sha256, release.sha256);
  const slot = join(folder, 'slot');
  await using file = await openWritableFile(slot);
  await updater.download(update, { to: file });
  assert.ok(readFileSync(slot).equals(image), 'byte for byte');
});

test('an object that is swapped, cut, changed or gone is found by name, and mended', async (t) => {
  const { server, people, release, folder, backups, to, restoring } = await open(t);
  const { client } = server;
  await people.release(client, '1.1.0', randomBytes(600_000));
  await backUp(client, to);
  const [one = '', other = ''] = artifactObjects(backups);
  const good = readFileSync(one);
  const flipped = Buffer.from(good);
  flipped.writeUInt8(flipped.readUInt8(1_000) ^ 1, 1_000);
  const attacks = {
    swapped: () => cpSync(other, one),
    cut: () => truncateSync(one, good.length - 1),
    emptied: () => truncateSync(one),
    changed: () => writeFileSync(one, flipped),
    gone: () => rmSync(one),
  };
  const hashes = (await client.releases()).map(({ sha256 }) => sha256);
  assert.ok(hashes.includes(release.sha256));
  const source = { from: to, unsealKeyFile: restoring.unsealKeyFile };
  for (const [name, attack] of Object.entries(attacks)) {
    attack();
    const named = (error: unknown): true => {
      assert.ok(error instanceof Error && 'code' in error, name);
      assert.equal(error.code, 'E_BACKUP_DAMAGED', name);
      assert.ok(
        hashes.some((sha256) => error.message.includes(sha256)),
        error.message,
      );
      return true;
    };
    const scratchDir = join(folder, `drill-${name}`);
    await assert.rejects(drillRestore({ ...source, scratchDir }), named);
    await assert.rejects(restoreData({ ...restoring, dataDir: join(folder, name) }), named);
    assert.ok(!existsSync(join(folder, name)), 'nothing is half restored');
    writeFileSync(one, good);
  }
  for (const attack of [attacks.cut, attacks.gone]) {
    attack();
    await backUp(client, to);
    const { artifacts } = await drillRestore({ ...source, scratchDir: join(folder, 'drill') });
    assert.deepEqual([artifacts.count, artifacts.missing], [2, []]);
  }
});

test('what the server has not whole is named by the backup, on the log and by the restore', async (t) => {
  const { server, people, release, to, restoring } = await open(t);
  const { client } = server;
  const firmware = join(server.dataDir, 'firmware/artifact');
  const [id = ''] = readdirSync(firmware);
  rmSync(join(firmware, id, '000001'));
  await people.release(client, '1.1.0', randomBytes(10_000));
  const made = await backUp(client, to);
  assert.deepEqual(made.artifacts, { count: 2, missing: 1 });
  const [destination] = (await client.backupStatus()).destinations;
  assert.deepEqual(destination?.lastBackup?.artifacts, { count: 2, missing: 1 });
  assert.equal(await server.metric('holdfast_firmware_artifact_damages_total'), 1);
  const { artifacts } = await restoreData(restoring);
  assert.deepEqual([artifacts.count, artifacts.missing], [1, [release.sha256]]);
  await withServer({ dataDir: restoring.dataDir }, async (restored) => {
    const act = (await restored.acts()).find(({ action }) => action === 'server.restore');
    assert.deepEqual(act?.facts?.['artifacts'], { count: 1, missing: 1 });
    // It looks for them once it runs.
    const lacking = await waitFor('a look', async () => {
      const found = (await restored.releases()).filter(({ isStored }) => !isStored);
      return found.length > 0 ? found : undefined;
    });
    assert.deepEqual(
      lacking.map(({ id: one }) => one),
      [release.id],
    );
    assert.equal((await restored.releases()).length, 2);
  });
});

test('artifacts in a bucket are copied, or left out on the record and told of', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  const place = `folder:${at('bucket')}`;
  const [copied, without] = [`folder:${at('copied')}`, `folder:${at('without')}`];
  const dataDir = at('data');
  const image = randomBytes(700_000);
  const sha256 = createHash('sha256').update(image).digest('hex');
  await withServer({ dataDir, firmwareBucket: place }, async (client) => {
    const people = new People();
    await people.init(client);
    await people.release(client, '1.0.0', image);
    await backUp(client, copied);
    const reason = 'it is replicated to Dublin';
    const status = await client.leaveOutArtifacts({ isLeftOut: true, reason });
    assert.deepEqual(status.artifacts, { place, isLeftOut: true });
    const act = (await client.acts()).find(({ action }) => action === 'backup.artifacts');
    assert.deepEqual([act?.reason, act?.facts], [reason, { isLeftOut: true, place }]);
    const made = await backUp(client, without);
    assert.deepEqual(made.artifacts, { count: 1, missing: 0, leftOut: place });
    assert.deepEqual(artifactObjects(at('without')), []);
  });
  const unsealKeyFile = join(dataDir, 'unseal.key');
  const first = await restoreData({ from: copied, dataDir: at('restored-1'), unsealKeyFile });
  assert.deepEqual([first.artifacts.count, first.artifacts.missing], [1, []]);
  const second = await restoreData({ from: without, dataDir: at('restored-2'), unsealKeyFile });
  const { count, missing, leftOut, areInBackup } = second.artifacts;
  assert.deepEqual([count, missing, leftOut, areInBackup], [0, [sha256], place, false]);
  // In the data folder now: decided of a bucket, it does not hold for that.
  await withServer({ dataDir: at('restored-1') }, async (client) => {
    assert.deepEqual((await client.backupStatus()).artifacts, { isLeftOut: false });
    await assert.rejects(client.leaveOutArtifacts({ isLeftOut: true, reason: 'x' }), {
      code: 'E_OPERATE_CONFLICT',
    });
    const all = await client.releases();
    assert.deepEqual(
      all.map(({ isStored }) => isStored),
      [true],
    );
  });
});
