import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Failure } from './failure.ts';
import { readSecretFile } from './secret-source.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'holdfast-secret-'));
after(() => rmSync(ROOT, { recursive: true }));

// Root may give files away, anyone else only has their own: both see a file of another user.
const ME = process.geteuid?.() ?? 0;
const OWNER = ME === 0 ? 54_321 : ME;
const STRANGER = OWNER + 1;

function secretFile(name: string, mode = 0o600): string {
  const path = join(ROOT, name);
  writeFileSync(path, 'correct horse\n');
  chmodSync(path, mode);
  return path;
}

const isFailure = (text: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === 'E_CLI_FILE' && text.test(error.message);

describe('readSecretFile', () => {
  it('reads a file that its owner alone can read', () => {
    const path = secretFile('own');
    chownSync(path, OWNER, -1);
    assert.equal(readSecretFile(path, OWNER), 'correct horse\n');
  });

  it('reads no secret that another user has chosen', () => {
    const path = secretFile('planted');
    chownSync(path, OWNER, -1);
    assert.throws(() => readSecretFile(path, STRANGER), isFailure(/belongs to another user/u));
  });

  it('reads what root has put there', { skip: ME !== 0 }, () => {
    assert.equal(readSecretFile(secretFile('root'), STRANGER), 'correct horse\n');
  });

  it('reads no secret that others can read or change', () => {
    for (const mode of [0o640, 0o604, 0o620, 0o610]) {
      const path = secretFile(`open-${mode.toString(8)}`, mode);
      assert.throws(() => readSecretFile(path, ME), isFailure(/can read or change/u));
    }
  });

  it('says so when there is none', () => {
    assert.throws(() => readSecretFile(join(ROOT, 'none')), isFailure(/cannot be read/u));
  });
});
