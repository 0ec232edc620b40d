import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Clock } from './clock.ts';
import { HoldOff, type HoldOffLimits } from './hold-off.ts';

const LIMITS: HoldOffLimits = {
  failuresMax: 3,
  forgiveMs: 1_000,
  holdMs: 1_000,
  holdMsMax: 8_000,
  forgetMs: 60_000,
  keysMax: 2,
};

function openHoldOff(limits: Partial<HoldOffLimits> = {}): {
  holdOff: HoldOff;
  time: { ms: number };
  failTimes: (key: string, times: number) => number[];
} {
  const time = { ms: 0 };
  const clock: Clock = { nowMs: () => 0, monotonicMs: () => time.ms, after: () => () => {} };
  const holdOff = new HoldOff(clock, { ...LIMITS, ...limits });
  const failTimes = (key: string, times: number): number[] =>
    Array.from({ length: times }, () => holdOff.fail(key));
  return { holdOff, time, failTimes };
}

test('one failure below the limit changes nothing; the limit holds off, and others are free', () => {
  const { holdOff, time, failTimes } = openHoldOff();
  assert.deepEqual(failTimes('a', 2), [0, 0]);
  assert.equal(holdOff.heldMs('a'), 0);
  assert.equal(holdOff.fail('a'), 1_000);
  assert.equal(holdOff.heldMs('a'), 1_000);
  assert.equal(holdOff.heldMs('b'), 0);
  assert.equal(holdOff.fail('a'), 0, 'what was under way while it began does not prolong it');
  time.ms = 999;
  assert.equal(holdOff.heldMs('a'), 1);
  time.ms = 1_000;
  assert.equal(holdOff.heldMs('a'), 0);
});

test('who goes on is held off for twice as long each time, up to the limit', () => {
  const { holdOff, time } = openHoldOff();
  const times: number[] = [];
  for (let i = 0; i < 200 && times.length < 6; i += 1) {
    const heldMs = holdOff.fail('a');
    if (heldMs > 0) times.push(heldMs);
    time.ms += holdOff.heldMs('a');
  }
  assert.deepEqual(times, [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
});

test('failing as slowly as it is forgiven never adds up', () => {
  const { holdOff, time } = openHoldOff();
  for (let i = 0; i < 1_000; i += 1) {
    assert.equal(holdOff.fail('a'), 0);
    time.ms += LIMITS.forgiveMs;
  }
});

test('each success makes good a failure, and ends the growth', () => {
  const { holdOff, time, failTimes } = openHoldOff();
  for (let i = 0; i < 100; i += 1) {
    assert.equal(holdOff.fail('a'), 0, 'as many successes as failures');
    holdOff.succeed('a');
  }
  assert.equal(failTimes('a', 3).at(-1), 1_000);
  time.ms = 1_000;
  assert.equal(failTimes('a', 1).at(-1), 2_000);
  time.ms = 3_000;
  holdOff.succeed('a');
  assert.equal(failTimes('a', 3).find(Boolean), 1_000);
  holdOff.succeed('nobody');
  assert.equal(holdOff.heldMs('nobody'), 0);
});

test('an allowance raises the limit, on both sides of it', () => {
  const { holdOff } = openHoldOff();
  const allowance = 2;
  for (let i = 0; i < 4; i += 1) assert.equal(holdOff.fail('a', { allowance }), 0);
  assert.equal(holdOff.fail('a', { allowance }), 1_000);
});

test('after a quiet time all is forgotten, and not a moment before', () => {
  for (const [quietMs, expected] of [
    [LIMITS.forgetMs - 1, 2_000],
    [LIMITS.forgetMs, 1_000],
  ] as const) {
    const { time, failTimes } = openHoldOff();
    failTimes('a', 3);
    time.ms = 1_000 + quietMs;
    assert.deepEqual(failTimes('a', 3), [0, 0, expected]);
  }
});

test('one key more than the limit drops the one that has not failed for longest', () => {
  const { holdOff, failTimes } = openHoldOff();
  failTimes('a', 3);
  failTimes('b', 3);
  holdOff.fail('a');
  assert.ok(holdOff.heldMs('b') > 0);
  failTimes('c', 1);
  assert.equal(holdOff.heldMs('b'), 0);
  assert.ok(holdOff.heldMs('a') > 0);
});

test('nobody is held off whose failures do not outnumber successes and time by the limit', () => {
  const step = fc.record({ waitMs: fc.nat(3_000), isFailure: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { holdOff, time } = openHoldOff();
      const failedAtMs: number[] = [];
      for (const { waitMs, isFailure } of steps) {
        time.ms += waitMs;
        if (!isFailure) {
          holdOff.succeed('a');
          continue;
        }
        failedAtMs.push(time.ms);
        if (holdOff.fail('a') === 0) continue;
        // Some stretch of the past holds more failures than are forgiven in its length.
        const proof = failedAtMs.some((sinceMs, i) => {
          const forgiven = (time.ms - sinceMs) / LIMITS.forgiveMs;
          return failedAtMs.length - i - forgiven >= LIMITS.failuresMax - 1e-9;
        });
        assert.ok(proof);
      }
    }),
  );
});

test('a failure that was counted ahead is taken back, with the hold-off that it began', () => {
  const { holdOff, time, failTimes } = openHoldOff();
  failTimes('a', 2);
  assert.equal(holdOff.fail('a'), 1_000);
  holdOff.takeBack('a');
  assert.equal(holdOff.heldMs('a'), 0);
  assert.equal(holdOff.fail('a'), 1_000, 'the next one is the third again, and no longer');
  time.ms = 1_000;
  holdOff.takeBack('nobody');
  assert.equal(holdOff.heldMs('nobody'), 0);
});
