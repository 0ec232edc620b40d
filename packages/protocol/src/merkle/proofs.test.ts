import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SIZE_MAX } from './arithmetic.ts';
import { hashReader, rootAt } from './hash-reader.ts';
import type { ReadHash } from './hash-reader.ts';
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from './proofs.ts';
import type { ConsistencyClaim, InclusionClaim } from './proofs.ts';
import { ReferenceTree } from './reference.ts';
import { TileWriter } from './tile-writer.ts';
import { leafHash, nodeHash } from './tree.ts';

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
const SIZE = 70_000;
const entries = Array.from({ length: SIZE }, (_, at) => new TextEncoder().encode(`entry ${at}`));
const leaves = entries.map((entry) => leafHash(sha256, entry));
const reference = new ReferenceTree(sha256, entries);
const writer = TileWriter.empty(sha256);
for (const leaf of leaves) writer.append(leaf);
const tiles = new Map(
  writer.takeChanged().map(({ level, index, hashes }) => [`${level}/${index}`, hashes]),
);
const readHash = hashReader(sha256, (level, index) => tiles.get(`${level}/${index}`));
const hex = (bytes: Uint8Array): string => bytes.toHex();

// Every pair of sizes asks for the same few subtrees again.
const remembered = new Map<string, Uint8Array>();
const readHashOnce: ReadHash = (level, index) => {
  const key = `${level} ${index}`;
  const known = remembered.get(key) ?? readHash(level, index);
  remembered.set(key, known);
  return known;
};

const inclusionClaim = (index: number, size: number): InclusionClaim => ({
  index,
  size,
  leafHash: leaves[index] ?? new Uint8Array(),
  proof: inclusionProof(sha256, readHashOnce, { index, size }),
  root: reference.mth(0, size),
});

const consistencyClaim = (size1: number, size2: number): ConsistencyClaim => ({
  size1,
  size2,
  root1: reference.mth(0, size1),
  root2: reference.mth(0, size2),
  proof: consistencyProof(sha256, readHashOnce, { size1, size2 }),
});

test('inclusion proofs of all sizes to 300 are PATH and verify [RFC 9162 §2.1.3]', () => {
  for (let size = 1; size <= 300; size += 1) {
    for (let index = 0; index < size; index += 1) {
      const claim = inclusionClaim(index, size);
      assert.deepEqual(claim.proof.map(hex), reference.path(index, 0, size).map(hex));
      assert.ok(verifyInclusion(sha256, claim), `${index} of ${size}`);
    }
  }
});

test('consistency proofs of all sizes to 300 are PROOF and verify [RFC 9162 §2.1.4]', () => {
  for (let size2 = 0; size2 <= 300; size2 += 1) {
    for (let size1 = 0; size1 <= size2; size1 += 1) {
      const claim = consistencyClaim(size1, size2);
      const expected = size1 === 0 ? [] : reference.proof(size1, size2);
      assert.deepEqual(claim.proof.map(hex), expected.map(hex));
      assert.ok(verifyConsistency(sha256, claim), `${size1} to ${size2}`);
    }
  }
});

test('proofs of sizes above 2^16 are those of the definitions, and verify', () => {
  const size = fc.integer({ min: 65_537, max: SIZE });
  fc.assert(
    fc.property(size, fc.nat(), (size, seed) => {
      const index = seed % size;
      const claim = inclusionClaim(index, size);
      assert.deepEqual(claim.proof.map(hex), reference.path(index, 0, size).map(hex));
      assert.ok(verifyInclusion(sha256, claim));
      const growth = consistencyClaim(index + 1, size);
      assert.deepEqual(growth.proof.map(hex), reference.proof(index + 1, size).map(hex));
      assert.ok(verifyConsistency(sha256, growth));
      assert.deepEqual(rootAt(sha256, readHash, size), claim.root);
    }),
  );
});

