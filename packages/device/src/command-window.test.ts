import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { testFolder } from '../test-support/test-bundle.ts';
import { CommandWindow } from './command-window.ts';
import { COMMAND_WINDOW } from './limits.ts';

test('a counter is accepted once, and not from below the window', (t) => {
  const window = new CommandWindow(join(testFolder(t), 'seen'));
  assert.equal(window.accept(1_000), true);
  assert.equal(window.accept(1_000), false);
  assert.equal(window.accept(1_000 - COMMAND_WINDOW + 1), true);
  assert.equal(window.accept(1_000 - COMMAND_WINDOW), false);
  assert.equal(window.accept(1_001), true);
  assert.equal(window.accept(1_000), false);
});

test('the smallest and the largest counter are counters', (t) => {
  const window = new CommandWindow(join(testFolder(t), 'seen'));
  assert.equal(window.accept(0), true);
  assert.equal(window.accept(0), false);
  assert.equal(window.accept(Number.MAX_SAFE_INTEGER), true);
  assert.equal(window.accept(Number.MAX_SAFE_INTEGER), false);
});

test('it agrees with a plain list, across restarts at any moment', (t) => {
  const path = join(testFolder(t), 'seen');
  const step = fc.record({ counter: fc.nat(200), restarts: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      rmSync(path, { force: true });
      const seen = new Set<number>();
      let window = new CommandWindow(path);
      for (const { counter, restarts } of steps) {
        const lowest = Math.max(...seen, -1) - COMMAND_WINDOW + 1;
        const expected = !seen.has(counter) && counter >= lowest;
        assert.equal(window.accept(counter), expected);
        if (expected) seen.add(counter);
        if (restarts) window = new CommandWindow(path);
      }
    }),
    { numRuns: 40 },
  );
});

test('what cannot be made durable is not marked', (t) => {
  const folder = join(testFolder(t), 'gone');
  const path = join(folder, 'seen');
  const window = new CommandWindow(path);
  assert.throws(() => window.accept(5), { code: 'E_DEVICE_COUNTER' });
  mkdirSync(folder);
  assert.equal(window.accept(5), true);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a damaged file is reported', (t) => {
  const path = join(testFolder(t), 'seen');
  for (const text of ['', '1\n', '1 \n', '1 g\n', '-1 1\n', '1 1', '1 11111111111111111\n']) {
    writeFileSync(path, text);
    assert.throws(() => new CommandWindow(path), { code: 'E_DEVICE_COUNTER' }, text);
  }
});
