/** Artifacts in backups: copied once, named, found when they are not what they were. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bucket, folderBucket } from '../buckets/index.ts';
import { BackupKey } from './backup-key.ts';
import { failingBucket, openBackupLab } from './lab.testing.ts';
import { makeBackup } from './make-backup.ts';
import {
  type BackedUpArtifacts,
  decodeManifest,
  encodeManifest,
  manifestObject,
} from './manifest.ts';
import { chunksOf, newestHead, pruneBackups } from './prune.ts';
import { restoreArtifacts } from './restore-artifacts.ts';

type Lab = ReturnType<typeof openBackupLab>;

const SMALL = { mebibytes: 1 };
const objectOf = (id: string, index: number): string => `artifact/${id}/${index}`;

async function manifestOf({ bucket, dataKey, verifierKey }: Lab, id: string) {
  const key = new BackupKey(dataKey.ref, dataKey.key);
  const bytes = (await bucket.get(manifestObject(id))) ?? assert.fail(id);
  return decodeManifest(bytes, { key, verifierKey });
}

async function artifactsOf(lab: Lab, id: string): Promise<BackedUpArtifacts> {
  return (await manifestOf(lab, id)).snapshot.artifacts ?? assert.fail('none');
}

async function restored(lab: Lab, id: string, { from = lab.bucket, name = 'restored' } = {}) {
  const to = folderBucket(join(lab.folder, name));
  const key = new BackupKey(lab.dataKey.ref, lab.dataKey.key);
  let bytes = 0;
  const onChunk = (some: number): void => void (bytes += some);
  const options = { bucket: from, key, to, objectOf, onChunk };
  await restoreArtifacts(await artifactsOf(lab, id), options);
  return { to, bytes };
}

/** The object of the first chunk of an artifact at the destination. */
async function firstObject(lab: Lab, id: string, sha256: string): Promise<string> {
  const { all } = await artifactsOf(lab, id);
  const name = all.find((one) => one.sha256 === sha256)?.chunks[0]?.name;
  return new BackupKey(lab.dataKey.ref, lab.dataKey.key).objectOf(name ?? assert.fail('no chunk'));
}

test('artifacts are in a backup, counted, and are put back as they were', async (t) => {
  const lab = openBackupLab(t, SMALL);
  // One more than are copied at a time, one less, and a single one.
  const added = [lab.artifacts.add(5), lab.artifacts.add(3), lab.artifacts.add(1)];
  const made = await makeBackup(lab.optionsFor(lab.bucket));
  assert.deepEqual(made.artifacts, { count: 3, missing: 0 });
  assert.equal(lab.artifacts.holders, 0, 'let go');
  const sum = [...chunksOf(await manifestOf(lab, made.id))].reduce(
    (all, one) => all + one.bytes,
    0,
  );
  assert.equal(made.bytes, sum);
  const { to, bytes } = await restored(lab, made.id);
  assert.equal(bytes, 90_000);
  for (const { id, objects } of added) {
    for (const [index, object] of objects.entries()) {
      assert.deepEqual(await to.get(objectOf(id, index)), object);
    }
  }
});

test('the next backup reads only what is new, and what the destination has lost', async (t) => {
  const lab = openBackupLab(t, SMALL);
  const old = lab.artifacts.add(5);
  const first = await makeBackup(lab.optionsFor(lab.bucket));
  lab.artifacts.reads.length = 0;
  const same = await makeBackup(lab.optionsFor(lab.bucket));
  assert.deepEqual([same.newBytes, lab.artifacts.reads], [0, []]);
  assert.equal(same.bytes, first.bytes);
  assert.deepEqual(await artifactsOf(lab, same.id), await artifactsOf(lab, first.id));

  const added = lab.artifacts.add(1);
  const more = await makeBackup(lab.optionsFor(lab.bucket));
  assert.deepEqual([more.newBytes, lab.artifacts.reads], [10_000, [`${added.id}/0`]]);

  const object = await firstObject(lab, more.id, old.sha256);
  const sealed = (await lab.bucket.get(object)) ?? assert.fail(object);
  for (const lose of [
    () => lab.bucket.remove(object),
    () => lab.bucket.put(object, Buffer.alloc(9)),
  ]) {
    await lose();
    const mended = await makeBackup(lab.optionsFor(lab.bucket));
    assert.equal(mended.newBytes, 10_000);
    assert.equal((await lab.bucket.get(object))?.length, sealed.length);
    await restored(lab, mended.id, { name: mended.id });
  }
});

