import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { SIZE_MAX } from './arithmetic.ts';
import { hashReader, rootAt } from './hash-reader.ts';
import { ReferenceTree } from './reference.ts';
import { TileWriter } from './tile-writer.ts';
import { tileHashCount } from './tile.ts';
import type { Tile } from './tile.ts';
import { leafHash, nodeHash } from './tree.ts';

const sha256 = (data: Uint8Array): Uint8Array => hash('sha256', data, 'buffer');
const entries = Array.from({ length: 70_000 }, (_, at) => new TextEncoder().encode(`entry ${at}`));
const leaves = entries.map((entry) => leafHash(sha256, entry));
const reference = new ReferenceTree(sha256, entries);
const hex = (bytes: Uint8Array): string => bytes.toHex();

/** A tile store, as the table `tile(level, idx, width, hashes)`. */
class Store {
  readonly tiles = new Map<string, Tile>();
  readonly read = (level: number, index: number): Uint8Array | undefined =>
    this.tiles.get(`${level}/${index}`)?.hashes;
  write(tiles: readonly Tile[]): void {
    for (const tile of tiles) this.tiles.set(`${tile.level}/${tile.index}`, tile);
  }
}

const print = (tile: Tile): string =>
  `${tile.level}/${tile.index} ${tile.width} ${hex(tile.hashes)}`;

/** The tiles that differ between two sizes, from the formal definition in C2SP tlog-tiles. */
function changedTiles(from: number, to: number): string[] {
  const tiles: string[] = [];
  for (let level = 0; 256 ** level <= to; level += 1) {
    const before = Math.floor(from / 256 ** level);
    const after = Math.floor(to / 256 ** level);
    for (let index = Math.floor(before / 256); index * 256 < after; index += 1) {
      const width = Math.min(256, after - index * 256);
      if (index * 256 + width <= before) continue;
      const hashes = Array.from({ length: width }, (_, i) =>
        hex(reference.mth((index * 256 + i) * 256 ** level, (index * 256 + i + 1) * 256 ** level)),
      );
      tiles.push(`${level}/${index} ${width} ${hashes.join('')}`);
    }
  }
  return tiles;
}

const append = (writer: TileWriter, from: number, to: number): void => {
  for (const leaf of leaves.slice(from, to)) writer.append(leaf);
};

// Goal: a restart at any size changes nothing. Method: at every size restore from what was stored,
// go on over a tile boundary, and compare with the formal definition of the tiles.
test('restored at every size 0 to 600, it continues as the definition says [tlog-tiles]', () => {
  const store = new Store();
  const writer = TileWriter.empty(sha256);
  for (let size = 0; size <= 600; size += 1) {
    const restored = TileWriter.fromTiles(sha256, size, store.read);
    assert.equal(restored.size, size);
    assert.equal(hex(restored.root()), hex(reference.mth(0, size)));
    assert.deepEqual(restored.takeChanged(), []);
    const to = size + 260;
    append(restored, size, to);
    assert.deepEqual(restored.takeChanged().map(print).sort(), changedTiles(size, to).sort());
    assert.equal(hex(restored.root()), hex(reference.mth(0, to)));
    append(writer, size, size + 1);
    store.write(writer.takeChanged());
  }
});

test('gives each changed tile once, full ones first, and nothing without an append', () => {
  const writer = TileWriter.empty(sha256);
  assert.deepEqual(writer.takeChanged(), []);
  append(writer, 0, 255);
  assert.deepEqual(writer.takeChanged().map(print), changedTiles(0, 255));
  assert.deepEqual(writer.takeChanged(), []);
  append(writer, 255, 257);
  const shapes = writer.takeChanged().map(({ level, index, width }) => [level, index, width]);
  assert.deepEqual(shapes, [
    [0, 0, 256],
    [0, 1, 1],
    [1, 0, 1],
  ]);
  assert.deepEqual(writer.takeChanged(), []);
});

test('gives tiles of its own, which later appends do not change', () => {
  const writer = TileWriter.empty(sha256);
  append(writer, 0, 1);
  const tiles = writer.takeChanged();
  const printed = tiles.map(print);
  append(writer, 1, 300);
  writer.takeChanged();
  assert.deepEqual(tiles.map(print), printed);
});

test('does not depend on what becomes of the tiles it gave', () => {
  const writer = TileWriter.empty(sha256);
  append(writer, 0, 300);
  for (const tile of writer.takeChanged()) tile.hashes.fill(0);
  append(writer, 300, 600);
  assert.deepEqual(writer.takeChanged().map(print).sort(), changedTiles(300, 600).sort());
  assert.equal(hex(writer.root()), hex(reference.mth(0, 600)));
});