/** Each proof that differs from `proof` in one bit, one hash more or less, an order or a length. */
function* mutations(proof: readonly Uint8Array[]): Generator<Uint8Array[]> {
  for (const [at, hash] of proof.entries()) {
    for (let bit = 0; bit < 256; bit += 1) {
      const flipped = Uint8Array.from(hash);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      yield proof.with(at, flipped);
    }
    yield proof.with(at, hash.subarray(0, 31));
    yield proof.with(at, Uint8Array.of(...hash, 0));
    yield proof.with(at, new Uint8Array());
    yield proof.toSpliced(at, 1);
    yield proof.toSpliced(at, 0, hash);
    const next = proof[at + 1];
    if (next !== undefined) yield proof.with(at, next).with(at + 1, hash);
  }
  yield [...proof, proof.at(-1) ?? new Uint8Array(32)];
  yield [...proof, ...Array.from({ length: 10_000 }, () => new Uint8Array(32))];
  if (proof.length > 0) yield [];
}

test('refuses every mutation of an inclusion proof, of its leaf and of its root', () => {
  const samples = [
    [0, 1],
    [0, 2],
    [1, 3],
    [5, 8],
    [6, 7],
    [254, 300],
    [299, 300],
  ] as const;
  for (const [index, size] of samples) {
    const claim = inclusionClaim(index, size);
    for (const proof of mutations(claim.proof)) {
      assert.equal(verifyInclusion(sha256, { ...claim, proof }), false);
    }
    for (const [changed = new Uint8Array()] of mutations([claim.root])) {
      assert.equal(verifyInclusion(sha256, { ...claim, root: changed }), changed === claim.root);
    }
    for (const [changed = new Uint8Array()] of mutations([claim.leafHash])) {
      const verdict = verifyInclusion(sha256, { ...claim, leafHash: changed });
      assert.equal(verdict, changed === claim.leafHash);
    }
  }
});

test('refuses every mutation of a consistency proof and of its roots', () => {
  const samples = [
    [1, 2],
    [3, 7],
    [4, 7],
    [4, 8],
    [6, 8],
    [255, 300],
    [256, 300],
  ] as const;
  for (const [size1, size2] of samples) {
    const claim = consistencyClaim(size1, size2);
    for (const proof of mutations(claim.proof)) {
      assert.equal(verifyConsistency(sha256, { ...claim, proof }), false);
    }
    for (const key of ['root1', 'root2'] as const) {
      for (const [changed = new Uint8Array()] of mutations([claim[key]])) {
        const verdict = verifyConsistency(sha256, { ...claim, [key]: changed });
        assert.equal(verdict, changed === claim[key]);
      }
    }
  }
});

test('refuses another index, another leaf, and another size with its root', () => {
  for (let size = 1; size <= 40; size += 1) {
    for (let index = 0; index < size; index += 1) {
      const claim = inclusionClaim(index, size);
      for (let other = 0; other <= 41; other += 1) {
        if (other !== index) {
          assert.equal(verifyInclusion(sha256, { ...claim, index: other }), false);
          const leaf = leaves[other] ?? new Uint8Array();
          assert.equal(verifyInclusion(sha256, { ...claim, leafHash: leaf }), false);
        }
        if (other !== size) {
          const root = reference.mth(0, other);
          assert.equal(verifyInclusion(sha256, { ...claim, size: other, root }), false);
        }
      }
    }
  }
});

test('refuses other sizes with their roots for a consistency proof', () => {
  for (let size2 = 2; size2 <= 33; size2 += 1) {
    for (let size1 = 1; size1 < size2; size1 += 1) {
      const claim = consistencyClaim(size1, size2);
      for (let other = 0; other <= 34; other += 1) {
        const root = reference.mth(0, other);
        const first = { ...claim, size1: other, root1: root };
        assert.equal(verifyConsistency(sha256, first), other === size1);
        const second = { ...claim, size2: other, root2: root };
        assert.equal(verifyConsistency(sha256, second), other === size2);
        assert.equal(verifyConsistency(sha256, { ...claim, root1: root }), other === size1);
        assert.equal(verifyConsistency(sha256, { ...claim, root2: root }), other === size2);
      }
    }
  }
});

