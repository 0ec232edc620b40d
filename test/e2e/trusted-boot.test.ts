/**
 * Trusted boot with the real boot loader: Debian's U-Boot on QEMU boots an image that
 * `makeFit` signed, and nothing else; it tries a new slot so often and goes back by itself. What
 * an attacker can write, the disk and the flash of the environment, is written by the tests.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { encodeTree, makeFit, readBootKey, trustBootKeys } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';
import { makeControlTree } from '../../examples/trusted-boot/control-tree.ts';
import { type PayloadEnd, makePayload } from '../../examples/trusted-boot/payload.ts';
import { UBootSlots } from '../../packages/device/src/agent/u-boot-slots.ts';
import { environment, makeDisk, putFile, takeFile, variablesOf } from './trusted-boot/disk.ts';
import {
  flipped,
  listedElsewhere,
  mixed,
  redirected,
  rehashed,
  unsigned,
} from './trusted-boot/forge.ts';
import { type Machine, boot, machineTree, missingParts } from './trusted-boot/machine.ts';

const missing = missingParts();
const skip = missing.length > 0 && `not installed: ${missing.join(', ')}`;

test('U-Boot boots what is signed, and nothing else', { skip, concurrency: 2 }, async (t) => {
  const lab = await startLab(t);
  const good = await lab.image('good');
  const evil = makePayload('payload: evil', 'power-off');
  const next = await lab.image('next');
  const otherKey = await lab.image('other', { key: makeKey() });

  const refusals: readonly (readonly [title: string, image: Buffer, says: RegExp])[] = [
    ['a flipped bit', flipped(good), /Bad hash value/],
    ['a flipped bit, hashed again', rehashed(good), /Failed to verify required signature/],
    ['no signature', unsigned(good), /holdfast: refused a/],
    ['a signature by another key', otherKey, /Failed to verify required signature/],
    ['parts of two signed images', mixed(good, next), /Failed to verify required signature/],
    ['another kernel', redirected(good, evil), /Failed to verify required signature/],
    ['a list of signed nodes that leads astray', listedElsewhere(good, evil), /refused a/],
    ['a legacy image', lab.legacyImage(evil), /holdfast: refused a/],
    ['an image that breaks off', good.subarray(0, 4_000), /holdfast: refused a/],
    ['a kernel alone', evil, /holdfast: refused a/],
  ];
  const rows = refusals.map(([title, image, says]) =>
    t.test(`${title}: refused, and nothing is run instead`, async () => {
      const printed = await lab.boot({ disk: lab.disk({ 'a.itb': image, 'b.itb': good }) });
      assert.match(printed, says);
      assert.doesNotMatch(printed, /Starting kernel|payload:/);
    }),
  );
  await Promise.all([
    t.test('a signed image boots', async () => {
      const printed = await lab.boot({ disk: lab.disk({ 'a.itb': good }) });
      assert.match(
        printed,
        /holdfast: slot a\r\n[^]*sha256,rsa3072:boot\+ OK[^]*payload: good\r\n$/,
      );
    }),
    ...rows,
  ]);
});

test('slots: tries are counted by the boot loader alone', { skip, concurrency: 2 }, async (t) => {
  const lab = await startLab(t);
  const good = await lab.image('good');
  const next = await lab.image('next');
  const crashing = await lab.image('crashing', { end: 'reset' });
  const offer = (image: Buffer, tries: string) => ({
    'a.itb': good,
    'b.itb': image,
    'uboot.env': environment({ slot: 'a', trial: 'b', tries }),
  });

  await Promise.all([
    t.test('an image that crashes is reverted after its tries', async () => {
      const disk = lab.disk(offer(crashing, '2'));
      const printed = await lab.boot({ disk });
      assert.deepEqual(payloads(printed), ['crashing', 'crashing', 'good']);
      const left = variablesOf(takeFile(disk, 'uboot.env'));
      assert.deepEqual(left, { slot: 'a', trial: 'b', tries: '0' });
      assert.deepEqual(payloads(await lab.boot({ disk })), ['good']);
    }),
    t.test('an image that hangs costs a try whenever the power is cut', async () => {
      const disk = lab.disk(offer(crashing, '1'));
      const printed = await lab.boot({ disk, cutAt: 'payload: crashing' });
      assert.match(printed, /trial of b, 0 tries left/);
      assert.deepEqual(payloads(await lab.boot({ disk })), ['good']);
    }),
    t.test('a trial with a wrong signature is reverted', async () => {
      const printed = await lab.boot({ disk: lab.disk(offer(flipped(next), '2')) });
      assert.deepEqual(payloads(printed), ['good']);
      assert.equal(printed.match(/holdfast: refused b/g)?.length, 2);
    }),
    t.test('the agent asks for a trial, U-Boot counts, the agent confirms', async () => {
      const state = environment({ slot: 'a', trial: '', tries: '0' });
      const disk = lab.disk({ 'a.itb': good, 'b.itb': next, 'uboot.env': state });
      const agent = agentOn(disk);
      agent.act((slots) => slots.markForTrial(3));
      assert.deepEqual(payloads(await lab.boot({ disk })), ['next']);
      agent.act((slots) => {
        assert.deepEqual(slots.boot(), { slot: 'a', trial: 'b', tries: 2 });
        slots.confirm();
      });
      assert.deepEqual(payloads(await lab.boot({ disk })), ['next']);
      agent.act((slots) => {
        assert.deepEqual(slots.boot(), { slot: 'b', trial: undefined, tries: 0 });
      });
    }),
    t.test('a state that broke off is taken from its copy', async () => {
      const whole = environment({ slot: 'b', tries: '0' });
      const broken = Buffer.from(whole).fill(0xff, 2_048);
      const files = { 'a.itb': good, 'b.itb': next, 'uboot.env': broken, 'uboot.bak': whole };
      assert.deepEqual(payloads(await lab.boot({ disk: lab.disk(files) })), ['next']);
    }),
  ]);
});

test('what an attacker writes where U-Boot reads', { skip, concurrency: 2 }, async (t) => {
  const lab = await startLab(t);
  const good = await lab.image('good');
  const evil = makePayload('payload: evil', 'power-off');
  const load = 'virtio scan; fatload virtio 0 44000000 evil.img';
  const bootEvil = `${load}; bootm 44000000 - \${fdtcontroladdr}; poweroff`;
  const hostile = { bootcmd: bootEvil, bootdelay: '0', verify: 'n', preboot: bootEvil };
  const files = { 'a.itb': good, 'evil.img': lab.legacyImage(evil) };
  const flash = join(lab.folder, 'flash.img');
  writeFileSync(flash, environment(hostile, FLASH_ENVIRONMENT_BYTES));
  truncateSync(flash, FLASH_BYTES);

  await Promise.all([
    t.test('a hostile state on the disk changes nothing but the slot', async () => {
      const words = { slot: `b; ${bootEvil}`, trial: '" = a; run bootcmd; "', tries: '*44000000' };
      const state = environment({ ...hostile, ...words, got: '/', wrong: '', index: '6' });
      const disk = lab.disk({ ...files, 'a.itb': flipped(good), 'uboot.env': state });
      assert.match(await lab.boot({ disk }), /Bad hash value[^]*holdfast: refused a\r\n/);
    }),
    t.test('a hostile environment in flash is not read', async () => {
      const printed = await lab.boot({ disk: lab.disk(files), flash });
      assert.deepEqual(payloads(printed), ['good']);
    }),
    t.test('keys that are typed stop nothing that then runs another image', async () => {
      const disk = lab.disk({ ...files, 'a.itb': rehashed(good) });
      const printed = await lab.boot({ disk, keys: ' \r\n' });
      assert.match(printed, /Failed to verify required signature/);
      assert.deepEqual(payloads(printed), []);
    }),
    t.test('Ctrl-C, typed all the time, gives no prompt and no other image', async () => {
      const disk = lab.disk({ ...files, 'a.itb': rehashed(good) });
      const printed = await lab.boot({ disk, keys: '\u0003' });
      assert.deepEqual(payloads(printed), []);
    }),
    // The rows above show something only because a build without the control tree's words
    // gives way: here it does.
    t.test("Debian's build as it is gives way to the flash", async () => {
      const printed = await lab.boot({
        disk: lab.disk(files),
        flash,
        controlTree: lab.keyOnlyTree,
      });
      assert.deepEqual(payloads(printed), ['evil']);
    }),
  ]);
});

/** The lines of the payloads that were started, in order. */
function payloads(printed: string): string[] {
  return [...printed.matchAll(/^payload: (\S+)\r$/gm)].map(([, name = '']) => name);
}

