import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { folderRefusal, isPlainPath } from './folder-place.ts';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-place-')));
after(() => rmSync(root, { recursive: true, force: true }));

const isRefused = async (path: string): Promise<boolean> =>
  (await folderRefusal(path))?.code === 'E_OPERATE_INPUT';

test('a backup goes to a new folder, to an empty one, and to one of backups', async () => {
  const folder = join(root, 'good');
  assert.equal(await isRefused(join(folder, 'deep/er')), false);
  mkdirSync(folder);
  mkdirSync(join(folder, 'lost+found'));
  assert.equal(await isRefused(folder), false);
  mkdirSync(join(folder, 'chunks'));
  assert.equal(await isRefused(folder), false, 'the first one was stopped');
  mkdirSync(join(folder, 'backups'));
  writeFileSync(join(folder, 'keys'), '');
  writeFileSync(join(folder, 'README'), '');
  assert.equal(await isRefused(folder), false);
});

test('it does not go to a folder of something else', async () => {
  const folder = join(root, 'else');
  mkdirSync(folder);
  writeFileSync(join(folder, 'passwd'), '');
  assert.equal(await isRefused(folder), true);
  assert.equal(await isRefused(join(folder, 'passwd')), true);
  assert.equal(await isRefused(join(folder, 'passwd/below')), true);
  writeFileSync(join(folder, 'keys'), '');
  assert.equal(await isRefused(folder), true);
  assert.equal(await isRefused('/'), true);
  assert.equal(await isRefused('/etc'), true);
});

test('no symbolic link leads there', async () => {
  const folder = join(root, 'real');
  mkdirSync(folder);
  symlinkSync(folder, join(root, 'link'));
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
  assert.equal(await isRefused(folder), false);
  assert.equal(await isRefused(join(root, 'link')), true);
  assert.equal(await isRefused(join(root, 'link/new')), true);
  assert.equal(await isRefused(join(root, 'dangling')), true);
});

test('a folder has one name', () => {
  for (const path of ['/a', '/a/b', '/']) assert.ok(isPlainPath(path), path);
  for (const path of ['/a/', '//a', '/a//b', '/a/../b', '/./a', '/a/.'])
    assert.ok(!isPlainPath(path), path);
});
