/** What every kind of slots does alike, and the files of each kind by the tools that own them. @module */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AgentMachine,
  SLOT_KINDS,
  type SlotKind,
  V1,
  V2,
  chunksOf,
  sha256,
  wholeDisk,
} from '../../test-support/agent-machine.ts';
import { CuttableDisk, PowerCut } from '../../test-support/cuttable-disk.ts';
import { testFolder } from '../../test-support/test-bundle.ts';
import { agentDisk } from './agent-disk.ts';
import { countStart, formatEntryName, readEntryName } from './boot-entry.ts';
import { DirectorySlots } from './directory-slots.ts';
import { runningSlot } from './kernel-command-line.ts';
import { formatEnvironment, readEnvironment } from './u-boot-environment.ts';

for (const kind of SLOT_KINDS) {
  test(`${kind}: begins with slot a, confirmed`, (t) => {
    const slots = new AgentMachine(testFolder(t), kind).slots(agentDisk);
    assert.deepEqual(slots.boot(), { slot: 'a', trial: undefined, tries: 0 });
    assert.equal(slots.running(), 'a');
  });

  test(`${kind}: a marked slot is started as often as it has tries, then the one before`, async (t) => {
    const { machine, slots } = await marked(testFolder(t), kind);
    assert.deepEqual(slots.boot(), { slot: 'a', trial: 'b', tries: 3 });
    const started = [1, 2, 3, 4, 5].map(() => machine.boot(wholeDisk()));
    assert.deepEqual(started, ['b', 'b', 'b', 'a', 'a']);
    assert.deepEqual(slots.boot(), { slot: 'a', trial: 'b', tries: 0 });
    assert.equal(slots.running(), 'a');
  });

  test(`${kind}: a confirmed slot stays, and the other one is the next`, async (t) => {
    const { machine, slots } = await marked(testFolder(t), kind);
    machine.boot(wholeDisk());
    slots.confirm();
    assert.deepEqual(slots.boot(), { slot: 'b', trial: undefined, tries: 0 });
    assert.deepEqual([machine.boot(wholeDisk()), machine.boot(wholeDisk())], ['b', 'b']);
    await slots.write(chunksOf(V1));
    assert.equal(await slots.digest('a', V1.length), sha256(V1));
    assert.equal(machine.boot(wholeDisk()), 'b');
    slots.markForTrial(1);
    assert.deepEqual([machine.boot(wholeDisk()), machine.boot(wholeDisk())], ['a', 'b']);
  });

  test(`${kind}: a revert takes the mark away`, async (t) => {
    const { machine, slots } = await marked(testFolder(t), kind);
    slots.revert();
    assert.deepEqual(slots.boot(), { slot: 'a', trial: undefined, tries: 0 });
    assert.equal(machine.boot(wholeDisk()), 'a');
    slots.revert();
    assert.equal(slots.boot().slot, 'a');
  });

  test(`${kind}: no slot can be written while both are needed`, async (t) => {
    const { machine, slots } = await marked(testFolder(t), kind);
    await assert.rejects(slots.write(chunksOf(V1)), { code: 'E_DEVICE_SLOTS' });
    machine.boot(wholeDisk());
    await assert.rejects(slots.write(chunksOf(V1)), { code: 'E_DEVICE_SLOTS' });
    assert.deepEqual(machine.imageIn('a'), V1);
    assert.deepEqual(machine.imageIn('b'), V2);
  });

  test(`${kind}: bytes behind an image change its hash`, async (t) => {
    const { machine, slots } = await marked(testFolder(t), kind);
    assert.equal(await slots.digest('b', V2.length), sha256(V2));
    writeFileSync(machine.imagePath('b'), 'x', { flag: 'a' });
    assert.notEqual(await slots.digest('b', V2.length), sha256(V2));
  });
}

test('a torn copy of a boot state leaves the one before', async (t) => {
  const { machine, slots } = await marked(testFolder(t), 'directory');
  machine.boot(agentDisk);
  assert.equal(slots.boot().tries, 2);
  const newest = join(machine.root, 'boot.1');
  assert.match(readFileSync(newest, 'utf8'), / tries=2\n$/u);
  writeFileSync(newest, readFileSync(newest, 'utf8').slice(0, -2));
  assert.equal(slots.boot().tries, 3);
  writeFileSync(join(machine.root, 'boot.0'), 'x');
  assert.throws(() => slots.boot(), { code: 'E_DEVICE_SLOTS' });
});