/** The device's own code for U-Boot's environment, on the file that U-Boot reads and writes. */
function agentOn(disk: string): { act(what: (slots: UBootSlots) => void): void } {
  const path = `${disk}.environment`;
  return {
    act: (what) => {
      writeFileSync(path, takeFile(disk, 'uboot.env'));
      what(new UBootSlots({ environment: path, images: { a: 'a.itb', b: 'b.itb' } }));
      putFile(disk, 'uboot.env', readFileSync(path));
    },
  };
}

interface Lab {
  readonly folder: string;
  /** A control tree with the key, but without the boot command. */
  readonly keyOnlyTree: string;
  image(name: string, options?: { end?: PayloadEnd; key?: BootKeyPair }): Promise<Buffer>;
  legacyImage(payload: Uint8Array): Buffer;
  disk(files: Readonly<Record<string, Uint8Array>>): string;
  /** Boots with the example's control tree unless told otherwise. */
  boot(machine: Omit<Machine, 'controlTree'> & Partial<Machine>): Promise<string>;
}

interface BootKeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function makeKey(): BootKeyPair {
  return generateKeyPairSync('rsa', { modulusLength: 3_072 });
}

function pemOf({ publicKey }: BootKeyPair): string {
  return publicKey.export({ format: 'pem', type: 'spki' });
}

