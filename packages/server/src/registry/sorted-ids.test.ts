import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SortedIds } from './sorted-ids.ts';

test('ids come in their order, from any place on', () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }));
  fc.assert(
    fc.property(ids, fc.nat(), fc.string({ maxLength: 3 }), (all, cut, place) => {
      const first = all.slice(0, cut % (all.length + 1));
      const sorted = new SortedIds(first);
      for (const id of all.slice(first.length)) sorted.add(id);
      const expected = [...all].sort((a, b) => (a < b ? -1 : 1));
      assert.deepEqual([...sorted.after('')], expected);
      assert.deepEqual(
        [...sorted.after(place)],
        expected.filter((id) => id > place),
      );
    }),
  );
});
