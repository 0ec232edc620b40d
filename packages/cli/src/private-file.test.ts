import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Failure } from './failure.ts';
import { readPrivateFile } from './private-file.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'holdfast-private-'));
after(() => rmSync(ROOT, { recursive: true }));

// Root may give files away, anyone else only has their own: both see a file of another user.
const ME = process.geteuid?.() ?? 0;
const OWNER = ME === 0 ? 54_321 : ME;
const STRANGER = OWNER + 1;

function fileIn(name: string): { folder: string; path: string } {
  const folder = join(ROOT, name);
  mkdirSync(folder, { mode: 0o700 });
  const path = join(folder, 'cli.json');
  writeFileSync(path, 'text', { mode: 0o600 });
  return { folder, path };
}

const isOfAnother = (path: string) => (error: unknown) =>
  error instanceof Failure &&
  error.code === 'E_CLI_CREDENTIALS' &&
  error.message === `${path} belongs to another user of this machine.` &&
  error.why !== undefined &&
  error.fix.includes('--data');

describe('readPrivateFile', () => {
  it('reads the file of its owner only', () => {
    const { folder, path } = fileIn('own');
    for (const each of [folder, path]) chownSync(each, OWNER, -1);
    assert.equal(readPrivateFile(path, OWNER), 'text');
    assert.throws(() => readPrivateFile(path, STRANGER), isOfAnother(path));
  });

  it('reads nothing out of a folder of somebody else', { skip: ME !== 0 }, () => {
    const { folder, path } = fileIn('folder');
    chownSync(path, OWNER, -1);
    chownSync(folder, STRANGER, -1);
    assert.throws(() => readPrivateFile(path, OWNER), isOfAnother(folder));
  });

  it('reads what belongs to root', { skip: ME !== 0 }, () => {
    assert.equal(readPrivateFile(fileIn('root').path, STRANGER), 'text');
  });

  it('judges the file that a link leads to', { skip: ME !== 0 }, () => {
    const { path } = fileIn('target');
    chownSync(path, STRANGER, -1);
    const { folder } = fileIn('link');
    const link = join(folder, 'link.json');
    symlinkSync(path, link);
    assert.throws(() => readPrivateFile(link, OWNER), isOfAnother(link));
  });

  it('gives undefined where there is no file', () => {
    assert.equal(readPrivateFile(join(ROOT, 'none', 'cli.json')), undefined);
    assert.equal(readPrivateFile(join(fileIn('file').path, 'cli.json')), undefined);
  });

  it('says so when it is no file', () => {
    assert.throws(
      () => readPrivateFile(fileIn('folder-only').folder),
      (error) => error instanceof Failure && error.why === 'EISDIR',
    );
  });
});
