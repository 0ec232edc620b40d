import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { encodeEntry } from '@holdfast/protocol';
import fc from 'fast-check';
import { seal } from '../crypto/index.ts';
import { systemRandom } from '../kernel/index.ts';
import { COMPRESSED_BYTES_MIN, SEGMENTS_TOGETHER_MAX, TOGETHER_BYTES_MAX } from './limits.ts';
import { decompressTogether } from './segment-packing.ts';
import {
  type SealedSegment,
  layOutSegment,
  openPlaintext,
  openSegments,
  sealSegment,
  splitSegments,
} from './segment.ts';

const BATCH_FIRST = 10;
const key = systemRandom(32);

/** What `openSegments` gives of each segment, texts instead of bytes and errors. */
function openAll(
  segments: readonly SealedSegment[],
  keyOf: (keyRef: number) => Uint8Array | undefined = () => key,
): string[] {
  return [...openSegments(BATCH_FIRST, segments, keyOf)].map(({ keyRef, opened }, at) => {
    assert.equal(keyRef, segments[at]?.keyRef);
    if (opened instanceof Error) return 'error';
    return Buffer.isBuffer(opened) ? opened.toString('hex') : opened;
  });
}

/** The same, by opening each for itself. */
function openEach(segments: readonly SealedSegment[]): string[] {
  return segments.map(({ keyRef, sealed }) => {
    try {
      const place = { batchFirst: BATCH_FIRST, keyRef };
      return openPlaintext(sealed, { place, key }).toString('hex');
    } catch {
      return 'error';
    }
  });
}

/** A segment as it is written, of entries with bodies of 100 bytes. */
function written(keyRef: number, entries: number): SealedSegment {
  const batch = Array.from({ length: entries }, (_, position) => {
    const text = { principal: 'pump', topic: `d/pump/${position}`, kid: '1.1' };
    const body = Buffer.alloc(100, `${keyRef} `);
    const record = encodeEntry({ kind: 'message', atMs: position, ...text, body });
    return { keyRef, counterMax: position, record };
  });
  const { packed } = layOutSegment(batch, [...batch.keys()], systemRandom);
  return sealedOf(keyRef, packed);
}

/** A segment of which anything was sealed. */
function sealedOf(keyRef: number, packed: Uint8Array): SealedSegment {
  const place = { batchFirst: BATCH_FIRST, keyRef };
  const stored = sealSegment(packed, { place, key, random: systemRandom });
  const [segment] = splitSegments(Buffer.concat(stored)) ?? [];
  assert.ok(segment !== undefined);
  return segment;
}

/** What `packSegment` would make of a frame and the length of its content. */
function packedOf(length: number, frame: Uint8Array): Buffer {
  const header = Buffer.alloc(37);
  header[0] = 1;
  header.writeUInt32BE(length, 33);
  return Buffer.concat([header, frame]);
}

/** The plaintext of a segment with one entry, and its frame. */
function content(bytes: number): { plaintext: Buffer; frame: Buffer } {
  const plaintext = Buffer.alloc(bytes);
  plaintext.writeUInt32BE(bytes - 16, 12);
  return { plaintext, frame: zstdCompressSync(plaintext) };
}

test('segments open together as each for itself, small and large, compressed or not', () => {
  const entries = fc.oneof(fc.constantFrom(1, 2, 20, 300), fc.nat({ max: 40 }));
  const batch = fc.array(entries, { maxLength: 3 * SEGMENTS_TOGETHER_MAX, size: 'max' });
  fc.assert(
    fc.property(batch, (counts) => {
      const segments = counts.map((count, keyRef) => written(keyRef, count + 1));
      const opened = openAll(segments);
      assert.deepEqual(opened, openEach(segments));
      assert.ok(!opened.includes('error'));
    }),
    { numRuns: 10 },
  );
});

