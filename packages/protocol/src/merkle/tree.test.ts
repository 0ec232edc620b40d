import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { CompactRange } from './compact-range.ts';
import { ReferenceTree } from './reference.ts';
import { EMPTY_ROOT, leafHash, nodeHash } from './tree.ts';

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');

// The reference tree of Certificate Transparency (RFC 6962 test data): its entries, and its roots
// of sizes 0 to 8.
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Uint8Array.fromHex(hex));
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

test('gives the roots of the reference tree, and so does the recursive definition', () => {
  const reference = new ReferenceTree(sha256, ENTRIES);
  const range = new CompactRange(sha256);
  ROOTS.forEach((root, size) => {
    assert.equal(range.root().toHex(), root);
    assert.equal(reference.mth(0, size).toHex(), root);
    const entry = ENTRIES[size];
    if (entry !== undefined) range.append(leafHash(sha256, entry));
  });
  assert.equal(range.size, 8);
});

test('separates leaves from nodes by their first byte', () => {
  const left = leafHash(sha256, Uint8Array.of(1));
  const right = leafHash(sha256, Uint8Array.of(2));
  const both = Uint8Array.of(...left, ...right);
  assert.notDeepEqual(nodeHash(sha256, left, right), leafHash(sha256, both));
  assert.deepEqual(nodeHash(sha256, left, right), sha256(Uint8Array.of(1, ...both)));
  assert.deepEqual(leafHash(sha256, both), sha256(Uint8Array.of(0, ...both)));
  assert.deepEqual(EMPTY_ROOT, new Uint8Array(sha256(new Uint8Array())));
});
