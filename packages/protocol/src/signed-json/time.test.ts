import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { timeMsOf } from './time.ts';

test('takes numbers below 1e11 for seconds, others for milliseconds', () => {
  assert.equal(timeMsOf('0'), 0);
  assert.equal(timeMsOf('1763712345'), 1763712345000);
  assert.equal(timeMsOf('1763712345.678901'), 1763712345679);
  assert.equal(timeMsOf('1.763712345e9'), 1763712345000);
  assert.equal(timeMsOf('99999999999'), 99999999999000);
  assert.equal(timeMsOf('100000000000'), 100000000000);
  assert.equal(timeMsOf('1763712345678'), 1763712345678);
  assert.equal(timeMsOf('8640000000000000'), 8.64e15);
});

test('refuses numbers and values that are no time [E_VERIFY_TIME_FORM]', () => {
  for (const json of [
    '-1',
    '-0',
    '-0.0',
    '8640000000000001',
    '1e400',
    'null',
    'true',
    '[]',
    '{}',
  ]) {
    assert.equal(timeMsOf(json), undefined, json);
  }
});

test('reads RFC 3339 text in every zone [RFC 3339 §5.6]', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['1970-01-01T00:00:00Z', 0],
    ['2026-11-21T10:00:00Z', Date.UTC(2026, 10, 21, 10)],
    ['2026-11-21t10:00:00z', Date.UTC(2026, 10, 21, 10)],
    ['2026-11-21 10:00:00.5+00:00', Date.UTC(2026, 10, 21, 10, 0, 0, 500)],
    ['2026-11-21T10:00:00.123456+01:30', Date.UTC(2026, 10, 21, 8, 30, 0, 123)],
    ['2026-11-21T10:00:00-23:59', Date.UTC(2026, 10, 22, 9, 59)],
    ['2024-02-29T23:59:59-00:00', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
  ];
  for (const [text, timeMs] of cases) assert.equal(timeMsOf(`"${text}"`), timeMs, text);
});

test('refuses text that is no time of RFC 3339, or has no zone [E_VERIFY_TIME_FORM]', () => {
  const texts = [
    '',
    'now',
    '1763712345',
    '2026-11-21',
    '2026-11-21T10:00:00',
    '2026-11-21T10:00Z',
    '2026-11-21T10:00:00.Z',
    '2026-11-21T10:00:00+0100',
    '2026-11-21T10:00:00+24:00',
    '2026-11-21T10:00:00+01:60',
    '2026-11-21T24:00:00Z',
    '2026-11-21T10:60:00Z',
    '2026-11-21T10:00:61Z',
    '2026-00-21T10:00:00Z',
    '2026-13-21T10:00:00Z',
    '2026-11-00T10:00:00Z',
    '2026-02-30T10:00:00Z',
    '2025-02-29T10:00:00Z',
    '1969-12-31T23:59:59Z',
    '0070-01-01T00:00:00Z',
    '2026-11-21T10:00:00Z ',
    '2026-11-21T10:00:00Z\\n',
  ];
  for (const text of texts) assert.equal(timeMsOf(`"${text}"`), undefined, text);
});

test('agrees with Date on every instant that it prints', () => {
  const instant = fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(instant, (date) => {
      assert.equal(timeMsOf(JSON.stringify(date)), date.getTime());
    }),
  );
});
