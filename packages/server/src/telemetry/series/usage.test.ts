import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { USAGE_MARKS_MAX, USAGE_MARK_MS_MIN } from './limits.ts';
import { Usage } from './usage.ts';

const none = { indexes: [], times: [], bytes: [] };
const HOUR_MS = USAGE_MARK_MS_MIN;

test('what is older goes, to within a mark, and what is newer never does', () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 3 * HOUR_MS }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(gaps, fc.nat(), (list, part) => {
      let usage = new Usage(none);
      const times: number[] = [];
      let atMs = 0;
      for (const [index, gap] of list.entries()) {
        atMs += gap;
        times.push(atMs);
        usage.add(index, atMs, 10);
        if (index % 50 === 0) usage = new Usage(usage.toStored());
      }
      assert.equal(usage.bytes, 10 * times.length);
      assert.ok(usage.toStored().indexes.length <= USAGE_MARKS_MAX);
      const fromMs = part % (atMs + 1);
      const expired = usage.expired({ fromMs });
      const before = expired?.before ?? 0;
      assert.ok(times.slice(0, before).every((time) => time < fromMs));
      // At most a 32nd of the time, and at least two hours, are kept longer.
      const slackMs = Math.max(2 * HOUR_MS, (4 * atMs) / USAGE_MARKS_MAX) + 3 * HOUR_MS;
      const oldest = times[before] ?? Infinity;
      assert.ok(before >= times.length - 1 || oldest >= fromMs - slackMs, `${oldest} ${fromMs}`);
      usage.forget(before);
      assert.equal(usage.expired({ fromMs }), undefined);
      assert.equal(usage.bytes, 10 * (times.length - before));
    }),
  );
});

test('what is too much goes, oldest first, and the newest stays', () => {
  const usage = new Usage(none);
  for (let index = 0; index < 5; index += 1) usage.add(index, index * HOUR_MS, 100);
  assert.equal(usage.expired({ bytesMax: 500 }), undefined);
  assert.deepEqual(usage.expired({ bytesMax: 499 }), { before: 1, untilMs: 0 });
  assert.deepEqual(usage.expired({ bytesMax: 0 }), { before: 4, untilMs: 3 * HOUR_MS });
});
