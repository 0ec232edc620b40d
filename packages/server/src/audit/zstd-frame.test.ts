import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { systemRandom } from '../kernel/index.ts';
import { contentBytesOf } from './zstd-frame.ts';

test('a frame of ours tells how many bytes it has, of any size', () => {
  const sizes = [1, 255, 256, 257, 65_535, 65_536, 65_791, 65_792, 128 * 1_024 + 1, 1_000_000];
  for (const size of sizes) {
    for (const content of [Buffer.alloc(size, 'abc'), Buffer.from(systemRandom(size))]) {
      assert.equal(contentBytesOf(zstdCompressSync(content)), size);
    }
  }
});

test('what is cut off, longer, another frame or none tells nothing', () => {
  const frame = zstdCompressSync(Buffer.from('to be or not to be, '.repeat(50)));
  for (let length = 0; length < frame.length; length += 1) {
    assert.equal(contentBytesOf(frame.subarray(0, length)), undefined);
  }
  assert.equal(contentBytesOf(Buffer.concat([frame, Buffer.alloc(1)])), undefined);
  assert.equal(contentBytesOf(Buffer.concat([frame, frame])), undefined);
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0]);
  assert.equal(contentBytesOf(skippable), undefined);
  const changed = (at: number, bits: number): Buffer => {
    const copy = Buffer.from(frame);
    copy[at] = (copy[at] ?? 0) ^ bits;
    return copy;
  };
  for (const bits of [1, 2, 4, 8, 16]) {
    assert.equal(contentBytesOf(changed(4, bits)), undefined, `descriptor bit ${bits}`);
  }
  const blockAt = 7;
  assert.equal(contentBytesOf(changed(blockAt, 1)), undefined, 'no last block');
  assert.equal(contentBytesOf(changed(blockAt, 0b010)), undefined, 'a reserved kind of block');
});

test('no bytes make it throw', () => {
  const bytes = fc.uint8Array({ maxLength: 40 });
  const behind = fc.boolean();
  fc.assert(
    fc.property(bytes, behind, (some, isBehindMagic) => {
      const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
      const told = contentBytesOf(Buffer.concat(isBehindMagic ? [magic, some] : [some]));
      assert.ok(told === undefined || told >= 0);
    }),
    { numRuns: 1_000 },
  );
});
