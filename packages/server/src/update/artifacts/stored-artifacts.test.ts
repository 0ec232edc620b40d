/** The removal of artifacts: never what is needed, on the log first, and whole after a crash. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Release, lineProposal } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { createLog } from '../../kernel/index.ts';
import { UpdateLab, collect, deviceId, present } from '../lab.testing.ts';
import { CHUNK_BYTES } from '../repository/limits.ts';
import { RECENT_UPLOAD_MS } from './limits.ts';
import { StoredArtifacts } from './stored-artifacts.ts';

const BY = { principal: 'person:eve', reason: 'old' };
const NAMED = { named: [], unneeded: false, strays: false };
const UNNEEDED = { ...NAMED, unneeded: true };

async function open(t: TestContext) {
  const lab = new UpdateLab(t);
  await lab.init();
  return lab;
}

function storedIn(lab: UpdateLab, rollouts: readonly string[] = []): StoredArtifacts {
  return new StoredArtifacts({
    ...lab.parts,
    clock: lab.clock,
    log: createLog({ form: 'json', level: 'silent', write: () => {} }),
    recordAct: async (act) => {
      lab.beforeRecord(act);
      lab.acts.push(act);
    },
    rollouts: { releasesInUse: () => new Set(rollouts) },
  });
}

/** Takes a release back. */
async function retire(lab: UpdateLab, { id }: Release): Promise<void> {
  const { releases } = lab.parts;
  const kept = releases.list().filter((one) => one.id !== id);
  const lives = { nowMs: lab.clock.ms };
  await lab.publish([lineProposal(releases.published, { line: 'thermo', releases: kept }, lives)]);
}