test('each segment that is gone or damaged is told, and takes no other with it', () => {
  const segments = Array.from({ length: 70 }, (_, keyRef) => written(keyRef, 30));
  const whole = openAll(segments);
  const [damaged, expired, erased, unknown] = [3, 5, 7, 9];
  const changed = segments.map((segment) => {
    if (segment.keyRef === expired) return { ...segment, sealed: new Uint8Array(0) };
    const sealed = Buffer.from(segment.sealed);
    if (segment.keyRef === damaged) sealed[40] = (sealed[40] ?? 0) ^ 1;
    return { ...segment, sealed };
  });
  const opened = openAll(changed, (keyRef) => {
    if (keyRef === unknown) throw new Error('no such key');
    return keyRef === erased ? undefined : key;
  });
  const expected = whole.map((text, keyRef) => {
    if (keyRef === damaged || keyRef === unknown) return 'error';
    if (keyRef === expired) return 'expired';
    return keyRef === erased ? 'erased' : text;
  });
  assert.deepEqual(opened, expected);
  const moved = [segments[0], segments[1]].flatMap((one) => one ?? []);
  assert.deepEqual([...openSegments(BATCH_FIRST + 1, moved, () => key)].map(isError), [true, true]);
});

function isError({ opened }: { opened: unknown }): boolean {
  return opened instanceof Error;
}

test('no segment opens with bytes of its neighbor, however both declare what they have', () => {
  const { plaintext, frame } = content(4_000);
  const whole = zstdCompressSync(systemRandom(4_000));
  const declaring = (bytes: number): Buffer => {
    const copy = Buffer.from(frame);
    // The size of the content without the 256 that a field of two bytes leaves out.
    copy.writeUInt16LE(bytes - 256, 5);
    return copy;
  };
  const cut = whole.subarray(0, -100);
  const rest = Buffer.concat([whole.subarray(-100), frame]);
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0]);
  const pairs: [Buffer, Buffer][] = [
    [packedOf(4_001, frame), packedOf(3_999, frame)],
    [packedOf(4_001, declaring(4_001)), packedOf(3_999, declaring(3_999))],
    [packedOf(4_000, cut), packedOf(4_000, rest)],
    [packedOf(8_000, Buffer.concat([frame, frame])), packedOf(4_000, frame)],
    [packedOf(4_000, Buffer.concat([frame, skippable])), packedOf(4_000, frame)],
    [packedOf(4_000, Buffer.concat([frame, Buffer.from('junk')])), packedOf(4_000, frame)],
    [packedOf(4_000, Buffer.from('no zstd')), packedOf(4_000, frame)],
  ];
  const good = sealedOf(8, packedOf(4_000, frame));
  for (const [first, second] of pairs) {
    const segments = [sealedOf(1, first), sealedOf(2, second), good, good];
    const opened = openAll(segments);
    assert.deepEqual(opened, openEach(segments));
    assert.equal(opened[2]?.length, 2 * plaintext.length);
  }
  // The first three are refused in both places.
  for (const [first, second] of pairs.slice(0, 3)) {
    assert.deepEqual(openAll([sealedOf(1, first), sealedOf(2, second)]), ['error', 'error']);
  }
});

test('a frame that would swallow the next one, with one too many behind, does not open', () => {
  const { frame } = content(4_000);
  // A header for 4,000 bytes, and one block of them as they are, of which the last are missing.
  const header = Buffer.concat([frame.subarray(0, 7), Buffer.alloc(3)]);
  header.writeUIntLE((4_000 << 3) | 1, 7, 3);
  const hungry = Buffer.concat([header, Buffer.alloc(4_000 - frame.length)]);
  const twice = Buffer.concat([frame, frame]);
  const segments = [hungry, frame, twice].map((one, at) => sealedOf(at, packedOf(4_000, one)));
  const opened = openAll(segments);
  assert.deepEqual(opened, openEach(segments));
  assert.deepEqual([opened[0], opened[2]], ['error', 'error']);
});

test('small ones are decompressed together, large ones not, and neither a single one', () => {
  const packed = (bytes: number): Buffer => packedOf(bytes, content(bytes).frame);
  const small = [packed(COMPRESSED_BYTES_MIN), packed(TOGETHER_BYTES_MAX)];
  const large = [packed(TOGETHER_BYTES_MAX + 1), packed(1_000_000)];
  assert.deepEqual([...decompressTogether([...small, ...large]).keys()], small);
  assert.equal(decompressTogether(small.slice(1)).size, 0);
});

test('what was sealed without a form does not open', () => {
  const place = { batchFirst: BATCH_FIRST, keyRef: 1 };
  const aad = Buffer.from(`holdfast/segment/v2/${place.batchFirst}/${place.keyRef}`);
  for (const packed of [Buffer.alloc(0), Buffer.from([2, 0, 0]), Buffer.from([1])]) {
    const sealed = seal(packed, { key, aad, random: systemRandom });
    assert.deepEqual(openAll([{ keyRef: 1, sealed, stored: sealed }]), ['error']);
  }
});
