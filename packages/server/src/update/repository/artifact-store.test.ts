/** Artifacts at rest: whole or not at all, sealed, and authentic before a byte leaves. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { folderBucket } from '../../buckets/index.ts';
import { systemRandom } from '../../kernel/index.ts';
import { UpdateLab, collect, present } from '../lab.testing.ts';
import { ArtifactStore } from './artifact-store.ts';
import { ARTIFACT_BYTES_MAX, CHUNK_BYTES } from './limits.ts';

const BY = 'person:eve';

function chunkFiles(lab: UpdateLab): string[] {
  return readdirSync(join(lab.folder, 'firmware'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

test('what was stored is read again by any range, also after a restart', async (t) => {
  const lab = new UpdateLab(t);
  const bytes = randomBytes(2 * CHUNK_BYTES + 1_000);
  const { sha256 } = present(await lab.parts.artifacts.put(bytes, BY));
  assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'));
  lab.reopen();
  const stored = present(lab.parts.artifacts.get(sha256));
  assert.equal(stored.length, bytes.length);
  assert.deepEqual(await collect(stored.read(0, bytes.length)), bytes);
  const range = fc.tuple(fc.nat(bytes.length), fc.nat(bytes.length));
  await fc.assert(
    fc.asyncProperty(range, async ([a, b]) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      assert.deepEqual(await collect(stored.read(start, end)), bytes.subarray(start, end));
    }),
    { numRuns: 30 },
  );
  await assert.rejects(collect(stored.read(0, bytes.length + 1)), RangeError);
  await assert.rejects(collect(stored.read(-1, 2)), RangeError);
  await assert.rejects(collect(stored.read(3, 2)), RangeError);
});

test('nothing of it stands in the folder as it is', async (t) => {
  const lab = new UpdateLab(t);
  const bytes = Buffer.from('a secret algorithm, '.repeat(1_000));
  present(await lab.parts.artifacts.put(bytes, BY));
  const [file = '', ...more] = chunkFiles(lab);
  assert.deepEqual(more, []);
  assert.ok(!readFileSync(file).includes('secret'));
});

test('a flipped byte is a named fault, told, and no byte of its chunk leaves', async (t) => {
  const lab = new UpdateLab(t);
  const bytes = randomBytes(3 * CHUNK_BYTES);
  const { sha256 } = present(await lab.parts.artifacts.put(bytes, BY));
  const file = chunkFiles(lab)[1] ?? '';
  const sealed = readFileSync(file);
  sealed[1_000] = (sealed[1_000] ?? 0) ^ 1;
  writeFileSync(file, sealed);
  const stored = present(lab.parts.artifacts.get(sha256));
  const seen: Uint8Array[] = [];
  await assert.rejects(
    async () => {
      for await (const some of stored.read(CHUNK_BYTES - 5, bytes.length)) seen.push(some);
    },
    { code: 'E_UPDATE_ARTIFACT_DAMAGED' },
  );
  assert.equal(Buffer.concat(seen).length, 5, 'only what came before');
  assert.equal(lab.damages, 1);
  assert.deepEqual(
    lab.events.map(({ name, facts }) => [name, facts?.['index']]),
    [['update.artifact-damaged', 1]],
  );
  await assert.rejects(collect(stored.read(CHUNK_BYTES, CHUNK_BYTES + 1)));
  assert.equal(lab.damages, 2, 'counted each time');
  assert.equal(lab.events.length, 1, 'told once');
  assert.deepEqual(await collect(stored.read(0, CHUNK_BYTES)), bytes.subarray(0, CHUNK_BYTES));

  present(await lab.parts.artifacts.put(bytes, BY));
  assert.deepEqual(
    await collect(stored.read(0, bytes.length)),
    bytes,
    'brought again, it is whole',
  );
});

test('a chunk opens at its own place of its own artifact alone', async (t) => {
  const lab = new UpdateLab(t);
  const { sha256 } = present(await lab.parts.artifacts.put(randomBytes(2 * CHUNK_BYTES), BY));
  const [first = '', second = ''] = chunkFiles(lab);
  const sealed = readFileSync(first);
  writeFileSync(first, readFileSync(second));
  const stored = present(lab.parts.artifacts.get(sha256));
  await assert.rejects(collect(stored.read(0, 1)), { code: 'E_UPDATE_ARTIFACT_DAMAGED' });
  writeFileSync(first, Buffer.concat([sealed, Buffer.alloc(1)]));
  await assert.rejects(collect(stored.read(0, 1)), { code: 'E_UPDATE_ARTIFACT_DAMAGED' });
  rmSync(first);
  await assert.rejects(collect(stored.read(0, 1)), { code: 'E_UPDATE_ARTIFACT_DAMAGED' });
  writeFileSync(first, sealed);
  assert.equal((await collect(stored.read(0, 1))).length, 1, 'put back, it opens');
});

test('what was not finished is not there, and its chunks go at the next start', async (t) => {
  const lab = new UpdateLab(t);
  const bytes = randomBytes(2 * CHUNK_BYTES);
  const kept = present(await lab.parts.artifacts.put(randomBytes(10), BY));
  const writer = present(lab.parts.artifacts.begin(bytes.length));
  assert.equal(await writer.write(bytes), undefined);
  const sha256 = present(await writer.finish());
  assert.equal(chunkFiles(lab).length, 3);
  const { artifacts } = lab.reopen();
  assert.equal(artifacts.get(sha256), undefined);
  await artifacts.sweep();
  assert.equal(chunkFiles(lab).length, 1);
  assert.equal((await collect(present(artifacts.get(kept.sha256)).read(0, 10))).length, 10);
});

test('what is swept away while the chunks are listed is no stray', async (t) => {
  const lab = new UpdateLab(t);
  const { store, artifacts: before } = lab.parts;
  const writer = present(before.begin(10));
  assert.equal(await writer.write(randomBytes(10)), undefined);
  before.abandon(writer);
  const bucket = folderBucket(join(lab.folder, 'firmware'));
  const { clock } = lab;
  const onDamage = (): never => assert.fail('nothing is read');
  const artifacts = new ArtifactStore({ bucket, store, clock, random: systemRandom, onDamage });
  const list = bucket.list.bind(bucket);
  t.mock.method(bucket, 'list', async function* listAndSweep(prefix: string) {
    yield* list(prefix);
    if (!prefix.includes(writer.id)) await artifacts.sweep();
  });
  await artifacts.look();
  assert.deepEqual(chunkFiles(lab), []);
  assert.deepEqual(artifacts.strays, { uploads: 0, bytes: 0 });
});

test('an artifact has the length that was announced, within the bounds', async (t) => {
  const { artifacts } = new UpdateLab(t).parts;
  for (const length of [0, -1, 1.5, Number.NaN, ARTIFACT_BYTES_MAX + 1]) {
    assert.ok(artifacts.begin(length) instanceof Refusal, String(length));
  }
  const largest = present(artifacts.begin(ARTIFACT_BYTES_MAX));
  await artifacts.drop(largest);
  const short = present(artifacts.begin(10));
  assert.equal(await short.write(Buffer.alloc(9)), undefined);
  assert.ok((await short.finish()) instanceof Refusal);
  assert.ok((await short.write(Buffer.alloc(2))) instanceof Refusal);
  assert.equal(await short.write(Buffer.alloc(1)), undefined);
  assert.equal(typeof (await short.finish()), 'string');
});

test('an artifact that is removed is gone, and so are its chunks', async (t) => {
  const lab = new UpdateLab(t);
  const { sha256 } = present(await lab.parts.artifacts.put(randomBytes(10), BY));
  await lab.parts.artifacts.remove(sha256);
  assert.equal(lab.parts.artifacts.get(sha256), undefined);
  assert.deepEqual(chunkFiles(lab), []);
  await lab.parts.artifacts.remove(sha256);
});

test('what is held stays when it is replaced or removed, and goes when all have let go', async (t) => {
  const lab = new UpdateLab(t);
  const { artifacts } = lab.parts;
  const bytes = randomBytes(CHUNK_BYTES + 1);
  const replaced = present(await artifacts.put(bytes, BY));
  const removed = present(await artifacts.put(randomBytes(10), BY));
  const [first, second] = [artifacts.hold(), artifacts.hold()];
  present(await artifacts.put(bytes, BY));
  await artifacts.remove(removed.sha256);
  assert.equal(chunkFiles(lab).length, 5);
  const sealed = await artifacts.sealedChunk(replaced, 1);
  assert.ok(chunkFiles(lab).some((file) => readFileSync(file).equals(sealed)));
  await first();
  assert.equal(chunkFiles(lab).length, 5, 'the second still holds them');
  await second();
  assert.equal(chunkFiles(lab).length, 2);
  await assert.rejects(artifacts.sealedChunk(replaced, 1), { code: 'E_UPDATE_ARTIFACT_DAMAGED' });
});

test('what was held when the server crashed goes at the next start', async (t) => {
  const lab = new UpdateLab(t);
  const { sha256 } = present(await lab.parts.artifacts.put(randomBytes(10), BY));
  lab.parts.artifacts.hold();
  await lab.parts.artifacts.remove(sha256);
  assert.equal(chunkFiles(lab).length, 1);
  await lab.reopen().artifacts.sweep();
  assert.deepEqual(chunkFiles(lab), []);
});

test('a chunk is given out sealed only when it is whole', async (t) => {
  const lab = new UpdateLab(t);
  const { artifacts } = lab.parts;
  const record = present(await artifacts.put(randomBytes(10), BY));
  const [file = ''] = chunkFiles(lab);
  const good = readFileSync(file);
  for (const bad of [good.subarray(1), Buffer.concat([good, good]), Buffer.alloc(0)]) {
    writeFileSync(file, bad);
    await assert.rejects(artifacts.sealedChunk(record, 0), { code: 'E_UPDATE_ARTIFACT_DAMAGED' });
  }
  assert.equal(lab.damages, 3);
  writeFileSync(file, good);
  assert.deepEqual(await artifacts.sealedChunk(record, 0), good);
});

test('what lacks a chunk is not whole, until it is brought again', async (t) => {
  const lab = new UpdateLab(t);
  const [bytes, other] = [randomBytes(2 * CHUNK_BYTES), randomBytes(10)];
  const { sha256 } = present(await lab.parts.artifacts.put(bytes, BY));
  const [, second = ''] = chunkFiles(lab);
  const kept = present(await lab.parts.artifacts.put(other, BY));
  rmSync(second);
  const { artifacts } = lab.reopen();
  await artifacts.look();
  assert.deepEqual([artifacts.isWhole(sha256), artifacts.isWhole(kept.sha256)], [false, true]);
  present(await artifacts.put(bytes, BY));
  assert.equal(artifacts.isWhole(sha256), true);
  await artifacts.look();
  assert.equal(artifacts.isWhole(sha256), true);
  assert.equal(artifacts.isWhole('ab'.repeat(32)), false, 'there is none');
});
