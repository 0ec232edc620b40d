import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '@holdfast/testkit';
import { Fault, systemRandom } from '../kernel/index.ts';
import { openCustody, openUnsealKey } from './custody.ts';
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

test('an unseal key is removed only where its keeper has given the same one', async (t) => {
  const askPassphrase = () => Promise.resolve('five random words for this');
  const options = { random: systemRandom, askPassphrase };
  const place = temporaryFolder(t);
  const kept = openDataFolder(join(place, 'kept'));
  await openCustody(kept, { ...options, custody: { kind: 'passphrase' } });
  const folder = openDataFolder(join(place, 'data'));
  await openCustody(folder, options);
  const own = readFileSync(folder.unsealKey);
  copyFileSync(kept.custody, folder.custody);
  await assert.rejects(openUnsealKey(folder, options), { code: 'E_MAIN_CUSTODY' });
  assert.deepEqual(readFileSync(folder.unsealKey), own, 'the only copy is still there');
  // What a removal leaves that was interrupted.
  writeFileSync(folder.unsealKey, Buffer.alloc(own.length));
  const { key } = await openUnsealKey(folder, options);
  assert.ok(!existsSync(folder.unsealKey));
  writeFileSync(folder.unsealKey, `${Buffer.from(key.expose()).toString('hex')}\n`);
  await openUnsealKey(folder, options);
  assert.ok(!existsSync(folder.unsealKey));
});
