/** Goal: charts show every value, break where nothing came, and say the right figures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeriesPage } from '@holdfast/protocol/api';
import { figuresOf, plotOf } from './points.ts';

const at = (minute: number): string => new Date(minute * 60_000).toISOString();
const page = (part: Partial<SeriesPage>): SeriesPage => {
  return { points: [], buckets: [], behind: 0, ...part };
};

test('values one by one have no band, and a pause breaks the line', () => {
  const points = [0, 1, 2, 3, 20, 21].map((minute, index) => {
    return { at: at(minute), value: minute, index };
  });
  const plot = plotOf(page({ points }));
  assert.equal(plot.isRolledUp, false);
  assert.deepEqual(plot.values, [0, 1, 2, 3, null, 20, 21]);
  assert.equal(plot.timesMs.length, plot.values.length);
  assert.deepEqual(
    plot.timesMs,
    plot.timesMs.toSorted((a, b) => a - b),
  );
});

test('four usual distances are no pause yet', () => {
  const points = [0, 1, 2, 6].map((minute, index) => ({ at: at(minute), value: 1, index }));
  assert.ok(!plotOf(page({ points })).values.includes(null));
});

test('spans give a mean by their counts, and the widest band', () => {
  const buckets = [
    { at: at(0), count: 1, min: 1, max: 1, mean: 1 },
    { at: at(5), count: 3, min: 2, max: 9, mean: 5 },
  ];
  assert.deepEqual(figuresOf(page({ buckets })), { count: 4, low: 1, high: 9, mean: 4, last: 5 });
  assert.deepEqual(plotOf(page({ buckets })).high, [1, 9]);
});

test('nothing is nothing, and one value is one', () => {
  assert.equal(figuresOf(page({})), undefined);
  assert.deepEqual(plotOf(page({})).timesMs, []);
  const one = page({ points: [{ at: at(3), value: -2, index: 7 }] });
  assert.deepEqual(plotOf(one).values, [-2]);
  assert.deepEqual(figuresOf(one), { count: 1, low: -2, high: -2, mean: -2, last: -2 });
});
