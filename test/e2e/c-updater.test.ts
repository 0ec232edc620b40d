/**
 * The microcontroller's side of an update, in C: compiled with all warnings and sanitizers, and
 * put through good and bad updates, power cuts at each change of its flash, and failing trials.
 * Flash is a file in which writing only clears bits.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type KeyObject, generateKeyPairSync, sign } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { memorySigner, signMcuboot } from '@holdfast/firmware';
import { Refusal } from '@holdfast/protocol';

const SLOT_BYTES = 65_536;
const FOLDER = join(import.meta.dirname, '../../examples/c-updater');
const SOURCES = ['updater.h', 'updater.c', 'sha256.c', 'host.c'];
const WARNINGS = '-std=c11 -O2 -Wall -Wextra -Werror';
const SANITIZERS = '-fsanitize=address,undefined -fno-sanitize-recover=all';

const buildFolder = mkdtempSync(join(tmpdir(), 'holdfast-c-updater-'));
after(() => rmSync(buildFolder, { recursive: true, force: true }));
const program = compile();
const skip = program === undefined && 'there is no gcc, or no OpenSSL to link with';

test('the sources are small, and need nothing but a check of signatures', () => {
  const texts = SOURCES.map((name) => readFileSync(join(FOLDER, name), 'utf8'));
  assert.ok(texts.join('').split('\n').length < 400);
  const core = texts.slice(0, 3).join('');
  assert.doesNotMatch(core, /\b(malloc|calloc|free|fopen|printf|time|exit)\(|openssl/);
});

test('a good update is tried and confirmed', { skip }, () => {
  const device = factory();
  assert.equal(device.update(device.image('O', 2)), 'staged');
  assert.equal(device.run(), 'slot b: O\nreached the backend');
  assert.equal(device.run(), 'slot b: O\nreached the backend');
  assert.equal(device.update(device.image('O', 2)), 'staged');
  assert.equal(device.run(), 'slot a: O\nreached the backend');
});

test('bad updates are refused, and change nothing that runs', { skip }, () => {
  const device = factory();
  const good = device.image('O', 2);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const flippedByte = Buffer.from(good.bytes);
  flippedByte.writeUInt8(flippedByte.readUInt8(5_000) ^ 1, 5_000);
  const signature = good.signature;
  const refusals = [
    ['bad signature', device.signed(good.bytes, other)],
    ['bad signature', { bytes: flippedByte, signature }],
    ['bad signature', { bytes: good.bytes.subarray(0, -1), signature }],
    ['bad signature', { bytes: good.bytes, signature: Buffer.alloc(0) }],
    ['bad signature', { bytes: good.bytes, signature: Buffer.alloc(73) }],
    ['bad signature', { bytes: Buffer.alloc(0), signature }],
    ['too large', device.signed(Buffer.alloc(SLOT_BYTES + 1))],
    ['lower counter', device.image('O', 0)],
    ['bad image', device.signed(Buffer.from('no image'))],
    ['bad image', device.signed(Buffer.alloc(SLOT_BYTES, 0xff))],
    ['bad image', device.signed(mcubootImage('O', []))],
    ['bad image', device.signed(mcubootImage('O', [2, 3]))],
    ['bad image', device.signed(withWord(good.bytes, 8, 0xffffffff))],
    ['bad image', device.signed(withWord(good.bytes, 12, 0xffffffff))],
    ['bad image', device.signed(good.bytes.subarray(0, -1))],
  ] as const;
  for (const [word, update] of refusals) {
    assert.equal(device.update(update), word);
    assert.equal(device.run(), 'slot a: O\nreached the backend');
  }
  assert.equal(device.update(good, good.bytes.length + 1), 'truncated');
  assert.equal(device.update(good, good.bytes.length - 1), 'too large');
  assert.equal(device.update(device.image('O', 1)), 'staged', 'the same counter will do');
});

test('an image that holdfast signs for MCUboot is understood', { skip }, async () => {
  const device = factory();
  const signer = memorySigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const version = { major: 2, minor: 1, revision: 0, build: 0 };
  const make = async (counter: number): Promise<Buffer> => {
    const options = { version, counter, headerBytes: 32, padHeader: true };
    const image = await signMcuboot(Buffer.alloc(9_000, 'O'), signer, options);
    return image instanceof Refusal ? assert.fail(image.detail) : Buffer.from(image);
  };
  assert.equal(device.update(device.signed(await make(0))), 'lower counter');
  assert.equal(device.update(device.signed(await make(2))), 'staged');
  assert.equal(device.run(), 'slot b: O\nreached the backend');
});

test('an image of exactly a slot fits', { skip }, () => {
  const device = factory();
  const image = mcubootImage('O', [2], SLOT_BYTES);
  assert.equal(image.length, SLOT_BYTES);
  assert.equal(device.update(device.signed(image)), 'staged');
  assert.match(device.run(), /^slot b: O\n/);
});

test('a trial that fails is reverted, and its counter not kept', { skip }, () => {
  const device = factory();
  assert.equal(device.update(device.image('C', 5)), 'staged');
  const crash = 'slot b: C\nreset after 0 ms\n';
  assert.equal(device.run(), `${crash.repeat(3)}slot a: O\nreached the backend`);
  assert.equal(device.update(device.image('S', 5)), 'staged');
  assert.equal(device.update(device.image('O', 6)), 'busy', 'during a trial nothing is written');
  const silence = 'slot b: S\nreset after 30000 ms\n';
  assert.equal(device.run(), `${silence.repeat(3)}slot a: O\nreached the backend`);
  assert.equal(device.update(device.image('O', 1)), 'staged');
});

test('what changes in flash is not started', { skip }, () => {
  const device = factory();
  assert.equal(device.update(device.image('O', 2)), 'staged');
  const flash = readFileSync(device.flash);
  const slotB = 2 * 4_096 + SLOT_BYTES;
  flash.writeUInt8(flash.readUInt8(slotB + 5_000) ^ 1, slotB + 5_000);
  writeFileSync(device.flash, flash);
  assert.match(device.run(), /^slot a: O\n/, 'a trial that changed is reverted');
  writeFileSync(device.flash, Buffer.alloc(flash.length, 0xff));
  assert.equal(device.run(), 'nothing to start');
});

test('the power is cut at each change of flash, of an update and of the trial', { skip }, (t) => {
  const device = factory();
  const before = `${device.flash}.before`;
  copyFileSync(device.flash, before);
  // Small, because each write is cut, and starts the device four times.
  const update = device.signed(mcubootImage('O', [2], 3_000));
  const outcomes = new Map<string, number>();
  for (let cut = 1; ; cut += 1) {
    copyFileSync(before, device.flash);
    const word = device.update(update, undefined, cut);
    if (word !== '') {
      assert.equal(word, 'staged');
      t.diagnostic(`${cut - 1} changes of flash in an update`);
      break;
    }
    // Whatever was cut, the device starts its old image, and takes the update the next time.
    assert.equal(device.run(), 'slot a: O\nreached the backend');
    assert.equal(device.update(update), 'staged');
    const end = device.run();
    outcomes.set(end, (outcomes.get(end) ?? 0) + 1);
  }
  assert.deepEqual([...outcomes.keys()], ['slot b: O\nreached the backend']);

  copyFileSync(device.flash, before);
  for (let cut = 1; cut <= 4; cut += 1) {
    copyFileSync(before, device.flash);
    device.run(cut);
    // Counting a try and confirming are two changes each: a try may be lost, never the device.
    assert.equal(device.run(), 'slot b: O\nreached the backend');
    assert.equal(device.update(device.image('O', 1)), 'lower counter');
  }
});

interface Update {
  readonly bytes: Buffer;
  readonly signature: Buffer;
}

interface Device {
  readonly flash: string;
  /** An MCUboot image that does this, with this counter, signed. */
  image(does: string, counter: number): Update;
  signed(bytes: Buffer, key?: KeyObject): Update;
  /** What the device says; nothing when the power was cut. */
  update(update: Update, announced?: number, cut?: number): string;
  run(cut?: number): string;
}