test('a copy whose line was cut goes on where it was', async (t) => {
  const lab = openBackupLab(t, SMALL);
  await makeBackup(lab.optionsFor(lab.bucket));
  lab.artifacts.add(9);
  const cut = failingBucket(lab.bucket, 'put', 5);
  await assert.rejects(makeBackup(lab.optionsFor(cut.bucket)), /the line is cut/u);
  assert.equal(lab.artifacts.holders, 0, 'let go all the same');
  const made = await makeBackup(lab.optionsFor(lab.bucket));
  assert.equal(made.newBytes, 4 * 10_000);
});

test('a copy that is stopped ends, and leaves no backup', async (t) => {
  const lab = openBackupLab(t, SMALL);
  await makeBackup(lab.optionsFor(lab.bucket));
  const before = await newestHead(lab.bucket, lab.verifierKey);
  lab.artifacts.add(9);
  const abort = new AbortController();
  const options = { ...lab.optionsFor(lab.bucket), signal: abort.signal };
  const onProgress = ({ newBytes }: { newBytes: number }): void => {
    if (newBytes > 0) abort.abort();
  };
  await assert.rejects(makeBackup({ ...options, onProgress }), { code: 'E_BACKUP_FAILED' });
  assert.equal(lab.artifacts.reads.length, 4, 'no more than were under way');
  assert.deepEqual(await newestHead(lab.bucket, lab.verifierKey), before);
});

test('one that is not whole is told, and costs neither the others nor what was copied', async (t) => {
  const lab = openBackupLab(t, SMALL);
  const copied = lab.artifacts.add(6);
  await makeBackup(lab.optionsFor(lab.bucket));
  const broken = lab.artifacts.add(6);
  const [lost] = copied.objects.splice(2, 1, Buffer.alloc(0));
  broken.objects[5] = undefined;
  const made = await makeBackup(lab.optionsFor(lab.bucket));
  assert.deepEqual(made.artifacts, { count: 2, missing: 1 });
  const { to } = await restored(lab, made.id);
  assert.deepEqual(await to.get(objectOf(copied.id, 2)), lost);
  assert.equal(await to.get(objectOf(broken.id, 0)), undefined, 'no half artifact');
});

test('what was left out is named, and nothing of it is read', async (t) => {
  const lab = openBackupLab(t, SMALL);
  const { id, sha256 } = lab.artifacts.add(2);
  const options = lab.optionsFor(lab.bucket);
  const artifacts = { ...options.artifacts, isLeftOut: true };
  const made = await makeBackup({ ...options, artifacts });
  const leftOut = 's3://fleet/firmware';
  assert.deepEqual(made.artifacts, { count: 1, missing: 0, leftOut });
  const all = [{ sha256, id, chunks: [] }];
  assert.deepEqual(await artifactsOf(lab, made.id), { leftOut, all });
  assert.deepEqual(lab.artifacts.reads, []);
  assert.deepEqual((await makeBackup(options)).artifacts, { count: 1, missing: 0 });
});