async function startLab(t: TestContext): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-boot-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tree = machineTree(folder);
  const ours = makeKey();
  const controlTree = join(folder, 'control.dtb');
  writeFileSync(controlTree, makeControlTree(tree, pemOf(ours)));
  const keyOnlyTree = join(folder, 'key-only.dtb');
  const key = readBootKey('boot', pemOf(ours));
  const trusting = key instanceof Refusal ? key : trustBootKeys(tree, [key]);
  if (trusting instanceof Refusal) assert.fail(trusting.detail);
  writeFileSync(keyOnlyTree, encodeTree(trusting.root, trusting.extras));
  const image: Lab['image'] = async (name, { end = 'power-off', key = ours } = {}) => {
    const known = readBootKey('boot', pemOf(key));
    if (known instanceof Refusal) assert.fail(known.detail);
    const content = {
      release: `demo@${name}`,
      version: '1',
      counter: 1,
      hardware: ['qemu-virt'],
      madeMs: 1_700_000_000_000,
      tree,
      kernel: {
        bytes: makePayload(`payload: ${name}`, end),
        architecture: 'arm64',
        compression: 'none',
        loadAt: KERNEL_AT,
        enterAt: KERNEL_AT,
      },
    } as const;
    const made = await makeFit(content, {
      ...known,
      sign: async (bytes) => sign('sha256', bytes, key.privateKey),
    });
    return made instanceof Refusal ? assert.fail(made.detail) : made;
  };
  return {
    folder,
    keyOnlyTree,
    image,
    legacyImage: (payload) => legacyImage(folder, payload),
    disk: (files) => makeDisk(mkdtempSync(join(folder, 'disk-')), files),
    boot: (machine) => boot({ controlTree, ...machine }),
  };
}

/** The older form of images, which this build of U-Boot boots as well: nothing in it is signed. */
function legacyImage(folder: string, payload: Uint8Array): Buffer {
  const [from, to] = [join(folder, 'legacy.bin'), join(folder, 'legacy.img')];
  writeFileSync(from, payload);
  const at = KERNEL_AT.toString(16);
  const kind = ['-A', 'arm64', '-O', 'linux', '-T', 'kernel', '-C', 'none', '-a', at, '-e', at];
  const made = spawnSync('mkimage', [...kind, '-d', from, to], { encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  return readFileSync(to);
}

const KERNEL_AT = 0x40400000;
const FLASH_BYTES = 64 * 1_024 * 1_024;
/** `CONFIG_ENV_SIZE` of Debian's build. */
const FLASH_ENVIRONMENT_BYTES = 0x40000;