/** A device with an image of counter 1 in slot a. */
function factory(): Device {
  const folder = mkdtempSync(join(buildFolder, 'case-'));
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [flash, pem] = [join(folder, 'flash'), join(folder, 'key.pem')];
  writeFileSync(pem, keys.publicKey.export({ format: 'pem', type: 'spki' }));
  const call = (args: readonly string[], cut = 0): string => {
    const env = { HF_CUT: String(cut), ASAN_OPTIONS: 'detect_leaks=0' };
    const done = spawnSync(program ?? '', [flash, pem, ...args], { encoding: 'utf8', env });
    assert.equal(done.stderr, '');
    assert.ok([0, 1, 3].includes(done.status ?? -1), `ended with ${done.status}`);
    return done.status === 3 ? '' : done.stdout.trim();
  };
  const device: Device = {
    flash,
    signed: (bytes, key = keys.privateKey) => ({ bytes, signature: sign('sha256', bytes, key) }),
    image: (does, counter) => device.signed(mcubootImage(does, [counter])),
    update: ({ bytes, signature }, announced, cut) => {
      const [image, sig] = [join(folder, 'image.bin'), join(folder, 'image.bin.sig')];
      writeFileSync(image, bytes);
      writeFileSync(sig, signature);
      return call(['update', image, sig, ...(announced ? [String(announced)] : [])], cut);
    },
    run: (cut) => call(['run'], cut),
  };
  call(['format']);
  assert.equal(device.run(), 'nothing to start');
  assert.equal(device.update(device.image('O', 1)), 'staged');
  assert.equal(device.run(), 'slot a: O\nreached the backend');
  return device;
}

/**
 * An image as `imgtool` makes it, without its own signature: header, body, protected TLVs with a
 * security counter each.
 */
function mcubootImage(does: string, counters: readonly number[], length = 20_000): Buffer {
  const table = Buffer.alloc(4 + counters.length * 8);
  table.writeUInt16LE(0x6908, 0);
  table.writeUInt16LE(table.length, 2);
  counters.forEach((counter, index) => {
    table.writeUInt16LE(0x50, 4 + index * 8);
    table.writeUInt16LE(4, 6 + index * 8);
    table.writeUInt32LE(counter, 8 + index * 8);
  });
  const header = Buffer.alloc(32);
  const body = Buffer.alloc(length - header.length - table.length, does);
  header.writeUInt32LE(0x96f3b83d, 0);
  header.writeUInt16LE(header.length, 8);
  header.writeUInt16LE(table.length, 10);
  header.writeUInt32LE(body.length, 12);
  return Buffer.concat([header, body, table]);
}

function withWord(bytes: Buffer, at: number, word: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32LE(word, at);
  return changed;
}

/** The device as a program; undefined where there is no compiler. */
function compile(): string | undefined {
  const out = join(buildFolder, 'device');
  const sources = SOURCES.filter((name) => name.endsWith('.c')).map((name) => join(FOLDER, name));
  const flags = `${WARNINGS} ${SANITIZERS}`.split(' ');
  const done = spawnSync('gcc', [...flags, '-o', out, ...sources, '-lcrypto'], {
    encoding: 'utf8',
  });
  if (done.error !== undefined || /openssl\/\S+: No such file/.test(done.stderr)) return undefined;
  assert.equal(done.status, 0, done.stderr);
  return out;
}
