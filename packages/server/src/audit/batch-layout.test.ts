import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Fault, systemRandom } from '../kernel/index.ts';
import { layoutBytesMax, layoutKeyRef, openLayout, sealLayout } from './batch-layout.ts';

const key = systemRandom(32);
const KEY_REF = 7;

function seal(keyRefs: readonly number[], owners: readonly number[], batchFirst = 5): Buffer {
  return sealLayout(
    { keyRefs, owners: Uint32Array.from(owners) },
    { batchFirst, keyRef: KEY_REF, key, random: systemRandom },
  );
}

function isRefused(stored: Uint8Array, batchFirst: number, count: number): boolean {
  try {
    openLayout(stored, { batchFirst, count, key });
    return false;
  } catch (error) {
    return error instanceof Fault && error.code === 'E_CRYPTO_OPEN';
  }
}

test('a layout comes back as it was sealed, for any number of keys', () => {
  const keyRefs = (size: number): number[] => Array.from({ length: size }, (_, at) => at * 3 + 1);
  const owners = fc.integer({ min: 1, max: 400 }).chain((segments) =>
    fc.record({
      segments: fc.constant(segments),
      owners: fc.array(fc.integer({ min: 0, max: segments - 1 }), { minLength: 1 }),
    }),
  );
  const check = (segments: number, of: readonly number[]): void => {
    const stored = seal(keyRefs(segments), of);
    assert.equal(layoutKeyRef(stored), KEY_REF);
    const layout = openLayout(stored, { batchFirst: 5, count: of.length, key });
    assert.deepEqual(layout.keyRefs, keyRefs(segments));
    assert.deepEqual(Array.from(layout.owners), of);
  };
  fc.assert(fc.property(owners, ({ segments, owners: of }) => check(segments, of)));
  check(70_000, [0, 255, 256, 65_535, 65_536, 69_999]);
  for (const segments of [1, 256, 257]) {
    const of = Array.from({ length: segments }, (_, at) => at);
    const bytes = seal(keyRefs(segments), of).length - 32;
    assert.ok(bytes <= layoutBytesMax(segments), `${bytes} bytes of ${segments}`);
  }
});

test('a layout opens at its batch alone, and for as many entries', () => {
  const stored = seal([3, 4], [0, 1, 0]);
  assert.equal(isRefused(stored, 5, 3), false);
  assert.equal(isRefused(stored, 6, 3), true);
  assert.equal(isRefused(stored, 5, 2), true);
  assert.equal(isRefused(stored, 5, 4), true);
  for (const length of [0, 3, 4, 31, stored.length - 1]) {
    assert.equal(isRefused(stored.subarray(0, length), 5, 3), true);
  }
  for (let at = 0; at < stored.length; at += 1) {
    const changed = Buffer.from(stored);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(isRefused(changed, 5, 3), true, `byte ${at}`);
  }
  assert.equal(layoutKeyRef(Buffer.of(1, 2, 3)), undefined);
});
