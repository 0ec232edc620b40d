/** Goal: times below a chart are as exact as their distance asks for, and name the day where it begins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timeTexts } from './chart-times.ts';

const at = (hour: number, minute: number, second = 0): number =>
  new Date(2026, 10, 21, hour, minute, second).getTime() / 1_000;

test('seconds, minutes and days', () => {
  assert.deepEqual(timeTexts([at(9, 5, 15), at(9, 5, 30)], 15), ['09:05:15', '09:05:30']);
  assert.deepEqual(timeTexts([at(9, 5), at(21, 10)], 60), ['09:05', '21:10']);
  const [midnight = '', six] = timeTexts([at(0, 0), at(6, 0)], 21_600);
  assert.match(midnight, /21/u);
  assert.equal(six, '06:00');
  assert.match(timeTexts([at(6, 0)], 86_400)[0] ?? '', /21/u);
});
