import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { REPLAY_WINDOW_SIZE, ReplayWindow } from './replay-window.ts';

test('each counter is accepted once, within the window [E_VERIFY_REPLAY]', () => {
  const window = new ReplayWindow();
  assert.ok(window.accept(0));
  assert.ok(!window.accept(0));
  assert.ok(window.accept(REPLAY_WINDOW_SIZE));
  assert.ok(!window.accept(0), 'one below the window');
  assert.ok(window.accept(1), 'the lowest of the window');
  assert.ok(!window.accept(1));
  assert.ok(window.accept(Number.MAX_SAFE_INTEGER));
  assert.ok(!window.accept(Number.MAX_SAFE_INTEGER));
  assert.ok(window.accept(Number.MAX_SAFE_INTEGER - REPLAY_WINDOW_SIZE + 1));
  assert.ok(!window.accept(Number.MAX_SAFE_INTEGER - REPLAY_WINDOW_SIZE));
});

test('after a restart what is not known counts as seen, and nothing else', () => {
  const window = new ReplayWindow({ highest: 5_000, unknownUpTo: 4_990, seen: [4_993, 5_000] });
  assert.ok(!window.accept(5_000));
  assert.ok(!window.accept(4_993));
  assert.ok(!window.accept(4_990));
  assert.ok(!window.accept(3_977));
  assert.ok(window.accept(4_991));
  assert.ok(!window.accept(4_991));
  assert.ok(window.accept(4_999));
  assert.ok(window.accept(5_002));
  assert.ok(window.accept(5_001));
  assert.ok(!window.accept(5_002));
  const whole = new ReplayWindow({ highest: 7, unknownUpTo: 7, seen: [] });
  for (let counter = 0; counter <= 7; counter += 1) assert.ok(!whole.accept(counter));
  assert.ok(whole.accept(8));
});

test('it agrees with a set of all counters seen', () => {
  const counters = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: 0, max: 40_000 })),
    { maxLength: 400 },
  );
  fc.assert(
    fc.property(counters, (sequence) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const counter of sequence) {
        const expected = !seen.has(counter) && highest - counter < REPLAY_WINDOW_SIZE;
        assert.equal(window.accept(counter), expected);
        if (!expected) continue;
        seen.add(counter);
        highest = Math.max(highest, counter);
        assert.equal(window.highest, highest);
      }
    }),
  );
});
