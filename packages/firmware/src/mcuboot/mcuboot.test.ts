import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { testSigner } from '../detached/signer.testing.ts';
import { readMcuboot, readMcubootVersion, signMcuboot } from './index.ts';
import type { McubootOptions } from './index.ts';
import { MCUBOOT_BYTES_MAX, MCUBOOT_ENTRIES_MAX } from './limits.ts';

// MCUboot's own tool is no Debian package and not part of this project: where it is told.
const IMGTOOL = process.env['HOLDFAST_IMGTOOL'];
const PYTHON = process.env['HOLDFAST_PYTHON'] ?? '/usr/bin/python3';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-mcuboot-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const P256 = testSigner('ecdsa-p256');
const ED25519 = testSigner('ed25519');
const KEYS = [P256.publicKey, ED25519.publicKey];
const CODE = randomBytes(5_000);
const VERSION = { major: 2, minor: 1, revision: 300, build: 70_000 };
const OPTIONS: McubootOptions = { version: VERSION, counter: 7, headerBytes: 512, padHeader: true };

async function signed(options = OPTIONS, signer = P256, code: Uint8Array = CODE): Promise<Buffer> {
  const image = await signMcuboot(code, signer, options);
  assert.ok(!(image instanceof Refusal), image instanceof Refusal ? image.detail : '');
  return Buffer.from(image);
}

function assertRefused(outcome: unknown, detail: RegExp): void {
  assert.ok(outcome instanceof Refusal);
  assert.equal(outcome.code, 'E_UPDATE_MCUBOOT');
  assert.match(outcome.detail, detail);
}

/** The exit code of a program. */
function exitOf(...args: string[]): number | null {
  return spawnSync(PYTHON, args, { cwd: folder, stdio: 'ignore' }).status;
}

test('a signed image says what was said of it', async () => {
  for (const signer of [P256, ED25519]) {
    const image = readMcuboot(await signed(OPTIONS, signer), KEYS);
    const expected = { version: VERSION, counter: 7, headerBytes: 512, bodyBytes: CODE.length };
    assert.deepEqual(image, { ...expected, signer: signer.key.keyID });
  }
});

test('the room for the header is made, or is there already', async () => {
  const room = Buffer.concat([Buffer.alloc(512), CODE]);
  const { padHeader: _, ...inPlace } = OPTIONS;
  const made = await signed(OPTIONS, ED25519);
  const there = await signed(inPlace, ED25519, room);
  assert.equal(made.length, there.length);
  // What follows the 32 bytes of the header is as erased flash, or stays as it was.
  assert.deepEqual([made[40], there[40]], [0xff, 0]);
  assertRefused(await signMcuboot(CODE, P256, inPlace), /does not begin with 512 zeros/u);
  assertRefused(await signMcuboot(Buffer.alloc(512), P256, inPlace), /zeros/u);
  for (const headerBytes of [31, 65_536]) {
    assertRefused(await signMcuboot(CODE, P256, { ...OPTIONS, headerBytes }), /header/u);
  }
});

test('a flipped bit anywhere in it is refused, and so is a part of it', async () => {
  const image = await signed(OPTIONS, ED25519);
  // Types of entries without a meaning here, and the reserved fields, are within the hash.
  const step = Math.ceil(image.length / 300);
  for (let index = 0; index < image.length; index += step) {
    const flipped = Buffer.from(image);
    flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8));
    assertRefused(readMcuboot(flipped, KEYS), /./u);
    assertRefused(readMcuboot(image.subarray(0, index), KEYS), /./u);
  }
  for (let index = image.length - 60; index < image.length; index += 1) {
    const flipped = Buffer.from(image);
    flipped[index] = (flipped[index] ?? 0) ^ 1;
    assertRefused(readMcuboot(flipped, KEYS), /none of the given keys/u);
  }
  assertRefused(readMcuboot(image, [P256.publicKey]), /none of the given keys/u);
  assertRefused(readMcuboot(image, []), /none of the given keys/u);
});

test('a trailer with more entries than anybody makes is refused', async () => {
  const image = await signed(OPTIONS, ED25519);
  // By the sizes in the header: the magic of the list may stand in a hash or a signature as well.
  const start = OPTIONS.headerBytes + CODE.length + image.readUInt16LE(10);
  const withEntries = (count: number): Buffer => {
    const many = Buffer.concat([
      image,
      ...Array.from({ length: count }, () => Buffer.from('a0000000', 'hex')),
    ]);
    many.writeUInt16LE(many.length - start, start + 2);
    return many;
  };
  const free = MCUBOOT_ENTRIES_MAX - 3;
  assert.ok(!(readMcuboot(withEntries(free), KEYS) instanceof Refusal));
  assertRefused(readMcuboot(withEntries(free + 1), KEYS), /malformed/u);
});

test('images beyond the limit are neither signed nor read', async () => {
  const large = Buffer.alloc(MCUBOOT_BYTES_MAX + 1);
  assertRefused(await signMcuboot(large, P256, OPTIONS), /too large/u);
  assertRefused(readMcuboot(large, KEYS), /too large/u);
});