function chunkFiles(lab: UpdateLab): string[] {
  return readdirSync(join(lab.folder, 'firmware'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

function hashes(found: Awaited<ReturnType<StoredArtifacts['preview']>>): string[] {
  return present(found).goes.map(({ record }) => record.sha256);
}

const codeOf = (value: unknown): string => (value instanceof Refusal ? value.code : 'none');

test('what was taken back goes, with its chunks; what is released stays', async (t) => {
  const lab = await open(t);
  const bytes = randomBytes(10_000);
  const old = await lab.release('1.0.0', randomBytes(2 * CHUNK_BYTES));
  const current = await lab.release('2.0.0', bytes);
  const stored = storedIn(lab);
  await retire(lab, old);
  assert.deepEqual(hashes(await stored.preview(UNNEEDED)), [], 'it came lately');
  lab.clock.ms += RECENT_UPLOAD_MS;
  assert.deepEqual(hashes(await stored.preview(UNNEEDED)), [old.sha256]);
  assert.equal(chunkFiles(lab).length, 3, 'a preview removes nothing');
  const removed = present(await stored.remove(UNNEEDED, BY));
  assert.deepEqual(
    removed.goes.map(({ record, namedBy }) => [record.sha256, namedBy[0]?.id, namedBy[0]?.stage]),
    [[old.sha256, 'thermo@1.0.0', 'retired']],
  );
  await lab.parts.artifacts.sweep();
  assert.equal(chunkFiles(lab).length, 1);
  assert.equal(lab.parts.artifacts.removing, 0);
  const { artifacts, releases } = lab.reopen();
  assert.equal(artifacts.get(old.sha256), undefined);
  const kept = present(await releases.artifact(current.sha256));
  assert.deepEqual(await collect(kept.read(0, bytes.length)), bytes);
  const act = lab.acts.at(-1);
  assert.deepEqual(
    [act?.action, act?.target, act?.reason, act?.facts],
    ['update.remove-artifact', old.sha256, 'old', { length: old.length, releases: [old.id] }],
  );
});

test('what is needed is refused, and then nothing else goes either', async (t) => {
  const lab = await open(t);
  const released = await lab.release('1.0.0');
  const waiting = await lab.artifact('2.0.0');
  const { releases, artifacts, director } = lab.parts;
  const change = { line: 'thermo', add: waiting };
  present(await releases.proposeLine(change, 'person:eve'));
  const upload = present(await artifacts.put(randomBytes(10), 'person:eve'));
  lab.clock.ms += 10 * RECENT_UPLOAD_MS;
  const stored = storedIn(lab);
  const remove = (...named: string[]) => stored.remove({ ...NAMED, named }, BY);
  const acts = lab.acts.length;
  for (const { sha256 } of [released, waiting]) {
    assert.equal(codeOf(await remove(upload.sha256, sha256)), 'E_OPERATE_CONFLICT');
  }
  assert.equal(codeOf(await remove(upload.sha256, 'ab'.repeat(32))), 'E_OPERATE_NOT_FOUND');
  assert.equal(lab.acts.length, acts, 'and nothing is on the log');
  assert.deepEqual(hashes(await stored.remove(UNNEEDED, BY)), [upload.sha256]);
  // Taken back, it is assigned still.
  await director.assign(deviceId('pump-1'), released);
  await retire(lab, released);
  assert.equal(codeOf(await remove(released.sha256)), 'E_OPERATE_CONFLICT');
  await director.assign(deviceId('pump-1'), undefined);
  const inRollout = storedIn(lab, [released.id]).remove({ ...NAMED, named: [released.sha256] }, BY);
  assert.equal(codeOf(await inRollout), 'E_OPERATE_CONFLICT');
  assert.deepEqual(hashes(await remove(released.sha256)), [released.sha256]);
});

test('a release whose artifact went is not published, nor named to any device', async (t) => {
  const lab = await open(t);
  const release = await lab.release('1.0.0');
  const other = await lab.release('2.0.0');
  const { releases, director } = lab.parts;
  await retire(lab, release);
  const stored = storedIn(lab);
  present(await stored.remove({ ...NAMED, named: [release.sha256] }, BY));
  // Somebody who has looked the release up before it was taken back assigns it now.
  await director.assign(deviceId('pump-1'), release);
  assert.equal(director.assigned(deviceId('pump-1')), undefined);
  const again = await releases.proposeLine({ line: 'thermo', add: release }, 'person:eve');
  assert.equal(codeOf(again), 'E_UPDATE_REQUEST');
  assert.deepEqual(
    releases.list().map(({ id }) => id),
    [other.id],
  );
});

test('publication and removal at the same time: one of them comes first', async (t) => {
  for (const removesFirst of [true, false]) {
    const lab = await open(t);
    const upload = await lab.artifact('1.0.0');
    const stored = storedIn(lab);
    const propose = () =>
      lab.parts.releases.proposeLine({ line: 'thermo', add: upload }, 'person:eve');
    const remove = () => stored.remove({ ...NAMED, named: [upload.sha256] }, BY);
    const tasks = removesFirst ? [remove, propose] : [propose, remove];
    const [first, second] = await Promise.all(tasks.map((task) => task()));
    assert.equal(codeOf(first), 'none');
    assert.equal(codeOf(second), removesFirst ? 'E_UPDATE_REQUEST' : 'E_OPERATE_CONFLICT');
    const isThere = lab.parts.artifacts.get(upload.sha256) !== undefined;
    assert.equal(isThere, !removesFirst);
  }
});

test('a device that tells of its update while the act is recorded keeps the artifact', async (t) => {
  const lab = await open(t);
  const release = await lab.release('1.0.0');
  await retire(lab, release);
  const stored = storedIn(lab);
  lab.beforeRecord = ({ action }) => {
    if (action !== 'update.remove-artifact') return;
    const report = { release: release.id, state: 'downloading' } as const;
    void lab.parts.reports.take(deviceId('pump-1'), report);
  };
  const wish = { ...NAMED, named: [release.sha256] };
  assert.equal(codeOf(await stored.remove(wish, BY)), 'E_OPERATE_CONFLICT');
  assert.notEqual(lab.parts.artifacts.get(release.sha256), undefined);
});

test('the same file that is brought again while it is removed stays', async (t) => {
  const lab = await open(t);
  const bytes = randomBytes(1_000);
  const { sha256 } = present(await lab.parts.artifacts.put(bytes, 'person:eve'));
  const stored = storedIn(lab);
  let again: Promise<unknown> = Promise.resolve();
  lab.beforeRecord = () => {
    again = lab.parts.artifacts.put(bytes, 'person:bob');
  };
  await stored.remove({ ...NAMED, named: [sha256] }, BY);
  await again;
  const kept = present(lab.parts.artifacts.get(sha256));
  assert.deepEqual(await collect(kept.read(0, bytes.length)), bytes);
});

test('what the log does not take stays', async (t) => {
  const lab = await open(t);
  const { sha256 } = present(await lab.parts.artifacts.put(randomBytes(10), 'person:eve'));
  lab.beforeRecord = () => {
    throw new Error('the disk is full');
  };
  await assert.rejects(storedIn(lab).remove({ ...NAMED, named: [sha256] }, BY), /full/u);
  assert.equal(lab.parts.artifacts.get(sha256)?.length, 10);
  assert.equal(chunkFiles(lab).length, 1);
});

test('a crash before the chunks are gone is made good by the next start', async (t) => {
  const lab = await open(t);
  const { artifacts } = lab.parts;
  const { sha256 } = present(await artifacts.put(randomBytes(3 * CHUNK_BYTES), 'person:eve'));
  // A backup holds the chunks, as if the server were killed before the first of them.
  artifacts.hold();
  present(await storedIn(lab).remove({ ...NAMED, named: [sha256] }, BY));
  assert.deepEqual([chunkFiles(lab).length, artifacts.removing], [3, 1]);
  const later = lab.reopen().artifacts;
  assert.equal(later.get(sha256), undefined, 'it is not half there');
  assert.equal(later.removing, 1);
  await later.look();
  assert.equal(later.strays.uploads, 0, 'it is known what they belong to');
  await later.sweep();
  assert.deepEqual([chunkFiles(lab), later.removing], [[], 0]);
});

test('a download under way ends with a fault and no false byte, and no alarm', async (t) => {
  const lab = await open(t);
  const { artifacts } = lab.parts;
  const bytes = randomBytes(3 * CHUNK_BYTES);
  const { sha256 } = present(await artifacts.put(bytes, 'person:eve'));
  const reading = present(artifacts.get(sha256)).read(0, bytes.length)[Symbol.asyncIterator]();
  const first = await reading.next();
  assert.deepEqual(first.value, bytes.subarray(0, CHUNK_BYTES));
  present(await storedIn(lab).remove({ ...NAMED, named: [sha256] }, BY));
  await artifacts.sweep();
  await assert.rejects(reading.next(), { code: 'E_UPDATE_ARTIFACT_GONE' });
  assert.deepEqual([lab.damages, lab.events], [0, []]);
});

test('an upload under way is no leftover; one that broke off is, and what a crash has cut', async (t) => {
  const lab = await open(t);
  const { artifacts, uploads } = lab.parts;
  const bytes = randomBytes(2 * CHUNK_BYTES);
  const id = present(await uploads.begin(bytes.length, 'person:eve'));
  const half = bytes.subarray(0, CHUNK_BYTES);
  await uploads.write({ id, at: 0, bytes: half, by: 'person:eve' });
  await artifacts.sweep();
  assert.deepEqual([chunkFiles(lab).length, artifacts.removing], [1, 0]);
  // Killed in the middle of a chunk.
  const [file = ''] = chunkFiles(lab);
  writeFileSync(file.replace(/0{6}$/u, '000001~partial'), 'cut');
  const later = lab.reopen().artifacts;
  assert.equal(later.removing, 1);
  await later.sweep();
  assert.deepEqual([chunkFiles(lab), later.removing], [[], 0]);
});

test('an upload that fails is a leftover at once', async (t) => {
  const lab = await open(t);
  const { artifacts, uploads } = lab.parts;
  const id = present(await uploads.begin(10, 'person:eve'));
  await uploads.write({ id, at: 0, bytes: Buffer.alloc(10), by: 'person:eve' });
  lab.beforeRecord = () => {
    throw new Error('the disk is full');
  };
  await assert.rejects(uploads.finish(id, 'person:eve'), /full/u);
  assert.deepEqual([chunkFiles(lab).length, artifacts.removing], [1, 1]);
  await artifacts.sweep();
  assert.deepEqual([chunkFiles(lab), artifacts.removing], [[], 0]);
});

test('chunks that belong to nothing are found, and go when somebody says so', async (t) => {
  const lab = await open(t);
  const { artifacts } = lab.parts;
  const stored = storedIn(lab);
  const kept = present(await artifacts.put(randomBytes(10), 'person:eve'));
  const folder = join(lab.folder, 'firmware/artifact');
  const strange = join(folder, 'ab'.repeat(16));
  mkdirSync(strange);
  for (const index of [0, 1]) writeFileSync(join(strange, `00000${index}`), 'sealed');
  mkdirSync(join(folder, 'notes'));
  writeFileSync(join(folder, 'notes/readme'), 'of somebody else');
  assert.deepEqual(present(await stored.preview(UNNEEDED)).strays, { uploads: 0, bytes: 0 });
  const wish = { ...NAMED, strays: true };
  assert.deepEqual(present(await stored.preview(wish)).strays, { uploads: 1, bytes: 12 });
  await artifacts.sweep();
  assert.equal(chunkFiles(lab).length, 4, 'not by itself');
  present(await stored.remove(wish, BY));
  await artifacts.sweep();
  assert.equal(chunkFiles(lab).length, 2);
  assert.equal((await collect(present(artifacts.get(kept.sha256)).read(0, 10))).length, 10);
  assert.equal(lab.acts.at(-1)?.action, 'update.remove-strays');
  assert.deepEqual(stored.leftovers(), { removing: 0, strays: { uploads: 0, bytes: 0 } });
});

test('what cannot be removed keeps nothing else, and is tried again', async (t) => {
  const lab = await open(t);
  const { artifacts } = lab.parts;
  for (let at = 0; at < 3; at += 1) present(await artifacts.put(randomBytes(10), 'person:eve'));
  const { id } = artifacts.all()[0] ?? assert.fail();
  const path = join(lab.folder, 'firmware/artifact', id, '000001');
  // Nobody can remove a folder as a file.
  mkdirSync(`${path}/x`, { recursive: true });
  artifacts.forget(artifacts.all().map(({ sha256 }) => sha256));
  await assert.rejects(artifacts.sweep(), { code: 'E_BUCKETS_FOLDER' });
  assert.equal(artifacts.removing, 1);
  renameSync(path, join(lab.folder, 'away'));
  await artifacts.sweep();
  assert.deepEqual([chunkFiles(lab), artifacts.removing], [[], 0]);
});

test('files of releases that were taken back are told by name, also those of deltas', async (t) => {
  const lab = await open(t);
  const image = await lab.artifact('1.0.0');
  const delta = present(await lab.parts.artifacts.put(randomBytes(20), 'person:eve'));
  const { sha256, length } = delta;
  const custom = { ...image.custom, deltas: [{ from: 'cd'.repeat(32), sha256, length }] };
  const release = { ...image, custom };
  const { releases } = lab.parts;
  const lives = { nowMs: lab.clock.ms };
  const line = { line: 'thermo', releases: [release] };
  await lab.publish([lineProposal(releases.published, line, lives)]);
  await retire(lab, release);
  lab.reopen();
  const namedBy = storedIn(lab)
    .list()
    .map((one) => [one.record.sha256, one.namedBy.map(({ id, kind }) => `${kind} of ${id}`)]);
  assert.deepEqual(namedBy, [
    [image.sha256, ['image of thermo@1.0.0']],
    [sha256, ['delta of thermo@1.0.0']],
  ]);
});
