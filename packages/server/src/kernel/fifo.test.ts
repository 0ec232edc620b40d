import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Fifo } from './fifo.ts';

test('is an array whose front can be taken', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ do: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ do: fc.constant('remove' as const), count: fc.integer({ min: 0, max: 5_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      let next = 0;
      for (const { do: what, count } of steps) {
        if (what === 'remove') {
          fifo.remove(count);
          model = model.filter((item) => item !== count);
          continue;
        }
        for (let n = 0; n < count; n += 1) {
          if (what === 'push') {
            fifo.push(next);
            model.push(next);
            next += 1;
          } else assert.equal(fifo.shift(), model.shift());
        }
        assert.equal(fifo.length, model.length);
        assert.equal(fifo.peek(), model[0]);
        assert.deepEqual(fifo.first(5), model.slice(0, 5));
      }
      assert.deepEqual(fifo.all(), model);
    }),
    { numRuns: 50 },
  );
});
