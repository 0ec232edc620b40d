import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseTilePath, tilePath } from './tile-path.ts';

test('the examples of the specification [tlog-tiles]', () => {
  const index = 1_234_067;
  assert.equal(tilePath({ level: 0, index, width: 256 }), 'tile/0/x001/x234/067');
  assert.equal(tilePath({ level: 3, index: 0, width: 256 }), 'tile/3/000');
  assert.equal(tilePath({ level: 0, index: 273, width: 112 }), 'tile/0/273.p/112');
  assert.deepEqual(parseTilePath('0/x001/x234/067'), { level: 0, index, width: 256 });
  assert.deepEqual(parseTilePath('1/x001/067.p/7'), { level: 1, index: 1_067, width: 7 });
});

test('what is printed is read back', () => {
  const level = fc.integer({ min: 0, max: 6 });
  const width = fc.integer({ min: 1, max: 256 });
  const index = fc.maxSafeNat().map((number) => Math.floor(number / 256));
  fc.assert(
    fc.property(level, index, width, (level, index, width) => {
      const name = { level, index, width };
      assert.deepEqual(parseTilePath(tilePath(name).slice('tile/'.length)), name);
    }),
  );
});

test('a tile has one name', () => {
  const wrong = ['', '0', '0/', '7/000', '-1/000', '0/00', '0/1', '0/0000', '0/x000/001', '00/000'];
  const more = ['0/000/', '0/000.p', '0/000.p/', '0/000.p/0', '0/000.p/256', '0/000.p/07'];
  const worse = ['0/000.p/1.p/1', '0/001/x000', '0/../000', '0/x999/x999/x999/x999/x999/999'];
  for (const path of [...wrong, ...more, ...worse]) {
    assert.equal(parseTilePath(path), undefined, path);
  }
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('0', '1', '2', '7', 'x', '/', '.', 'p') }),
      (path) => {
        const name = parseTilePath(path);
        if (name !== undefined) assert.equal(tilePath(name), `tile/${path}`);
      },
    ),
  );
});
