import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { Refusal } from '@holdfast/protocol';
import fc from 'fast-check';
import { readFrameHeader } from './frame-header.ts';
import { applyDelta, makeDelta } from './index.ts';
import { DELTA_IMAGE_BYTES_MAX } from './limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-delta-'));
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** An image that no compressor makes smaller by itself. */
const BASE = randomBytes(300_000);
/** The same with a piece put in, and some bytes changed. */
const IMAGE = Buffer.concat([
  BASE.subarray(0, 99_999),
  Buffer.alloc(777, 1),
  BASE.subarray(99_999),
]);
for (let index = 500; index < IMAGE.length; index += 50_000) IMAGE[index] = 0x55;
const EXPECTED = { length: IMAGE.length, sha256: sha256(IMAGE) };
writeFileSync(at('base'), BASE);
writeFileSync(at('image'), IMAGE);

async function apply(delta: Uint8Array, image = EXPECTED): Promise<Refusal | undefined> {
  writeFileSync(at('tried'), delta);
  return applyDelta({ base: at('base'), delta: at('tried'), out: at('out'), image });
}

function assertRefused(outcome: unknown, detail: RegExp): void {
  assert.ok(outcome instanceof Refusal);
  assert.equal(outcome.code, 'E_UPDATE_DELTA');
  assert.match(outcome.detail, detail);
  assert.equal(existsSync(at('out')), false);
}

const withDictionary = (content: Uint8Array, params: Record<number, number> = {}): Buffer =>
  zstdCompressSync(content, { dictionary: BASE, pledgedSrcSize: content.length, params });

test('a delta is small, says what it is, and makes the image again', async () => {
  const made = await makeDelta({ base: at('base'), image: at('image'), out: at('delta') });
  assert.ok(!(made instanceof Refusal));
  const bytes = readFileSync(at('delta'));
  assert.deepEqual(made, { from: sha256(BASE), sha256: sha256(bytes), length: bytes.length });
  assert.ok(made.length < 2_000, `${made.length} bytes`);
  assert.equal(await apply(bytes), undefined);
  assert.deepEqual(readFileSync(at('out')), IMAGE);
});

test('it goes both ways with zstd --patch-from', async () => {
  const zstd = (...args: string[]): unknown =>
    execFileSync('zstd', ['-q', '-f', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  await makeDelta({ base: at('base'), image: at('image'), out: at('delta') });
  zstd('-d', '--patch-from=base', 'delta', '-o', 'theirs');
  assert.deepEqual(readFileSync(at('theirs')), IMAGE);
  zstd('-19', '--patch-from=base', 'image', '-o', 'their-delta');
  assert.equal(await apply(readFileSync(at('their-delta'))), undefined);
  assert.deepEqual(readFileSync(at('out')), IMAGE);
});

test('no delta is made that is no smaller than the image', async () => {
  writeFileSync(at('other'), randomBytes(1_000));
  const made = await makeDelta({ base: at('base'), image: at('other'), out: at('none') });
  assert.ok(made instanceof Refusal);
  assert.equal(existsSync(at('none')), false);
});

test('images beyond the limit get no delta, in neither direction', async () => {
  const large = at('large');
  writeFileSync(large, '');
  truncateSync(large, DELTA_IMAGE_BYTES_MAX + 1);
  for (const job of [
    { base: large, image: at('image') },
    { base: at('base'), image: large },
  ]) {
    const made = await makeDelta({ ...job, out: at('none') });
    assert.ok(made instanceof Refusal);
    assert.match(made.detail, /too large/u);
  }
  rmSync(at('out'), { force: true });
  const image = { ...EXPECTED, length: DELTA_IMAGE_BYTES_MAX + 1 };
  assertRefused(await apply(withDictionary(IMAGE), image), /too large/u);
  rmSync(large);
});

test('what makes another image, or more of it, is refused and leaves nothing', async () => {
  const delta = withDictionary(IMAGE);
  assert.equal(await apply(delta), undefined);
  const other = { ...EXPECTED, sha256: sha256(BASE) };
  assertRefused(await apply(delta, other), /another image/u);
  for (const length of [EXPECTED.length - 1, EXPECTED.length + 1]) {
    assertRefused(await apply(delta, { ...EXPECTED, length }), /The delta makes/u);
  }
  writeFileSync(at('wrong-base'), randomBytes(300_000));
  const job = { delta: at('tried'), out: at('out'), image: EXPECTED };
  assertRefused(await applyDelta({ base: at('wrong-base'), ...job }), /damaged|another/u);
});

test('a frame that lies about its length never writes more than the image has', async () => {
  const bomb = zstdCompressSync(Buffer.alloc(50_000_000), { pledgedSrcSize: 50_000_000 });
  // The header says what is expected; the blocks make fifty megabytes.
  const lying = Buffer.concat([frameStart(EXPECTED.length), bomb.subarray(headerLength(bomb))]);
  assertRefused(await apply(lying), /damaged/u);
  const two = Buffer.concat([withDictionary(IMAGE), withDictionary(IMAGE)]);
  assertRefused(await apply(two), /damaged/u);
});

test('a window larger than agreed is refused before anything is allocated', async () => {
  const wide = (log: number): Buffer =>
    Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x80, (log - 10) << 3]), lengthOf(IMAGE)]);
  assertRefused(await apply(wide(28)), /window of 268435456/u);
  assertRefused(await apply(wide(27)), /damaged/u);
});

