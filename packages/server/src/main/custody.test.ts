import assert from 'node:assert/strict';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@holdfast/testkit';
import { Fault, systemRandom } from '../kernel/index.ts';
import { openCustody } from './custody.ts';
import { openDataFolder } from './data-folder.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can give a file away';

test('custody.json of another user names no library for us to load', { skip }, async (t) => {
  const folder = openDataFolder(join(temporaryFolder(t), 'data'));
  writeFileSync(folder.custody, '{}', { mode: 0o600 });
  const why = async (): Promise<string> => {
    const error: unknown = await openCustody(folder, { random: systemRandom }).catch((e) => e);
    assert.ok(error instanceof Fault && error.code === 'E_MAIN_CUSTODY_FILE');
    return error.message;
  };
  assert.match(await why(), /does not have its form/u, 'ours is read');
  chownSync(folder.custody, 65_534, 65_534);
  assert.match(await why(), /belongs to another user/u);
  chownSync(folder.custody, 0, 0);
  chmodSync(folder.custody, 0o620);
  assert.match(await why(), /written by other users/u);
});