test('the kernel command line names the slot, the last word of it counts', (t) => {
  const path = join(testFolder(t), 'cmdline');
  writeFileSync(path, 'root=/dev/x holdfast.slot=a holdfast.slot=b quiet\n');
  assert.equal(runningSlot(path), 'b');
  for (const text of ['quiet', 'holdfast.slot=c', 'xholdfast.slot=a']) {
    writeFileSync(path, text);
    assert.throws(() => runningSlot(path), { code: 'E_DEVICE_SLOTS' });
  }
});

test('systemd-boot: names count as the specification says', () => {
  const cases = [
    ['holdfast-a.conf', undefined, 0],
    ['holdfast-a+3.conf', 3, 0],
    ['holdfast-a+2-1.conf', 2, 1],
    ['holdfast-a+0-3.conf', 0, 3],
  ] as const;
  for (const [file, left, done] of cases) {
    const name = readEntryName(file);
    assert.deepEqual(name, { name: 'holdfast-a', left, done });
    assert.equal(name && formatEntryName(name), file);
  }
  assert.equal(readEntryName('holdfast-a+3.txt'), undefined);
  assert.deepEqual(countStart({ name: 'x', left: 1, done: 2 }), { name: 'x', left: 0, done: 3 });
  assert.deepEqual(countStart({ name: 'x', left: 0, done: 3 }), { name: 'x', left: 0, done: 3 });
});

test('systemd-boot: an inactive slot has no entry while it is written', async (t) => {
  const { machine, slots } = await marked(testFolder(t), 'systemd-boot');
  machine.boot(wholeDisk());
  slots.confirm();
  async function* watched() {
    for await (const chunk of chunksOf(V1)) {
      assert.deepEqual(readdirSync(join(machine.root, 'entries')), ['holdfast-b.conf']);
      yield chunk;
    }
  }
  await slots.write(watched());
  slots.markForTrial(2);
  const names = readdirSync(join(machine.root, 'entries')).toSorted();
  assert.deepEqual(names, ['holdfast-a+2.conf', 'holdfast-b.conf']);
});

for (const kind of ['u-boot', 'u-boot-redundant', 'u-boot-copy'] as const) {
  const options = { skip: toolsAreAbsent() };
  test(`${kind}: fw_printenv reads what the agent writes`, options, async (t) => {
    const { machine } = await marked(testFolder(t), kind);
    const printed = variablesOf(machine);
    assert.deepEqual(printed.toSorted(), ['bootdelay=2', 'slot=a', 'trial=b', 'tries=3']);
    machine.boot(wholeDisk());
    assert.ok(variablesOf(machine).includes('tries=2'));
    machine.slots(agentDisk).confirm();
    const after = variablesOf(machine);
    assert.ok(after.includes('slot=b') && after.includes('tries=0'), after.join());
  });

  test(`${kind}: the agent reads what fw_setenv writes`, options, async (t) => {
    const { machine, slots } = await marked(testFolder(t), kind);
    for (const [name, value] of [
      ['tries', '1'],
      ['trial', 'b'],
      ['slot', 'a'],
    ] as const) {
      const set = spawnSync('fw_setenv', ['-c', configOf(machine), name, value]);
      assert.equal(set.status, 0, String(set.stderr));
    }
    assert.deepEqual(slots.boot(), { slot: 'a', trial: 'b', tries: 1 });
    assert.deepEqual([machine.boot(wholeDisk()), machine.boot(wholeDisk())], ['b', 'a']);
  });
}

test('u-boot: the agent reads what mkenvimage makes', { skip: toolsAreAbsent() }, (t) => {
  const folder = testFolder(t);
  const [text, image] = [join(folder, 'env.txt'), join(folder, 'uboot.env')];
  writeFileSync(text, 'slot=b\ntrial=\ntries=0\nbootcmd=run holdfast\n');
  for (const isRedundant of [false, true]) {
    const flags = isRedundant ? ['-r'] : [];
    const made = spawnSync('mkenvimage', [...flags, '-s', '512', '-o', image, text]);
    assert.equal(made.status, 0, String(made.stderr));
    const copy = readEnvironment(readFileSync(image), { isRedundant });
    assert.equal(copy?.variables.get('slot'), 'b');
    assert.equal(copy.variables.get('bootcmd'), 'run holdfast');
    const again = copy && formatEnvironment(copy, { isRedundant });
    assert.deepEqual(readEnvironment(again ?? Buffer.alloc(0), { isRedundant }), copy);
    const flipped = readFileSync(image);
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    assert.equal(readEnvironment(flipped, { isRedundant }), undefined);
  }
});

