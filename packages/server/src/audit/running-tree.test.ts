import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompactRange, TILE_WIDTH_MAX, TileWriter } from '@holdfast/protocol/merkle';
import fc from 'fast-check';
import { sha256 } from './log-key.ts';
import { RunningTree, binarySha256 } from './running-tree.ts';

function leafOf(at: number): string {
  return binarySha256(Buffer.from(String(at)));
}

function bytesOf(binary: string): Uint8Array {
  return new Uint8Array(Buffer.from(binary, 'latin1'));
}

test('has the root of the range of RFC 9162 at any size, and after it is taken up there', () => {
  fc.assert(
    fc.property(fc.nat({ max: 700 }), fc.nat({ max: 300 }), (before, more) => {
      const range = new CompactRange(sha256);
      const tree = new RunningTree();
      for (let at = 0; at < before; at += 1) {
        range.append(bytesOf(leafOf(at)));
        tree.append(leafOf(at));
      }
      assert.deepEqual(bytesOf(tree.root()), new Uint8Array(range.root()));
      const restored = new RunningTree();
      restored.restore(before, range.hashes());
      for (let at = before; at < before + more; at += 1) {
        range.append(bytesOf(leafOf(at)));
        restored.append(leafOf(at));
      }
      assert.equal(restored.size, before + more);
      assert.deepEqual(bytesOf(restored.root()), new Uint8Array(range.root()));
    }),
    { numRuns: 40 },
  );
});

test('tells of the hashes of the tiles above the leaves as the writer of tiles has them', () => {
  const size = TILE_WIDTH_MAX ** 2 + 3;
  const writer = TileWriter.empty(sha256);
  const told: string[] = [];
  const tree = new RunningTree((level, index, hash) => {
    told.push(`${level} ${index} ${Buffer.from(hash, 'latin1').toString('hex')}`);
  });
  for (let at = 0; at < size; at += 1) {
    tree.append(leafOf(at));
    writer.append(bytesOf(leafOf(at)));
  }
  const wanted = writer
    .takeChanged()
    .filter(({ level }) => level > 0)
    .flatMap(({ level, index, width, hashes }) =>
      Array.from({ length: width }, (_, at) => {
        const hash = Buffer.from(hashes.subarray(at * 32, (at + 1) * 32)).toString('hex');
        return `${level} ${index * TILE_WIDTH_MAX + at} ${hash}`;
      }),
    );
  assert.equal(told.length, TILE_WIDTH_MAX + 1);
  assert.deepEqual(told.toSorted(), wanted.toSorted());
});