test('lays out 70,000 leaves as the example of the specification does [tlog-tiles]', () => {
  const store = new Store();
  const writer = TileWriter.empty(sha256);
  for (let at = 0; at < leaves.length; at += 777) {
    append(writer, at, at + 777);
    store.write(writer.takeChanged());
  }
  const full = [0, 0, 0];
  const partial: string[] = [];
  for (const { level, index, width } of store.tiles.values()) {
    if (width === 256) full[level] = (full[level] ?? 0) + 1;
    else partial.push(`${level}/${index} ${width}`);
  }
  assert.deepEqual(full, [273, 1, 0]);
  assert.deepEqual(partial.sort(), ['0/273 112', '1/1 17', '2/0 1']);
  assert.deepEqual(
    [0, 1, 2, 3].map((level) => tileHashCount(level, 70_000)),
    [70_000, 273, 1, 0],
  );
  const readHash = hashReader(sha256, store.read);
  for (const [level, index] of [
    [0, 69_999],
    [7, 545],
    [8, 272],
    [9, 135],
    [15, 1],
    [16, 0],
  ] as const) {
    const expected = reference.mth(index * 2 ** level, (index + 1) * 2 ** level);
    assert.equal(hex(readHash(level, index)), hex(expected));
  }
  for (const size of [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999, 70_000]) {
    assert.equal(hex(rootAt(sha256, readHash, size)), hex(reference.mth(0, size)));
  }
});

test('restores an earlier size from wider tiles than it had', () => {
  const store = new Store();
  const writer = TileWriter.empty(sha256);
  append(writer, 0, 600);
  store.write(writer.takeChanged());
  const restored = TileWriter.fromTiles(sha256, 300, store.read);
  append(restored, 300, 310);
  assert.deepEqual(restored.takeChanged().map(print), changedTiles(300, 310));
});

test('leaves the stored bytes alone, in a Buffer too', () => {
  const writer = TileWriter.empty(sha256);
  append(writer, 0, 256);
  const [tile] = writer.takeChanged();
  assert.ok(tile);
  const stored = Buffer.from(tile.hashes);
  const readHash = hashReader(sha256, () => stored);
  assert.equal(hex(readHash(7, 1)), hex(reference.mth(128, 256)));
  assert.equal(hex(stored), hex(tile.hashes));
  readHash(0, 0).fill(0);
  assert.equal(hex(stored), hex(tile.hashes));
});

test('throws when a tile that it needs is missing or one hash too narrow', () => {
  const store = new Store();
  const writer = TileWriter.empty(sha256);
  append(writer, 0, 300);
  store.write(writer.takeChanged());
  assert.doesNotThrow(() => TileWriter.fromTiles(sha256, 300, store.read));
  assert.throws(() => TileWriter.fromTiles(sha256, 301, store.read), /tile 1 of level 0/);
  const readHash = hashReader(sha256, store.read);
  assert.doesNotThrow(() => readHash(0, 299));
  assert.throws(() => readHash(0, 300), /tile 1 of level 0/);
  assert.throws(() => readHash(9, 0), /tile 0 of level 1/);
  assert.throws(() => readHash(16, 0), /tile 0 of level 2/);
  for (const size of [-1, 0.5, Number.NaN, SIZE_MAX + 1, Number.POSITIVE_INFINITY]) {
    assert.throws(() => TileWriter.fromTiles(sha256, size, store.read), RangeError);
    assert.throws(() => rootAt(sha256, readHash, size), RangeError);
  }
});

test('works at 2^53 - 1 leaves', () => {
  // All leaves alike, so that the hash of a subtree depends on its level only.
  const uniform = [leafHash(sha256, new Uint8Array())];
  for (let level = 0; level < 53; level += 1) {
    const below = uniform[level] ?? new Uint8Array();
    uniform.push(nodeHash(sha256, below, below));
  }
  const hashAt = (level: number): Uint8Array => uniform[level] ?? new Uint8Array();
  const readTile = (level: number): Uint8Array =>
    Uint8Array.from({ length: 256 * 32 }, (_, at) => hashAt(8 * level)[at % 32] ?? 0);
  const writer = TileWriter.fromTiles(sha256, SIZE_MAX - 2, readTile);
  writer.append(hashAt(0));
  writer.append(hashAt(0));
  assert.equal(hex(writer.root()), hex(rootAt(sha256, hashReader(sha256, readTile), SIZE_MAX)));
  const shapes = writer.takeChanged().map(({ level, index, width }) => [level, index, width]);
  assert.deepEqual(shapes, [[0, 2 ** 45 - 1, 255]]);
  assert.throws(() => writer.append(hashAt(0)), /full/);
});
