import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { SIZE_MAX } from './arithmetic.ts';
import { CompactRange } from './compact-range.ts';
import { ReferenceTree } from './reference.ts';
import { leafHash } from './tree.ts';

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
const entries = Array.from({ length: 700 }, (_, at) => new TextEncoder().encode(`entry ${at}`));
const leaves = entries.map((entry) => leafHash(sha256, entry));
const reference = new ReferenceTree(sha256, entries);
const hex = (bytes: Uint8Array): string => bytes.toHex();

test('has the root of the recursive definition at every size [RFC 9162 §2.1.1]', () => {
  const range = new CompactRange(sha256);
  for (let size = 0; size <= leaves.length; size += 1) {
    assert.equal(range.size, size);
    assert.equal(hex(range.root()), hex(reference.mth(0, size)));
    const leaf = leaves[size];
    if (leaf !== undefined) range.append(leaf);
  }
});

test('reports every completed subtree once, with its hash', () => {
  const range = new CompactRange(sha256);
  const reported: string[] = [];
  for (const leaf of leaves) {
    range.append(leaf, (level, index, hash) => {
      reported.push(`${level} ${index} ${hex(hash)}`);
    });
  }
  const expected: string[] = [];
  for (let level = 0; 2 ** level <= leaves.length; level += 1) {
    for (let index = 0; (index + 1) * 2 ** level <= leaves.length; index += 1) {
      const hash = reference.mth(index * 2 ** level, (index + 1) * 2 ** level);
      expected.push(`${level} ${index} ${hex(hash)}`);
    }
  }
  assert.deepEqual(reported.sort(), expected.sort());
});

test('continues from its own hashes at every size', () => {
  const range = new CompactRange(sha256);
  for (const [size, leaf] of leaves.entries()) {
    const restored = CompactRange.fromHashes(sha256, size, range.hashes());
    range.append(leaf);
    restored.append(leaf);
    assert.equal(hex(restored.root()), hex(range.root()));
    assert.deepEqual(restored.hashes().map(hex), range.hashes().map(hex));
  }
});

test('keeps no reference to a leaf hash, and gives none to its state', () => {
  const range = new CompactRange(sha256);
  const leaf = sha256(Uint8Array.of(1)).slice();
  range.append(leaf);
  const root = hex(range.root());
  leaf.fill(0);
  range.root().fill(0);
  range.hashes()[0]?.fill(0);
  assert.equal(hex(range.root()), root);
  new CompactRange(sha256).root().fill(0);
  assert.equal(hex(new CompactRange(sha256).root()), hex(reference.mth(0, 0)));
});

test('refuses hashes that do not fit the size, and other sizes', () => {
  const leaf = sha256(new Uint8Array());
  assert.throws(() => CompactRange.fromHashes(sha256, 3, [leaf]), RangeError);
  assert.doesNotThrow(() => CompactRange.fromHashes(sha256, 3, [leaf, leaf]));
  assert.throws(() => CompactRange.fromHashes(sha256, 3, [leaf, leaf, leaf]), RangeError);
  assert.throws(() => CompactRange.fromHashes(sha256, 1, [leaf.subarray(1)]), RangeError);
  for (const size of [-1, 0.5, Number.NaN, SIZE_MAX + 1, Number.POSITIVE_INFINITY]) {
    assert.throws(() => CompactRange.fromHashes(sha256, size, []), RangeError);
  }
});

test('refuses leaf hashes of 31 and 33 bytes', () => {
  const range = new CompactRange(sha256);
  assert.throws(() => range.append(new Uint8Array(31)), RangeError);
  assert.throws(() => range.append(new Uint8Array(33)), RangeError);
  assert.equal(range.size, 0);
});

test('fills up to 2^53 - 1 leaves, which need 53 hashes', () => {
  const leaf = sha256(new Uint8Array());
  const range = CompactRange.fromHashes(sha256, SIZE_MAX - 1, Array(52).fill(leaf));
  range.append(leaf);
  assert.equal(range.size, SIZE_MAX);
  assert.equal(range.hashes().length, 53);
  assert.throws(() => range.append(leaf), /full/);
});
