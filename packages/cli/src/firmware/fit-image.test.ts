import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BootKeyFile, decodeTree, encodeTree, readBootKey } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { FakeWorld } from '../fake-world.ts';
import { fitImage } from './fit-image.ts';

const FACTS = { line: 'thermo', version: '2.1.0', hardware: ['thermo-a'], counter: 7 };

/** A folder with a kernel, a tree and a boot key; sealing is left out. */
function lab() {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const publicKey = keys.publicKey.export({ format: 'pem', type: 'spki' });
  const world = new FakeWorld({
    server: {
      openBootKey: async (file: BootKeyFile, passphrase) => {
        assert.equal(passphrase, 'five random words');
        const known = readBootKey(file.name, file.publicKey);
        if (known instanceof Refusal) assert.fail(known.detail);
        return { ...known, sign: async (bytes) => sign('sha256', bytes, keys.privateKey) };
      },
    },
  });
  const put = (name: string, content: string | Uint8Array): string => {
    const path = join(world.home, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const sealed = { kdf: {}, box: '' };
  const key = { type: 'holdfast-boot-key/1', name: 'boot', publicKey, sealed };
  const values = {
    fit: true,
    'fit-load': '0x40400000',
    'fit-tree': put('board.dtb', encodeTree({ name: '', properties: [], children: [] })),
    'boot-key': put('boot.key', JSON.stringify(key)),
    'boot-passphrase-file': put('passphrase', 'five random words\n'),
  };
  return { world, values, path: put('kernel', 'kernel'), put };
}

test('a kernel is released as a FIT image', async (t) => {
  const { world, values, path } = lab();
  const before = process.cwd();
  process.chdir(world.home);
  t.after(() => process.chdir(before));
  assert.equal(await fitImage(world, { path, facts: FACTS, values }), 'thermo-2.1.0.itb');
  const decoded = decodeTree(readFileSync(join(world.home, 'thermo-2.1.0.itb')));
  assert.ok(!(decoded instanceof Refusal));
  assert.deepEqual(
    decoded.root.children.map(({ name }) => name),
    ['images', 'configurations'],
  );
  await assert.rejects(fitImage(world, { path, facts: FACTS, values }), /cannot be written/);
});

test('without --fit the file is released as it is', async () => {
  const { world, path } = lab();
  assert.equal(await fitImage(world, { path, facts: FACTS, values: {} }), path);
});

test('what cannot become an image is said before anything is asked', async () => {
  const { world, values, path, put } = lab();
  const rows = [
    [{ 'boot-key': values['boot-key'] }, /--fit as well|for a FIT image/],
    [{ ...values, 'fit-load': undefined }, /needs --fit-tree, --fit-load and --boot-key/],
    [{ ...values, 'fit-load': '40400000' }, /is no address/],
    [{ ...values, 'fit-load': '0x140400000' }, /is no address/],
    [{ ...values, 'fit-tree': join(world.home, 'nowhere') }, /cannot be read/],
    [{ ...values, 'fit-tree': put('bad.dtb', 'no tree') }, /FIT image/],
    [{ ...values, 'boot-key': put('bad.key', '{}') }, /FIT image/],
  ] as const;
  for (const [given, says] of rows) {
    await assert.rejects(fitImage(world, { path, facts: FACTS, values: given }), says);
  }
});
