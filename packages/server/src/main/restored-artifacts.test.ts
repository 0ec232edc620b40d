/** What a restore finds of artifacts, in a folder that was restored. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { BackedUpArtifacts } from '../backup/index.ts';
import { systemRandom } from '../kernel/index.ts';
import { UpdateLab, present } from '../update/lab.testing.ts';
import { dataFolderAt } from './data-folder.ts';
import { checkArtifacts } from './restored-artifacts.ts';

async function open(t: TestContext) {
  const lab = new UpdateLab(t);
  const { artifacts, store } = lab.parts;
  const { sha256, id } = present(await artifacts.put(randomBytes(600_000), 'person:eve'));
  const folder = dataFolderAt(lab.folder);
  const check = (backedUp: BackedUpArtifacts | undefined) =>
    checkArtifacts({ clock: lab.clock, random: systemRandom }, { store, folder }, backedUp);
  const chunks = [{ name: 'ab'.repeat(32), bytes: 1 }];
  return { folder, sha256, id, check, copied: { all: [{ sha256, id, chunks }] } };
}

test('an artifact counts as restored when it was copied, and as missing when not', async (t) => {
  const { sha256, id, check, copied } = await open(t);
  const whole = { count: 1, bytes: 600_000, missing: [], areInBackup: true };
  assert.deepEqual(await check(copied), whole);
  const none = { count: 0, bytes: 0, missing: [sha256] };
  const lacking = { all: [{ sha256, id, chunks: [] }] };
  assert.deepEqual(await check(lacking), { ...none, areInBackup: true });
  const leftOut = 's3://fleet/firmware';
  assert.deepEqual(await check({ ...lacking, leftOut }), { ...none, areInBackup: false, leftOut });
  assert.deepEqual(await check(undefined), { ...none, areInBackup: false }, 'an old backup');
});

test('one that is not the file that was brought ends the restore, and is named', async (t) => {
  const { folder, id, sha256, check, copied } = await open(t);
  const at = join(folder.firmware, 'artifact', id);
  const [path = ''] = readdirSync(at).map((name) => join(at, name));
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  writeFileSync(path, bytes);
  await assert.rejects(check(copied), (error) => {
    assert.ok(error instanceof Error && 'code' in error);
    assert.equal(error.code, 'E_MAIN_RESTORE_ARTIFACT');
    return error.message.includes(sha256);
  });
});