test('refuses proofs that are too long or too short for roots made to fit them', () => {
  const extra = sha256(Uint8Array.of(9));
  const above = (hash: Uint8Array): Uint8Array => nodeHash(sha256, extra, hash);
  for (const [index, size] of [
    [0, 1],
    [0, 2],
    [2, 3],
    [5, 8],
  ] as const) {
    const claim = inclusionClaim(index, size);
    const longer = { ...claim, proof: [...claim.proof, extra], root: above(claim.root) };
    assert.equal(verifyInclusion(sha256, longer), false);
    assert.equal(verifyInclusion(sha256, { ...claim, size: 2 * size + 1 }), false);
  }
  for (const [size1, size2] of [
    [1, 2],
    [2, 4],
    [3, 4],
    [5, 8],
  ] as const) {
    const claim = consistencyClaim(size1, size2);
    const proof = [...claim.proof, extra];
    const roots = { root1: above(claim.root1), root2: above(claim.root2) };
    assert.equal(verifyConsistency(sha256, { ...claim, ...roots, proof }), false);
    assert.equal(verifyConsistency(sha256, { ...claim, size2: 2 * size2 }), false);
  }
});

test('holds equal sizes to equal roots, and the empty tree to its root', () => {
  const [empty, three, four] = [0, 3, 4].map((size) => reference.mth(0, size));
  assert.ok(empty !== undefined && three !== undefined && four !== undefined);
  const check = (claim: ConsistencyClaim): boolean => verifyConsistency(sha256, claim);
  assert.ok(check({ size1: 3, root1: three, size2: 3, root2: three, proof: [] }));
  assert.ok(!check({ size1: 3, root1: three, size2: 3, root2: four, proof: [] }));
  assert.ok(!check({ size1: 3, root1: three, size2: 3, root2: three, proof: [three] }));
  assert.ok(check({ size1: 0, root1: empty, size2: 4, root2: four, proof: [] }));
  assert.ok(!check({ size1: 0, root1: three, size2: 4, root2: four, proof: [] }));
  assert.ok(!check({ size1: 0, root1: empty, size2: 4, root2: four, proof: [four] }));
  assert.ok(!check({ size1: 4, root1: four, size2: 3, root2: three, proof: [] }));
  assert.ok(!check({ size1: 3, root1: three, size2: 4, root2: four, proof: [] }));
  assert.ok(!check({ size1: 4, root1: four, size2: 5, root2: four, proof: [] }));
});

test('verifiers never throw, whatever the claim', () => {
  const size = fc.oneof(fc.nat({ max: 40 }), fc.maxSafeNat(), fc.double());
  const bytes = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array());
  const proof = fc.array(bytes, { maxLength: 60 });
  fc.assert(
    fc.property(size, size, bytes, bytes, proof, (a, b, hash1, hash2, proof) => {
      const inclusion = { index: a, size: b, leafHash: hash1, root: hash2, proof };
      assert.equal(verifyInclusion(sha256, inclusion), false);
      const consistency = { size1: a, root1: hash1, size2: b, root2: hash2, proof };
      assert.equal(verifyConsistency(sha256, consistency), false);
      const { proof: real } = inclusionClaim(5, 40);
      const near = { ...inclusionClaim(5, 40), index: a, size: b, proof: [...real, ...proof] };
      assert.equal(typeof verifyInclusion(sha256, near), 'boolean');
    }),
    { numRuns: 2_000 },
  );
});