test('u-boot: one of two copies is enough, and none is too little', async (t) => {
  const { machine, slots } = await marked(testFolder(t), 'u-boot-redundant');
  const { environment, redundant } = machine.environment;
  assert.equal(slots.boot().trial, 'b');
  // The newest copy is the second one: without it the state before the mark counts.
  rmSync(redundant ?? '');
  assert.equal(slots.boot().trial, undefined);
  slots.markForTrial(2);
  assert.equal(slots.boot().tries, 2);
  writeFileSync(environment, 'x');
  assert.equal(slots.boot().tries, 2);
  writeFileSync(redundant ?? '', 'x');
  assert.throws(() => slots.boot(), { code: 'E_DEVICE_SLOTS' });
});

test('u-boot: a copy that the boot script keeps counts when the first is torn', async (t) => {
  const { machine, slots } = await marked(testFolder(t), 'u-boot-copy');
  const { environment, copy } = machine.environment;
  assert.deepEqual(readFileSync(environment), readFileSync(copy ?? ''));
  machine.boot(wholeDisk());
  writeFileSync(environment, 'x');
  assert.equal(slots.boot().tries, 2);
  slots.confirm();
  assert.deepEqual(readFileSync(environment), readFileSync(copy ?? ''));
});

test('u-boot: variables that do not fit are not written', () => {
  const variables = new Map([['x', 'y'.repeat(20)]]);
  const header = 4 + 'x='.length + 20 + 2;
  const fits = { variables, serial: 0, size: header };
  assert.notEqual(formatEnvironment(fits, { isRedundant: false }), undefined);
  const full = { ...fits, size: header - 1 };
  assert.equal(formatEnvironment(full, { isRedundant: false }), undefined);
});

async function marked(folder: string, kind: SlotKind) {
  const machine = new AgentMachine(folder, kind);
  const slots = machine.slots(agentDisk);
  await slots.write(chunksOf(V2));
  slots.markForTrial(3);
  return { machine, slots };
}

function variablesOf(machine: AgentMachine): string[] {
  const { status, stdout, stderr } = spawnSync('fw_printenv', ['-c', configOf(machine)]);
  assert.equal(status, 0, String(stderr));
  return String(stdout).trimEnd().split('\n');
}

/** Offset and size as fw_env.config wants them. */
function configOf(machine: AgentMachine): string {
  const path = join(machine.root, 'fw_env.config');
  const { environment, redundant } = machine.environment;
  const lines = [environment, ...(redundant === undefined ? [] : [redundant])];
  writeFileSync(path, lines.map((line) => `${line} 0x0 0x400\n`).join(''));
  return path;
}

function toolsAreAbsent(): string | false {
  const isThere = existsSync('/usr/bin/fw_printenv') && existsSync('/usr/bin/mkenvimage');
  return isThere ? false : 'needs libubootenv-tool and u-boot-tools';
}

test('a full disk does not keep the confirmed program from being started', async (t) => {
  const { machine } = await marked(testFolder(t), 'directory');
  const full = () => {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  };
  const disk = { ...agentDisk, write: full };
  // A try that cannot be counted is not made.
  assert.equal(new DirectorySlots(machine.root, disk).start(), 'a');
  assert.equal(new DirectorySlots(machine.root, { ...disk, link: full }).start(), 'a');
  assert.equal(machine.boot(agentDisk), 'b');
});

test('a trial that is over cannot be confirmed by an agent that is late', async (t) => {
  const { machine, slots } = await marked(testFolder(t), 'directory');
  for (const expected of ['b', 'b', 'b', 'a']) assert.equal(machine.boot(agentDisk), expected);
  assert.throws(() => slots.confirm(), { code: 'E_DEVICE_SLOTS' });
  assert.deepEqual(slots.boot(), { slot: 'a', trial: 'b', tries: 0 });
});

test('another user cannot keep the lock of the slots', (t) => {
  const root = testFolder(t);
  new DirectorySlots(root).revert();
  assert.equal(statSync(join(root, 'boot.lock')).mode & 0o077, 0);
});

test('u-boot: an environment that is too large is not read', (t) => {
  const machine = new AgentMachine(testFolder(t), 'u-boot');
  truncateSync(machine.environment.environment, 5 * 1_024 ** 3);
  assert.throws(() => machine.slots(agentDisk).boot(), { code: 'E_DEVICE_SLOTS' });
});

test('u-boot with a copy: where one file is torn, the whole one is written last', (t) => {
  const machine = new AgentMachine(testFolder(t), 'u-boot-copy');
  writeFileSync(machine.environment.environment, 'torn');
  const disk = new CuttableDisk({ at: 0, how: 'torn' });
  assert.throws(() => machine.slots(disk).markForTrial(3), PowerCut);
  assert.equal(machine.slots(agentDisk).boot().slot, 'a');
});
