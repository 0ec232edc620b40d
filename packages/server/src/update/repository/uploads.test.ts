/** Uploads: parts in their order, of one person, and never half there. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import { UpdateLab, present } from '../lab.testing.ts';
import { UPLOADS_MAX } from './limits.ts';

const BY = 'person:eve';

function codeOf(value: unknown): string {
  return value instanceof Refusal ? value.code : 'no refusal';
}

test('parts arrive in their order; one that came before is passed over', async (t) => {
  const { uploads, artifacts } = new UpdateLab(t).parts;
  const bytes = randomBytes(1_000);
  const id = present(await uploads.begin(bytes.length, BY));
  const part = (from: number, to: number, by = BY) =>
    uploads.write({ id, at: from, bytes: bytes.subarray(from, to), by });
  assert.equal(await part(0, 400), 400);
  assert.equal(await part(0, 400), 400, 'its answer was lost');
  assert.equal(await part(700, 1_000), 400, 'it comes too early');
  assert.equal(codeOf(await part(400, 1_000, 'person:mallory')), 'E_OPERATE_NOT_FOUND');
  assert.equal(codeOf(await uploads.finish(id, BY)), 'E_UPDATE_ARTIFACT');
  const both = await Promise.all([part(400, 1_000), part(400, 1_000)]);
  assert.deepEqual(
    both.map((one) => (one instanceof Refusal ? one.code : one)),
    [1_000, 'E_OPERATE_CONFLICT'],
  );
  const { sha256 } = present(await uploads.finish(id, BY));
  assert.equal(sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(artifacts.get(sha256)?.length, 1_000);
  assert.equal(codeOf(await uploads.finish(id, BY)), 'E_OPERATE_NOT_FOUND');
});

test('what the log does not take is not stored', async (t) => {
  const lab = new UpdateLab(t);
  const { uploads, artifacts } = lab.parts;
  const id = present(await uploads.begin(10, BY));
  await uploads.write({ id, at: 0, bytes: Buffer.alloc(10), by: BY });
  lab.beforeRecord = () => {
    throw new Error('the disk is full');
  };
  await assert.rejects(uploads.finish(id, BY), /full/u);
  assert.deepEqual(artifacts.all(), []);
  assert.equal(codeOf(await uploads.finish(id, BY)), 'E_OPERATE_NOT_FOUND');
});

test('so many uploads are under way at a time', async (t) => {
  const { uploads } = new UpdateLab(t).parts;
  const ids: string[] = [];
  for (let at = 0; at < UPLOADS_MAX; at += 1) ids.push(present(await uploads.begin(10, BY)));
  assert.equal(codeOf(await uploads.begin(10, BY)), 'E_OPERATE_RATE');
  assert.equal(codeOf(await uploads.drop(ids[0] ?? '', 'person:mallory')), 'E_OPERATE_NOT_FOUND');
  assert.equal(await uploads.drop(ids[0] ?? '', BY), undefined);
  present(await uploads.begin(10, BY));
});