test('proofs are made only for leaves and sizes that can be', () => {
  const numbers = [-1, 0.5, Number.NaN, SIZE_MAX + 1, Number.POSITIVE_INFINITY];
  for (const bad of numbers) {
    assert.throws(() => inclusionProof(sha256, readHash, { index: bad, size: 9 }), RangeError);
    assert.throws(() => inclusionProof(sha256, readHash, { index: 0, size: bad }), RangeError);
    assert.throws(() => consistencyProof(sha256, readHash, { size1: bad, size2: 9 }), RangeError);
    assert.throws(() => consistencyProof(sha256, readHash, { size1: 1, size2: bad }), RangeError);
  }
  assert.throws(() => inclusionProof(sha256, readHash, { index: 9, size: 9 }), RangeError);
  assert.throws(() => consistencyProof(sha256, readHash, { size1: 10, size2: 9 }), RangeError);
});

// Goal: indexes beyond 32 bits. Method: a tree whose leaves are all alike but one, so that any
// subtree's hash can be computed; bits of the index are taken by BigInt, not by our arithmetic.
const alike = [leafHash(sha256, new Uint8Array())];
for (let level = 0; level < 53; level += 1) {
  const below = alike[level] ?? new Uint8Array();
  alike.push(nodeHash(sha256, below, below));
}

const lone = leafHash(sha256, Uint8Array.of(1));

function loneLeafTree(loneIndex: number): ReadHash {
  const bits = BigInt(loneIndex);
  return (level, index) => {
    const alikeAt = (at: number): Uint8Array => alike[at] ?? new Uint8Array();
    if (bits >> BigInt(level) !== BigInt(index)) return alikeAt(level);
    let hash = lone;
    for (let at = 0; at < level; at += 1) {
      const isRight = (bits >> BigInt(at)) % 2n === 1n;
      hash = isRight ? nodeHash(sha256, alikeAt(at), hash) : nodeHash(sha256, hash, alikeAt(at));
    }
    return hash;
  };
}

const hugeSize = fc.oneof(
  fc.integer({ min: 2 ** 31, max: SIZE_MAX }),
  fc.constantFrom(2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 52 + 1, SIZE_MAX),
);

test('inclusion proofs of huge trees verify for their index only', () => {
  fc.assert(
    fc.property(hugeSize, fc.maxSafeNat(), (size, seed) => {
      const index = seed % size;
      const read = loneLeafTree(index);
      const root = rootAt(sha256, read, size);
      const proof = inclusionProof(sha256, read, { index, size });
      assert.ok(proof.length <= 53);
      assert.ok(verifyInclusion(sha256, { index, size, leafHash: lone, proof, root }));
      for (const away of [-(2 ** 32), -(2 ** 31), -1, 1, 2 ** 31, 2 ** 32]) {
        const claim = { index: index + away, size, leafHash: lone, proof, root };
        assert.equal(verifyInclusion(sha256, claim), false);
      }
    }),
  );
});

test('consistency proofs of huge trees verify', () => {
  fc.assert(
    fc.property(hugeSize, hugeSize, fc.maxSafeNat(), (a, b, seed) => {
      const [size1, size2] = [Math.min(a, b), Math.max(a, b)];
      const read = loneLeafTree(seed % size1);
      const proof = consistencyProof(sha256, read, { size1, size2 });
      assert.ok(proof.length <= 54);
      const root1 = rootAt(sha256, read, size1);
      const root2 = rootAt(sha256, read, size2);
      assert.ok(verifyConsistency(sha256, { size1, root1, size2, root2, proof }));
      const forged = rootAt(sha256, loneLeafTree(seed % size1 === 0 ? 1 : 0), size1);
      const claim = { size1, root1: forged, size2, root2, proof };
      assert.equal(verifyConsistency(sha256, claim), false);
    }),
  );
});

test('one path can fit two sizes, so a size must come with its root', () => {
  const claim = inclusionClaim(0, 3);
  assert.ok(verifyInclusion(sha256, { ...claim, size: 4 }));
  assert.ok(!verifyInclusion(sha256, { ...claim, size: 4, root: reference.mth(0, 4) }));
});
