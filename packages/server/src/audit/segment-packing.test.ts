import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { type Entry, encodeEntry } from '@holdfast/protocol';
import fc from 'fast-check';
import { seal } from '../crypto/index.ts';
import { systemRandom } from '../kernel/index.ts';
import { COMPRESSED_BYTES_MAX, COMPRESSED_BYTES_MIN } from './limits.ts';
import { packSegment, unpackSegment } from './segment-packing.ts';
import { layOutSegment, openSegment, sealSegment, splitSegments } from './segment.ts';

const key = systemRandom(32);
const place = { batchFirst: 7, keyRef: 3 };
const context = { key, aad: Buffer.from('holdfast/segment/v2/7/3'), random: systemRandom };
const codeIsOpen = { code: 'E_CRYPTO_OPEN' };

function pendingOf(body: Uint8Array, counterMax: number) {
  const entry: Entry = { kind: 'message', atMs: 1, principal: 'd', topic: 't', kid: '', body };
  return { keyRef: 3, counterMax, record: encodeEntry(entry) };
}

/** A segment of these bodies at every second position, sealed. */
function sealed(bodies: readonly Uint8Array[]) {
  const batch = bodies.flatMap((body, at) => [pendingOf(body, at), pendingOf(body, at)]);
  const positions = bodies.map((_, at) => 2 * at);
  const laidOut = layOutSegment(batch, positions, systemRandom);
  const stored = sealSegment(laidOut.packed, { place, key, random: systemRandom });
  return { ...laidOut, positions, stored: Buffer.concat(stored) };
}

test('a segment comes back as it was hashed, compressed or not', () => {
  const bodies = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat().map((n) => Buffer.from(`{"ctr": ${n}, "humidity": ${n / 7}, "ts": 1790000000000}`)),
    ),
    { minLength: 1, maxLength: 40, size: 'max' },
  );
  let compressedCount = 0;
  fc.assert(
    fc.property(bodies, (some) => {
      const { packed, leaves, positions, stored } = sealed(some);
      const [segment, ...others] = splitSegments(stored) ?? [];
      assert.ok(segment !== undefined && others.length === 0);
      const opened = openSegment(segment.sealed, { place, key });
      assert.deepEqual(
        opened.entries.map(({ position, leafPreimage }) => [
          position,
          leafPreimage.toString('hex'),
        ]),
        leaves.map((leaf, at) => [positions[at], leaf.toString('hex')]),
      );
      assert.equal(opened.counterMax, some.length - 1);
      const salts = leaves.map((leaf) => leaf.toString('hex', 1, 17));
      assert.equal(new Set(salts).size, salts.length, 'no salt twice');
      assert.ok(!salts.includes('0'.repeat(32)));
      compressedCount += packed[0] ?? 0;
    }),
  );
  assert.ok(compressedCount > 0, 'some were compressed');
});

test('readings take a third of their size from ten on, and are left alone below', () => {
  const reading = (at: number): Buffer =>
    Buffer.from(`{"ctr": ${at}, "flow": ${20 + (at % 7)}, "ts": ${1_790_000_000_000 + 997 * at}}`);
  const lay = (count: number): Uint8Array =>
    sealed(Array.from({ length: count }, (_, at) => reading(at))).packed;
  assert.equal(lay(10)[0], 0);
  const [one, many] = [lay(1), lay(100)];
  assert.equal(many[0], 1);
  assert.ok(many.length < (one.length * 100) / 3, `${many.length} of ${one.length * 100}`);
});

test('what cannot be compressed, or is too small or large for it, is stored as it is', () => {
  const formOf = (plaintext: Buffer): number | undefined => {
    const memory = Buffer.concat([Buffer.alloc(1), plaintext]);
    return packSegment({ memory, leaves: [] }, systemRandom)[0];
  };
  assert.equal(formOf(Buffer.alloc(COMPRESSED_BYTES_MIN - 1)), 0);
  assert.equal(formOf(Buffer.alloc(COMPRESSED_BYTES_MIN)), 1);
  assert.equal(formOf(Buffer.alloc(COMPRESSED_BYTES_MAX)), 1);
  assert.equal(formOf(Buffer.alloc(COMPRESSED_BYTES_MAX + 1)), 0);
  assert.equal(formOf(Buffer.from(systemRandom(COMPRESSED_BYTES_MIN))), 0);
});

test('what declares another length than it has, or too much, does not open', () => {
  const declare = (length: number, content: Uint8Array): Buffer => {
    const header = Buffer.alloc(37);
    header[0] = 1;
    header.writeUInt32BE(length, 33);
    return Buffer.concat([header, content]);
  };
  const small = zstdCompressSync(Buffer.alloc(4_000));
  assert.equal(unpackSegment(declare(4_000, small)).plaintext.length, 4_000);
  // A bomb: 65 MiB of zeros in some kB.
  const bomb = zstdCompressSync(Buffer.alloc(COMPRESSED_BYTES_MAX + 1));
  const wrong = [
    declare(3_999, small),
    declare(4_001, small),
    declare(0, small),
    declare(COMPRESSED_BYTES_MAX + 1, bomb),
    declare(100, bomb),
    declare(4_000, Buffer.from('no zstd')),
    declare(4_000, small).subarray(0, 36),
    Buffer.from([2, 0, 0]),
    Buffer.alloc(0),
  ];
  for (const packed of wrong) {
    assert.throws(() => unpackSegment(packed), codeIsOpen);
    assert.throws(() => openSegment(seal(packed, context), { place, key }), codeIsOpen);
  }
});
