import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AttemptLimiter } from './attempt-limiter.ts';
import type { Clock } from './clock.ts';

const LIMITS = { failuresMax: 3, windowMs: 1_000, keysMax: 2 };

function openLimiter(): { limiter: AttemptLimiter; time: { ms: number } } {
  const time = { ms: 0 };
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => time.ms, after: () => () => {} };
  return { limiter: new AttemptLimiter(clock, LIMITS), time };
}

function fail(limiter: AttemptLimiter, key: string, count: number): void {
  for (let i = 0; i < count; i++) limiter.countFailure(key);
}

test('a key is held off from its last allowed failure on', () => {
  const { limiter } = openLimiter();
  assert.ok(!limiter.isHeldOff('a'));
  fail(limiter, 'a', LIMITS.failuresMax - 1);
  assert.ok(!limiter.isHeldOff('a'));
  fail(limiter, 'a', 1);
  assert.ok(limiter.isHeldOff('a'));
  assert.ok(!limiter.isHeldOff('b'));
});

test('the window begins with the first failure, and failing on does not prolong it', () => {
  const { limiter, time } = openLimiter();
  fail(limiter, 'a', 1);
  time.ms = LIMITS.windowMs - 1;
  fail(limiter, 'a', 10);
  assert.ok(limiter.isHeldOff('a'));
  time.ms = LIMITS.windowMs;
  assert.ok(!limiter.isHeldOff('a'));
  fail(limiter, 'a', LIMITS.failuresMax - 1);
  assert.ok(!limiter.isHeldOff('a'));
  fail(limiter, 'a', 1);
  assert.ok(limiter.isHeldOff('a'));
});

test('as many keys as the limit are remembered; one more drops the oldest window', () => {
  const { limiter, time } = openLimiter();
  fail(limiter, 'a', LIMITS.failuresMax);
  fail(limiter, 'b', LIMITS.failuresMax);
  assert.ok(limiter.isHeldOff('a') && limiter.isHeldOff('b'));
  fail(limiter, 'b', 1);
  assert.ok(limiter.isHeldOff('a'), 'a key that is remembered already drops nobody');
  fail(limiter, 'c', 1);
  assert.ok(!limiter.isHeldOff('a'));
  assert.ok(limiter.isHeldOff('b'));
  // A window that begins again is the newest.
  time.ms = LIMITS.windowMs;
  fail(limiter, 'b', LIMITS.failuresMax);
  fail(limiter, 'd', 1);
  assert.ok(limiter.isHeldOff('b'));
});

test('a key is held off exactly when it failed often enough in its window', () => {
  const step = fc.record({ waitMs: fc.nat(400), isFailure: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const { limiter, time } = openLimiter();
      let window = { beganMs: -Infinity, count: 0 };
      for (const { waitMs, isFailure } of steps) {
        time.ms += waitMs;
        const isOver = time.ms >= window.beganMs + LIMITS.windowMs;
        if (isFailure) {
          window = isOver ? { beganMs: time.ms, count: 1 } : { ...window, count: window.count + 1 };
          limiter.countFailure('a');
        }
        const isRunning = time.ms < window.beganMs + LIMITS.windowMs;
        assert.equal(limiter.isHeldOff('a'), isRunning && window.count >= LIMITS.failuresMax);
      }
    }),
  );
});
