import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { installationAt } from '@holdfast/server';
import { FakeWorld } from '../fake-world.ts';
import { checkFolder } from './check-folder.ts';
import { checkLeftovers } from './check-leftovers.ts';

/** A data folder as a server makes it. */
function dataFolder(): string {
  const path = join(new FakeWorld({ hasLocalServer: false }).home, 'data');
  mkdirSync(path, { mode: 0o700 });
  for (const name of ['unseal.key', 'registry.db', 'log.db', 'lock', 'log.pub']) {
    writeFileSync(join(path, name), '', { mode: 0o600 });
  }
  return path;
}

const checked = (path: string) =>
  checkFolder(installationAt(path)).map(({ level, what }) => `${level}: ${what}`);

describe('the check of the data folder', () => {
  it('is content with a folder as the server makes it', () => {
    const path = dataFolder();
    chmodSync(join(path, 'log.pub'), 0o644);
    const [only = '', ...more] = checked(path);
    assert.match(only, /^good: .*with 5 files$/u);
    assert.deepEqual(more, []);
  });

  it('names the folder, and each secret file, that others can read or change', () => {
    const path = dataFolder();
    chmodSync(path, 0o750);
    chmodSync(join(path, 'unseal.key'), 0o640);
    chmodSync(join(path, 'registry.db'), 0o602);
    chmodSync(join(path, 'log.pub'), 0o646);
    assert.deepEqual(checked(path).toSorted(), [
      `bad: ${path} is open to other users of this machine (mode 750).`,
      `bad: ${path}/log.pub can be changed by other users of this machine (mode 646).`,
      `bad: ${path}/registry.db can be changed by other users of this machine (mode 602).`,
      `bad: ${path}/unseal.key can be read by other users of this machine (mode 640).`,
    ]);
    const key = checkFolder(installationAt(path)).find(({ what }) => what.includes('unseal.key'));
    assert.match(key?.why ?? '', /can read everything/u);
    assert.ok(key?.fix?.includes(`chmod 600 ${path}/unseal.key`));
  });

  it('looks among the artifacts of updates, and sums up what is wrong with many', () => {
    const path = dataFolder();
    const firmware = join(path, 'firmware');
    mkdirSync(firmware, { mode: 0o700 });
    for (let at = 0; at < 12; at += 1) writeFileSync(join(firmware, `${at}`), '', { mode: 0o644 });
    const found = checked(path);
    assert.equal(found.length, 11);
    assert.equal(found.at(-1), 'bad: 2 more files are as wrong.');
  });

  it('names a link, and a file of another user', (t) => {
    const path = dataFolder();
    symlinkSync('/etc/hostname', join(path, 'custody.json'));
    assert.deepEqual(checked(path), [`bad: ${path}/custody.json is a link to somewhere else.`]);
    if (process.getuid?.() !== 0) return t.skip('only root gives files away');
    const foreign = dataFolder();
    chownSync(join(foreign, 'log.db'), 12_345, 12_345);
    const [only = ''] = checked(foreign);
    assert.match(only, /log\.db belongs to another user \(12345\) than its folder \(0\)/u);
  });

  it('names a folder above that others can rename in, but not one as /tmp', () => {
    const path = dataFolder();
    const above = join(path, '..');
    chmodSync(above, 0o777);
    assert.deepEqual(checked(path), [`warn: Other users can rename what is in ${above}.`]);
    chmodSync(above, 0o1777);
    assert.match(checked(path)[0] ?? '', /^good/u);
  });

  it('names keys that are nowhere, and a folder that is none', () => {
    const path = join(new FakeWorld().home, 'data');
    writeFileSync(join(path, 'registry.db'), '', { mode: 0o600 });
    assert.match(checked(path)[0] ?? '', /^bad: Neither unseal\.key nor custody\.json/u);
    writeFileSync(join(path, 'custody.json'), '', { mode: 0o600 });
    assert.match(checked(path)[0] ?? '', /^good/u);
    assert.match(checked(join(path, 'registry.db'))[0] ?? '', /^bad: .* is no folder/u);
    assert.match(checked(join(path, 'nowhere'))[0] ?? '', /^warn: There is no data folder/u);
  });
});

describe('the check for unfinished work', () => {
  const left = (path: string) => checkLeftovers(installationAt(path)).map(({ what }) => what);

  it('names a restore, a half-written file, and a server that did not stop', () => {
    const path = dataFolder();
    assert.deepEqual(left(path), ['none']);
    mkdirSync(`${path}.restoring`);
    writeFileSync(join(path, 'custody.json.partial'), '');
    writeFileSync(join(path, 'cli.json'), '');
    assert.deepEqual(left(path), [
      `A restore did not end: ${path}.restoring is still there.`,
      'The last server on this folder did not stop, it ended.',
      `${path}/custody.json.partial was half written.`,
    ]);
  });
});