test('a slot is filled up when it is large enough', async () => {
  const plain = (await signed(OPTIONS, ED25519)).length;
  // 128 sectors × 3 + 4 flags × 8 + the magic.
  const least = plain + 384 + 32 + 16;
  const filled = await signed({ ...OPTIONS, slot: { bytes: least } }, ED25519);
  assert.equal(filled.length, least);
  assert.equal(filled.subarray(-16).toString('hex'), '77c295f360d2ef7f3552500f2cb67980');
  assert.ok(!(readMcuboot(filled, KEYS) instanceof Refusal));
  const wrong = [
    { bytes: least - 1 },
    { bytes: 65_536, align: 3 },
    { bytes: 0 },
    { bytes: 65_536, sectors: 0 },
  ];
  for (const slot of wrong) {
    assertRefused(await signMcuboot(CODE, ED25519, { ...OPTIONS, slot }), /slot|alignment/u);
  }
});

test('versions are those of MCUboot', () => {
  assert.deepEqual(readMcubootVersion('2.1.300+70000'), VERSION);
  assert.deepEqual(readMcubootVersion('7'), { major: 7, minor: 0, revision: 0, build: 0 });
  const most = { major: 255, minor: 255, revision: 65_535, build: 4_294_967_295 };
  assert.deepEqual(readMcubootVersion('255.255.65535+4294967295'), most);
  const wrong = [
    '',
    '1.',
    '256',
    '1.256',
    '1.1.65536',
    '1.1.1+4294967296',
    '01',
    '1.0.0-rc1',
    '1+1',
  ];
  for (const text of wrong) assert.equal(readMcubootVersion(text), undefined, text);
});

test('random bytes are refused, and never throw', () => {
  const start = Buffer.from('3db8f39600000000', 'hex');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, isImage) => {
      assertRefused(
        readMcuboot(Buffer.concat([isImage ? start : Buffer.alloc(0), bytes]), KEYS),
        /./u,
      );
    }),
    { numRuns: 1_000 },
  );
});

test('every image comes back as it was signed', async () => {
  const version = fc.record({
    major: fc.nat(255),
    minor: fc.nat(255),
    revision: fc.nat(65_535),
    build: fc.nat(2 ** 32 - 1),
  });
  const counter = fc.nat(2 ** 31 - 1);
  await fc.assert(
    fc.asyncProperty(version, counter, fc.uint8Array({ minLength: 1 }), async (...given) => {
      const [version, counter, code] = given;
      const image = await signed({ ...OPTIONS, version, counter }, ED25519, code);
      const read = readMcuboot(image, KEYS);
      assert.ok(!(read instanceof Refusal));
      assert.deepEqual([read.version, read.counter], [{ ...version }, counter]);
    }),
  );
});

test('the documented format, checked by another program, holds', async () => {
  const check = join(import.meta.dirname, 'python_check.py');
  for (const [name, signer] of Object.entries({ P256, ED25519 })) {
    const image = await signed(OPTIONS, signer);
    writeFileSync(at(`${name}.bin`), image);
    writeFileSync(at(`${name}.pub`), signer.publicKey.export({ format: 'pem', type: 'spki' }));
    const args = [check, `${name}.bin`, `${name}.pub`];
    assert.equal(exitOf(...args, '2.1.300+70000', '7'), 0, name);
    assert.notEqual(exitOf(...args, '2.1.300+70000', '8'), 0, name);
    image[600] = (image[600] ?? 0) ^ 1;
    writeFileSync(at(`${name}.bin`), image);
    assert.notEqual(exitOf(...args, '2.1.300+70000', '7'), 0, name);
  }
});

test(
  "MCUboot's imgtool verifies it, and makes the same",
  { skip: IMGTOOL === undefined ? 'HOLDFAST_IMGTOOL does not say where imgtool.py is' : false },
  async () => {
    const imgtool = IMGTOOL ?? '';
    writeFileSync(at('code.bin'), CODE);
    const make = ['sign', '--version', '2.1.300+70000', '--security-counter', '7'];
    const room = ['--header-size', '512', '--pad-header', '--slot-size', '65536'];
    for (const [name, signer] of Object.entries({ p256: P256, ed25519: ED25519 })) {
      for (const [kind, value] of Object.entries({
        publicKey: 'spki',
        privateKey: 'pkcs8',
      } as const)) {
        const key = kind === 'publicKey' ? signer.publicKey : signer.privateKey;
        writeFileSync(at(`${name}.${kind}`), key.export({ format: 'pem', type: value }));
      }
      for (const slot of [undefined, { bytes: 65_536 }, { bytes: 65_536, align: 32 }] as const) {
        const ours = await signed({ ...OPTIONS, slot }, signer);
        writeFileSync(at('ours.bin'), ours);
        const verify = [imgtool, 'verify', '-k', `${name}.publicKey`];
        assert.equal(exitOf(...verify, 'ours.bin'), 0);
        const fill = slot === undefined ? [] : ['--pad', '--align', `${slot.align ?? 1}`];
        const key = ['-k', `${name}.privateKey`];
        const sign = [imgtool, ...make, ...room, ...fill, ...key, 'code.bin', 'theirs.bin'];
        assert.equal(exitOf(...sign), 0);
        const theirs = readFileSync(at('theirs.bin'));
        assert.deepEqual(readMcuboot(theirs, KEYS), readMcuboot(ours, KEYS));
        // Ed25519 has one signature of a message, ECDSA has as many as there are random numbers.
        if (name === 'ed25519') assert.equal(Buffer.compare(ours, theirs), 0);
        else assert.equal(Buffer.compare(ours.subarray(0, 5_500), theirs.subarray(0, 5_500)), 0);
        ours[600] = (ours[600] ?? 0) ^ 1;
        writeFileSync(at('ours.bin'), ours);
        assert.notEqual(exitOf(...verify, 'ours.bin'), 0);
      }
    }
  },
);
