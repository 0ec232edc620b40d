import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from './clock.ts';
import { WindowCounter } from './window-counter.ts';

const LIMITS = { windowMs: 1_000, keysMax: 2 };

function openCounter(): { counter: WindowCounter; time: { ms: number } } {
  const time = { ms: 0 };
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => time.ms, after: () => () => {} };
  return { counter: new WindowCounter(clock, LIMITS), time };
}

function add(counter: WindowCounter, key: string, times: number): void {
  for (let i = 0; i < times; i += 1) counter.add(key);
}

test('each key is counted for itself', () => {
  const { counter } = openCounter();
  assert.equal(counter.count('a'), 0);
  assert.equal(counter.add('a'), 1);
  assert.equal(counter.add('a'), 2);
  assert.equal(counter.count('a'), 2);
  assert.equal(counter.count('b'), 0);
});

test('the window begins with the first count, and counting on does not prolong it', () => {
  const { counter, time } = openCounter();
  counter.add('a');
  time.ms = LIMITS.windowMs - 1;
  add(counter, 'a', 10);
  assert.equal(counter.count('a'), 11);
  time.ms = LIMITS.windowMs;
  assert.equal(counter.count('a'), 0);
  assert.equal(counter.add('a'), 1);
});

test('as many keys as the limit are remembered; one more drops the oldest window', () => {
  const { counter, time } = openCounter();
  add(counter, 'a', 3);
  add(counter, 'b', 3);
  assert.deepEqual([counter.count('a'), counter.count('b')], [3, 3]);
  counter.add('b');
  assert.equal(counter.count('a'), 3, 'a key that is remembered already drops nobody');
  counter.add('c');
  assert.deepEqual([counter.count('a'), counter.count('b')], [0, 4]);
  // A window that begins again is the newest.
  time.ms = LIMITS.windowMs;
  add(counter, 'b', 2);
  counter.add('d');
  assert.equal(counter.count('b'), 2);
});

test('it agrees with counting by hand', () => {
  const step = fc.record({ waitMs: fc.nat(400), isCounted: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const { counter, time } = openCounter();
      let window = { beganMs: -Infinity, count: 0 };
      for (const { waitMs, isCounted } of steps) {
        time.ms += waitMs;
        if (time.ms >= window.beganMs + LIMITS.windowMs) window = { beganMs: time.ms, count: 0 };
        if (isCounted) {
          if (window.count === 0) window.beganMs = time.ms;
          window.count += 1;
          assert.equal(counter.add('a'), window.count);
        }
        assert.equal(counter.count('a'), window.count);
      }
    }),
  );
});
