import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BackOff } from './back-off.ts';
import { systemRandom } from './clock.ts';

/** Nearly the ceiling, so that the delay shows it. */
const HIGHEST = () => 1 - 2 ** -32;

test('the ceiling doubles from one second to sixty and stays there', () => {
  const backOff = new BackOff(HIGHEST);
  const delays = Array.from({ length: 9 }, () => backOff.delayMs(0));
  assert.deepEqual(delays, [999, 1_999, 3_999, 7_999, 15_999, 31_999, 59_999, 59_999, 59_999]);
});

test('a stable minute starts counting again, a shorter connection does not', () => {
  const backOff = new BackOff(HIGHEST);
  for (let i = 0; i < 5; i += 1) backOff.delayMs(0);
  assert.equal(backOff.delayMs(59_999), 31_999);
  assert.equal(backOff.delayMs(60_000), 999);
  assert.equal(backOff.delayMs(0), 1_999);
});

test('the delay is spread over the whole range below the ceiling: full jitter', () => {
  const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fraction, fc.nat(100), (random, failures) => {
      const backOff = new BackOff(() => random);
      for (let i = 0; i < failures; i += 1) backOff.delayMs(0);
      const ceiling = Math.min(60_000, 1_000 * 2 ** failures);
      assert.equal(backOff.delayMs(0), Math.floor(random * ceiling));
    }),
  );
});

test('chance is from 0 up to, but not including, 1', () => {
  for (let i = 0; i < 100; i += 1) {
    const value = systemRandom();
    assert.ok(value >= 0 && value < 1);
  }
});
