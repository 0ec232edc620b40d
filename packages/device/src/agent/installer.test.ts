/** An update step by step: what is checked when, and what is refused. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as turn } from 'node:timers/promises';
import {
  AgentMachine,
  V1,
  V2,
  chunksOf,
  releaseOf,
  sha256,
  wholeDisk,
} from '../../test-support/agent-machine.ts';
import { testFolder } from '../../test-support/test-bundle.ts';
import { writeImage } from './agent-disk.ts';
import { judgeCounter } from './counter-rule.ts';
import { REPORTS_WAITING_MAX } from './limits.ts';
import type { Slots } from './slots.ts';

const UPDATE = { release: releaseOf(V2, '2.0.0', 2) };

function machineOf(t: TestContext): AgentMachine {
  return new AgentMachine(testFolder(t), 'u-boot');
}

function states(machine: AgentMachine): string[] {
  return machine.journal(wholeDisk()).record.reports.map(({ state }) => state);
}

test('the states of a good update, in order, with the counter of what is confirmed', async (t) => {
  const machine = machineOf(t);
  assert.equal(await machine.installer(wholeDisk()).begin(UPDATE, 'r1'), 'restarting');
  assert.equal(machine.boot(wholeDisk()), 'b');
  assert.equal(await machine.installer(wholeDisk()).resume(), 'resting');
  const { reports, confirmed } = machine.journal(wholeDisk()).record;
  const told = reports.map(({ state, counter, running }) => [state, counter, running]);
  const [v1, v2] = [sha256(V1), sha256(V2)];
  assert.deepEqual(told, [
    ['idle', 1, v1],
    ['downloading', 1, v1],
    ['verified', 1, v1],
    ['staged', 1, v1],
    ['rebooting', 1, v1],
    ['trial', 1, v2],
    ['confirmed', 2, v2],
  ]);
  assert.deepEqual(confirmed, { release: 'thermo@2.0.0', sha256: v2, counter: 2 });
  assert.ok(!existsSync(machine.staging));
});

test('a slot that fails before it reads leaves no file open, and nothing that fails later', async (t) => {
  const machine = machineOf(t);
  const disk = wholeDisk();
  const slots: Slots = Object.assign(machine.slots(disk), {
    write: () => Promise.reject(new Error('the slot cannot be marked')),
  });
  const installer = machine.installer(disk, { slots });
  await assert.rejects(installer.begin(UPDATE, 'r1'), /cannot be marked/u);
  // What opens it only now fails when nobody listens any more, which would end the process.
  rmSync(machine.staging);
  await turn();
  await turn();
});

test('a slot that is changed after it was verified is not marked', async (t) => {
  const machine = machineOf(t);
  const canConnect = () => {
    // The last thing that happens before the hash is read again.
    writeFileSync(machine.imagePath('b'), 'x', { flag: 'a' });
    return Promise.resolve(true);
  };
  const installer = machine.installer(wholeDisk(), { canConnect });
  assert.equal(await installer.begin(UPDATE, 'r1'), 'resting');
  assert.equal(installer.update.state, 'failed');
  assert.match(installer.update.why ?? '', /changed after it was verified/u);
  assert.equal(machine.boot(wholeDisk()), 'a');
});

test('a download that is changed on the disk is fetched again', async (t) => {
  const machine = machineOf(t);
  const source = {
    download: async () => {
      const image = chunksOf(Buffer.alloc(400, 'something else'));
      await writeImage(wholeDisk(), { path: machine.staging, image });
    },
  };
  const installer = machine.installer(wholeDisk(), { source });
  assert.equal(await installer.begin(UPDATE, 'r1'), 'downloading');
  assert.equal(installer.update.state, 'downloading');
  assert.ok(!existsSync(machine.staging));
  assert.equal(await machine.installer(wholeDisk()).begin(UPDATE, 'r1'), 'restarting');
});

test('a download that got lost after it was verified is fetched again', async (t) => {
  const machine = machineOf(t);
  const source = {
    download: () => Promise.resolve(rmSync(machine.staging, { force: true })),
  };
  const installer = machine.installer(wholeDisk(), { source });
  assert.equal(await installer.begin(UPDATE, 'r1'), 'downloading');
  assert.equal(await machine.installer(wholeDisk()).resume(), 'downloading');
});

test('a slot that does not keep its bytes is never marked', async (t) => {
  const machine = machineOf(t);
  const disk = wholeDisk();
  const slots = machine.slots(disk);
  t.mock.method(slots, 'digest', () => Promise.resolve('0'.repeat(64)));
  const installer = machine.installer(disk, { slots });
  assert.equal(await installer.begin(UPDATE, 'r1'), 'resting');
  assert.match(installer.update.why ?? '', /does not keep/u);
  assert.equal(machine.slots(disk).boot().trial, undefined);
});

test('lower counters are refused, and equal ones of another image', () => {
  const confirmed = { release: 'thermo@1.0.0', sha256: sha256(V1), counter: 5 };
  const judge = (counter: number, image: Uint8Array = V2, rule: 'refuse' | 'accept' = 'refuse') => {
    const update = { release: 'thermo@2.0.0', sha256: sha256(image), length: 1, counter };
    return judgeCounter(confirmed, { image: update, rule });
  };
  assert.match(judge(4) ?? '', /^refused: .* is 4, .* 5$/u);
  assert.match(judge(4, V2, 'accept') ?? '', /^refused/u);
  assert.match(judge(4, V1) ?? '', /^refused/u);
  assert.match(judge(5) ?? '', /^refused: another image/u);
  assert.equal(judge(5, V2, 'accept'), undefined);
  assert.equal(judge(5, V1), 'same-image');
  assert.equal(judge(6), undefined);
});

test('a refused update changes nothing, and says why', async (t) => {
  const machine = machineOf(t);
  const installer = machine.installer(wholeDisk());
  const old = { release: releaseOf(V2, '0.9.0', 0) };
  assert.equal(await installer.begin(old, 'r1'), 'resting');
  assert.equal(installer.update.state, 'failed');
  assert.equal(machine.imageIn('b'), undefined);
  assert.deepEqual(states(machine), ['idle', 'failed']);
});

test('what runs already is not installed again', async (t) => {
  const machine = machineOf(t);
  const same = { release: releaseOf(V1, '1.0.0', 1) };
  assert.equal(await machine.installer(wholeDisk()).begin(same, 'r1'), 'resting');
  assert.deepEqual(states(machine), ['idle']);
});

test('a torn copy of the journal: the step before counts, and the update goes on', async (t) => {
  const machine = machineOf(t);
  await machine.installer(wholeDisk()).begin(UPDATE, 'r1');
  machine.boot(wholeDisk());
  const paths = ['journal.0', 'journal.1'].map((name) => join(machine.root, name));
  const newest = paths.toSorted((a, b) => numberIn(b) - numberIn(a))[0] ?? '';
  writeFileSync(newest, readFileSync(newest, 'utf8').slice(0, -10));
  assert.equal(machine.journal(wholeDisk()).recovered, 'from-copy');
  const installer = machine.installer(wholeDisk());
  assert.equal(await installer.resume(), 'resting');
  assert.equal(installer.update.state, 'confirmed');
});

test('a journal of which nothing is left begins anew, and what is on trial goes back', async (t) => {
  const machine = machineOf(t);
  await machine.installer(wholeDisk()).begin(UPDATE, 'r1');
  assert.equal(machine.boot(wholeDisk()), 'b');
  for (const name of ['journal.0', 'journal.1']) writeFileSync(join(machine.root, name), 'x');
  assert.equal(machine.journal(wholeDisk()).recovered, 'anew');
  assert.equal(await machine.installer(wholeDisk()).resume(), 'restarting');
  assert.equal(machine.boot(wholeDisk()), 'a');
  assert.equal(await machine.installer(wholeDisk()).resume(), 'resting');
});

test('reports wait in their order; the oldest make room', (t) => {
  const journal = machineOf(t).journal(wholeDisk());
  const [first] = journal.record.reports;
  const update = { state: 'failed', couldConnect: true, restarts: 0 } as const;
  for (let n = 1; n < REPORTS_WAITING_MAX; n += 1) journal.enter({ ...update, why: `${n}` });
  assert.equal(journal.record.reports.length, REPORTS_WAITING_MAX);
  assert.equal(journal.record.reports[0], first);
  journal.enter({ ...update, why: 'one more' });
  assert.equal(journal.record.reports.length, REPORTS_WAITING_MAX);
  assert.equal(journal.record.reports[0]?.why, '1');
  assert.equal(journal.record.reports.at(-1)?.why, 'one more');
});

function numberIn(path: string): number {
  return Number(readFileSync(path, 'utf8').split(' ')[1]);
}

test('a bad image that fills the disk goes back all the same, by the boot loader', async (t) => {
  const machine = machineOf(t);
  await machine.installer(wholeDisk()).begin(UPDATE, 'r1');
  const journal = machine.journal(wholeDisk());
  t.mock.method(journal, 'enter', () => {
    throw new Error('ENOSPC: no space left on device');
  });
  let restarts = 0;
  const restart = () => Promise.resolve(void (restarts += 1));
  const bad = { journal, restart, isOnline: false };
  for (let start = 1; machine.boot(wholeDisk()) === 'b'; start += 1) {
    await assert.rejects(machine.installer(wholeDisk(), bad).resume(), /ENOSPC/u);
    assert.equal(restarts, start);
  }
  assert.equal(restarts, 3);
  const installer = machine.installer(wholeDisk());
  assert.equal(await installer.resume(), 'resting');
  assert.equal(installer.update.state, 'reverted');
});

test('a good image is confirmed also when the disk is full, and known of as soon as it is not', async (t) => {
  const machine = machineOf(t);
  await machine.installer(wholeDisk()).begin(UPDATE, 'r1');
  assert.equal(machine.boot(wholeDisk()), 'b');
  const journal = machine.journal(wholeDisk());
  t.mock.method(journal, 'enter', () => {
    throw new Error('ENOSPC: no space left on device');
  });
  await assert.rejects(machine.installer(wholeDisk(), { journal }).resume(), /ENOSPC/u);
  assert.equal(machine.slots(wholeDisk()).boot().slot, 'b');
  assert.equal(machine.boot(wholeDisk()), 'b');
  const installer = machine.installer(wholeDisk());
  assert.equal(await installer.resume(), 'resting');
  assert.equal(installer.update.state, 'confirmed');
  assert.equal(machine.journal(wholeDisk()).record.confirmed.counter, 2);
});

test('a mark that cannot be taken away does not keep the device in a bad image', async (t) => {
  const machine = machineOf(t);
  await machine.installer(wholeDisk()).begin(UPDATE, 'r1');
  machine.boot(wholeDisk());
  const slots = machine.slots(wholeDisk());
  t.mock.method(slots, 'revert', () => {
    throw new Error('EROFS: read-only file system');
  });
  let restarts = 0;
  const restart = () => Promise.resolve(void (restarts += 1));
  const bad = machine.installer(wholeDisk(), { slots, restart, isOnline: false });
  await assert.rejects(bad.resume(), /EROFS/u);
  assert.equal(restarts, 1);
});
