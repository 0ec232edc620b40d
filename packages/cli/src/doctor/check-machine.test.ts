import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { installationAt } from '@holdfast/server';
import { FakeWorld } from '../fake-world.ts';
import { checkClock } from './check-clock.ts';
import { checkDescriptors } from './check-descriptors.ts';
import { checkDisk } from './check-disk.ts';
import { checkRandom } from './check-random.ts';
import { checkVersions } from './check-versions.ts';
import type { Finding } from './finding.ts';

const folder = (): string => new FakeWorld().home;
const shown = ({ level, what }: Finding): string => `${level}: ${what}`;

/** An environment in which a program prints something. */
function withProgram(name: string, prints: string) {
  const path = folder();
  const file = join(path, name);
  writeFileSync(file, `#!/bin/sh\necho '${prints}'\n`);
  chmodSync(file, 0o700);
  return { PATH: path };
}

describe('the check of the clock', () => {
  const synchronization = async (env: Record<string, string>) =>
    (await checkClock({ nowMs: 0, written: [], env })).map(shown);

  it('asks timedatectl, then chrony, and says when nobody knows', async () => {
    const good = ['good: the kernel says that it is synchronized'];
    const bad = ['warn: Nothing keeps the clock of this machine right.'];
    assert.deepEqual(await synchronization(withProgram('timedatectl', 'yes')), good);
    assert.deepEqual(await synchronization(withProgram('timedatectl', 'no')), bad);
    const chrony = (status: string) => withProgram('chronyc', `C0000201,,3,1.0,0.1,${status}`);
    assert.deepEqual(await synchronization(chrony('Normal')), good);
    assert.deepEqual(await synchronization(chrony('Not synchronised')), bad);
    const [unknown = ''] = await synchronization({ PATH: folder() });
    assert.match(unknown, /^unknown: Whether the clock is synchronized/u);
  });

  it('names a log that was written ahead of the clock', async () => {
    const file = join(folder(), 'log.db');
    writeFileSync(file, '');
    utimesSync(file, 1_000_000, 1_000_000);
    const env = withProgram('timedatectl', 'yes');
    const order = async (nowMs: number, newestEntryMs?: number) =>
      (await checkClock({ nowMs, written: [file, '/nowhere'], newestEntryMs, env })).map(shown)[1];
    assert.equal(await order(999_998_000), 'good: what is stored lies behind it');
    const ahead = await order(999_997_999);
    assert.equal(ahead, 'bad: The audit log was written 2 s ahead of the clock.');
    const byServer = await order(1_000_000_000, 1_003_600_000);
    assert.equal(byServer, 'bad: The audit log was written 1 h ahead of the clock.');
  });
});

describe('the check of randomness', () => {
  it('holds what the kernel has against what keys need', () => {
    const file = join(folder(), 'entropy');
    const level = (text: string) => {
      writeFileSync(file, text);
      return checkRandom(file).level;
    };
    assert.equal(level('256\n'), 'good');
    assert.equal(level('255\n'), 'bad');
    assert.equal(level('nonsense'), 'unknown');
    assert.equal(checkRandom('/nowhere').level, 'unknown');
  });
});

describe('the check of the disk', () => {
  const levels = (path: string, reserveBytes: number, measureMs = () => 0) =>
    checkDisk(path, { reserveBytes, measureMs }).map(({ level }) => level);
  const free = (path: string): number => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };

  it('names a folder that is in memory', (t) => {
    if (!existsSync('/dev/shm')) return t.skip('no tmpfs at /dev/shm');
    const path = mkdtempSync('/dev/shm/holdfast-');
    t.after(() => rmSync(path, { recursive: true }));
    const [kind] = checkDisk(path, { reserveBytes: 1 });
    assert.deepEqual(kind && shown(kind), 'bad: The data folder is in memory (tmpfs).');
  });

  it('names too little room, in time and too late', () => {
    const path = folder();
    assert.equal(levels(path, free(path) / 20)[1], 'good');
    assert.equal(levels(path, free(path) / 10)[1], 'warn');
    assert.equal(levels(path, free(path) * 2)[1], 'bad');
  });

  it('tries that it keeps what is written, in time, and leaves nothing behind', () => {
    const path = folder();
    const before = readdirSync(path);
    const taking = (ms: number) => {
      const times = [0, ms];
      return levels(path, 1, () => times.shift() ?? 0)[2];
    };
    assert.equal(taking(250), 'good');
    assert.equal(taking(251), 'warn');
    assert.deepEqual(readdirSync(path), before);
  });

  it('names a disk that takes nothing', (t) => {
    // Nothing can be made in /proc, whoever tries.
    if (!existsSync('/proc/self')) return t.skip('no /proc');
    const sync = checkDisk('/proc/self', { reserveBytes: 0 }).at(-1);
    assert.match(sync === undefined ? '' : shown(sync), /^bad: The disk does not take/u);
  });
});

describe('the check of open files', () => {
  it('holds the limit of the process against the connections of a server', (t) => {
    if (!existsSync('/proc/self/limits')) return t.skip('no /proc');
    const installation = installationAt(folder());
    const under = (descriptors: number) => {
      const script = `ulimit -n ${descriptors} && cat /proc/self/limits`;
      const limits = execFileSync('sh', ['-c', script], { encoding: 'utf8' });
      return shown(checkDescriptors({ limits, isOfServer: true }, installation));
    };
    assert.equal(under(300), 'warn: The server has room for 172 connections only.');
    assert.equal(under(10_127), 'warn: The server has room for 9,999 connections only.');
    assert.equal(under(10_128), 'good: enough for 10,000 connections');
    const none = checkDescriptors({ limits: undefined, isOfServer: false }, installation);
    assert.equal(none.level, 'unknown');
  });
});

describe('the check of versions', () => {
  const fine = {
    node: '26.10.0',
    openssl: '3.5.0',
    guards: ['--disallow-code-generation-from-strings', '--disable-proto=throw'],
    own: '0.1.0',
    running: '0.1.0',
    hasConsole: true,
  };
  const found = (changed: object) => checkVersions({ ...fine, ...changed }).map(shown);

  it('names an old Node, missing guards, and a server that is another version', () => {
    assert.deepEqual(found({}), ['good: Holdfast 0.1.0, Node 26.10.0, OpenSSL 3.5.0']);
    assert.deepEqual(found({ running: undefined }).length, 1);
    assert.deepEqual(found({ node: '25.9.0' }), ['bad: This is Node 25.9.0.']);
    assert.deepEqual(found({ hasConsole: false }), [
      'warn: The pages of the console are not built.',
    ]);
    const guards = ['--disable-proto=throw'];
    assert.deepEqual(found({ guards }), [
      'warn: Node runs without --disallow-code-generation-from-strings.',
    ]);
    assert.deepEqual(found({ running: '0.0.9' }), [
      'warn: The server that runs is 0.0.9, what is installed is 0.1.0.',
    ]);
  });
});