test('an object that is missing, cut, another or older is found, and its artifact named', async (t) => {
  const lab = openBackupLab(t, SMALL);
  const { sha256 } = lab.artifacts.add(1);
  const other = lab.artifacts.add(1);
  const made = await makeBackup(lab.optionsFor(lab.bucket));
  const object = await firstObject(lab, made.id, sha256);
  const sealed = (await lab.bucket.get(object)) ?? assert.fail(object);
  const swapped = await lab.bucket.get(await firstObject(lab, made.id, other.sha256));
  const key = new BackupKey(lab.dataKey.ref, lab.dataKey.key);
  const name = object.slice(-64);
  // As who has the key, but not that of the log, would seal another content under the name.
  const older = key.sealChunk(name, Buffer.alloc(10_000), (count) => new Uint8Array(count));
  const flipped = Buffer.from(sealed);
  flipped.writeUInt8(flipped.readUInt8(500) ^ 1, 500);
  const attacks = [undefined, sealed.subarray(0, -1), Buffer.alloc(0), swapped, older, flipped];
  for (const [at, attack] of attacks.entries()) {
    const from: Bucket = {
      ...failingBucket(lab.bucket, 'put', 0).bucket,
      get: (key) => (key === object ? Promise.resolve(attack) : lab.bucket.get(key)),
    };
    await assert.rejects(restored(lab, made.id, { from, name: `attack-${at}` }), (error) => {
      assert.ok(error instanceof Error && 'code' in error);
      assert.equal(error.code, 'E_BACKUP_DAMAGED', `attack ${at}`);
      assert.ok(error.message.includes(sha256), `attack ${at}: ${error.message}`);
      return true;
    });
  }
});

test('a restore whose line was cut goes on where it was', async (t) => {
  const lab = openBackupLab(t, SMALL);
  lab.artifacts.add(6);
  const made = await makeBackup(lab.optionsFor(lab.bucket));
  const cut = failingBucket(lab.bucket, 'get', 4);
  await assert.rejects(restored(lab, made.id, { from: cut.bucket }), /the line is cut/u);
  const rest = failingBucket(lab.bucket, 'get', 1_000);
  const { bytes } = await restored(lab, made.id, { from: rest.bucket });
  assert.equal(bytes, 60_000, 'progress counts all');
  assert.ok(rest.done.length < 6, `${rest.done.length} were fetched again`);
});

test('a pruning keeps what a kept backup names, and removes what none does', async (t) => {
  const lab = openBackupLab(t, SMALL);
  const [kept, gone] = [lab.artifacts.add(2), lab.artifacts.add(3)];
  const first = await makeBackup(lab.optionsFor(lab.bucket));
  const object = await firstObject(lab, first.id, gone.sha256);
  lab.artifacts.remove(gone);
  const second = await makeBackup(lab.optionsFor(lab.bucket));
  const { verifierKey, dataKey } = lab;
  const keyOf = (ref: number): BackupKey => new BackupKey(ref, dataKey.key);
  assert.equal((await pruneBackups(lab.bucket, { keep: 2, verifierKey, keyOf })).chunks, 0);
  const pruned = await pruneBackups(lab.bucket, { keep: 1, verifierKey, keyOf });
  assert.deepEqual([pruned.backups, pruned.chunks], [1, 3]);
  assert.equal(await lab.bucket.get(object), undefined);
  const { to } = await restored(lab, second.id);
  assert.deepEqual(await to.get(objectOf(kept.id, 1)), kept.objects[1]);
});

test('a manifest of before artifacts were copied opens, and holds none', async (t) => {
  const lab = openBackupLab(t, SMALL);
  const options = lab.optionsFor(lab.bucket);
  const { id } = await makeBackup(options);
  const manifest = await manifestOf(lab, id);
  const { artifacts, ...snapshot } = manifest.snapshot;
  assert.deepEqual(artifacts, { all: [] });
  const key = new BackupKey(lab.dataKey.ref, lab.dataKey.key);
  const old = encodeManifest({ ...manifest, snapshot }, { ...options, key });
  await lab.bucket.put(manifestObject(id), old);
  assert.deepEqual((await manifestOf(lab, id)).snapshot, snapshot);
  lab.artifacts.add(1);
  const next = await makeBackup(options);
  assert.deepEqual([next.artifacts, next.newBytes], [{ count: 1, missing: 0 }, 10_000]);
});
