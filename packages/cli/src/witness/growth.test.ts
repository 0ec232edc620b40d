import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { TileWriter, tilePath } from '@holdfast/protocol/merkle';
import type { TileName } from '@holdfast/protocol/merkle';
import * as fc from 'fast-check';
import { sha256 } from '../note-crypto.ts';
import { judgeGrowth } from './growth.ts';
import type { FetchTile } from './growth.ts';

/** A tree of numbers, with its root at each size, and the tiles that it serves. */
class Tree {
  readonly #writer = TileWriter.empty(sha256);
  readonly #tiles = new Map<string, Uint8Array>();
  readonly roots: Uint8Array[] = [this.#writer.root()];

  append(count: number, what = ''): this {
    for (let n = 0; n < count; n += 1) {
      this.#writer.append(hash('sha256', `${what}${this.#writer.size}`, 'buffer'));
      this.roots.push(this.#writer.root());
    }
    for (const { level, index, hashes } of this.#writer.takeChanged()) {
      this.#tiles.set(`${level}/${index}`, hashes.slice());
    }
    return this;
  }

  head(size = this.#writer.size) {
    return { size, root: this.roots[size] ?? assert.fail(`no root at ${size}`) };
  }

  readonly tile: FetchTile = ({ level, index, width }) =>
    Promise.resolve(this.#tiles.get(`${level}/${index}`)?.subarray(0, width * 32));
}

const SIZE = 700;
const tree = new Tree().append(SIZE);

test('every growth is consistent, and needs few tiles', async () => {
  const size = fc.integer({ min: 0, max: SIZE });
  await fc.assert(
    fc.asyncProperty(size, size, async (a, b) => {
      const fetched = new Set<string>();
      const tile = (name: TileName) => {
        assert.ok(!fetched.has(tilePath(name)), 'no tile is fetched twice');
        fetched.add(tilePath(name));
        return tree.tile(name);
      };
      const [before, now] = [Math.min(a, b), Math.max(a, b)];
      assert.equal(await judgeGrowth(tree.head(before), tree.head(now), tile), undefined);
      assert.ok(fetched.size <= 5);
    }),
  );
});

test('each way to lie has its name', async () => {
  const other = new Tree().append(300).append(SIZE - 300, 'x');
  const judge = async (before: number, now: ReturnType<Tree['head']>, tile = other.tile) =>
    (await judgeGrowth(tree.head(before), now, tile))?.name;
  assert.equal(await judge(SIZE, tree.head(SIZE - 1)), 'rolled-back');
  assert.equal(await judge(SIZE, other.head(SIZE)), 'split-view');
  assert.equal(await judge(301, other.head(SIZE)), 'split-view');
  assert.equal(await judge(300, other.head(SIZE)), undefined, 'up to there they are the same');
  assert.equal(await judge(301, tree.head(SIZE)), 'split-view', 'tiles of another tree');
  const none: FetchTile = () => Promise.resolve(undefined);
  assert.equal(await judge(301, tree.head(SIZE), none), 'no-proof');
  const short: FetchTile = async (name) => (await tree.tile(name))?.subarray(32);
  assert.equal(await judge(301, tree.head(SIZE), short), 'no-proof');
  const long: FetchTile = async (name) => {
    const tile = await tree.tile(name);
    return tile && Buffer.concat([tile, tile]);
  };
  assert.equal(await judge(301, tree.head(SIZE), long), 'no-proof');
});