test('a flipped or missing byte anywhere is refused, unless it makes the same image', async () => {
  const delta = withDictionary(IMAGE, { [constants.ZSTD_c_checksumFlag]: 1 });
  let sameCount = 0;
  for (let index = 0; index < delta.length; index += Math.ceil(delta.length / 40)) {
    const flipped = Buffer.from(delta);
    flipped[index] = (flipped[index] ?? 0) ^ 1;
    const refusal = await apply(flipped);
    if (refusal === undefined) {
      // A frame has bits that say nothing: they fill up the last byte of a table.
      assert.deepEqual(readFileSync(at('out')), IMAGE);
      rmSync(at('out'));
      sameCount += 1;
    } else {
      assertRefused(refusal, /./u);
    }
    assertRefused(await apply(delta.subarray(0, index)), /./u);
  }
  assert.ok(sameCount <= 4, `${sameCount} flips made the same image`);
});

test('the header of a frame that is no delta is refused', () => {
  const of = (...bytes: number[]) =>
    readFrameHeader(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, ...bytes));
  assert.deepEqual(of(0x20, 7), { window: 7, contentLength: 7 });
  assert.deepEqual(of(0x40, 0, 1, 0), { window: 1_024, contentLength: 257 });
  assert.deepEqual(of(0x40, 0x89, 1, 0), { window: 2 ** 27 * 1.125, contentLength: 257 });
  assert.deepEqual(of(0xe0, 0, 0, 0, 0, 1, 0, 0, 0), { window: 2 ** 32, contentLength: 2 ** 32 });
  for (const wrong of [of(0x00, 0), of(0x21, 1, 7), of(0x28, 7), of(0x60, 7), of(0xa0, 1, 2, 3)]) {
    assert.ok(wrong instanceof Refusal);
  }
});

test('random bytes are refused, and never throw', async () => {
  const beginning = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, isFrame) => {
      const start = isFrame ? Buffer.concat([beginning, lengthOf(IMAGE)]) : Buffer.alloc(0);
      assertRefused(await apply(Buffer.concat([start, bytes])), /./u);
    }),
    { numRuns: 60 },
  );
});

test('any two images make a delta that gives the second back', async () => {
  const size = { minLength: 1, maxLength: 3_000 } as const;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(size), fc.uint8Array(size), async (start, more) => {
      writeFileSync(at('p-base'), start);
      const image = Buffer.concat([start, more, start]);
      writeFileSync(at('p-image'), image);
      const job = { base: at('p-base'), image: at('p-image'), out: at('p-delta') };
      const made = await makeDelta(job);
      if (made instanceof Refusal) return assert.match(made.detail, /no smaller/u);
      const expected = { length: image.length, sha256: sha256(image) };
      const back = { base: at('p-base'), delta: at('p-delta'), out: at('p-out'), image: expected };
      assert.equal(await applyDelta(back), undefined);
      assert.deepEqual(readFileSync(at('p-out')), image);
    }),
    { numRuns: 30 },
  );
});

function lengthOf(content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(content.length);
  return bytes;
}

/** A header of one segment with a length of four bytes. */
function frameStart(length: number): Buffer {
  return Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]),
    lengthOf({ length } as Buffer),
  ]);
}

/** Bytes before the first block: as `pledgedSrcSize` is given, a window, or four of length. */
function headerLength(frame: Buffer): number {
  const isSingle = ((frame[4] ?? 0) & 0x20) !== 0;
  return (isSingle ? 5 : 6) + 2 ** ((frame[4] ?? 0) >> 6);
}
