/** Goal: readings stand in their order, and a first look at a payload never fails on it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadingView } from '@holdfast/protocol/api';
import { mergeReadings } from './merge-readings.ts';
import { contentText, counterOf, hexDump, signedTimeOf, topicBehind } from './payload.ts';

const reading = (index: number): ReadingView => {
  return {
    index,
    at: '2026-11-21T00:00:00.000Z',
    device: 'p',
    topic: 't',
    kid: '1.1',
    payload: '',
  };
};

test('each reading stands once, the newest first, and no more than wanted', () => {
  const known = [5, 3, 1].map(reading);
  const merged = mergeReadings(known, [reading(4), reading(5), reading(6)], 4);
  assert.deepEqual(
    merged.map(({ index }) => index),
    [6, 5, 4, 3],
  );
  assert.equal(mergeReadings(known, [], 1), known);
});

test('a payload is told without what every message carries', () => {
  const payload =
    '{"ctr": 7, "temp": 21.50, "mode": "eco", "at": {"x": 1}, "ts": 86400, "sig": "ab"}';
  assert.equal(contentText(payload), 'temp 21.5, mode eco, at {"x":1}');
  assert.equal(counterOf(payload), 7);
  // A day after the beginning: in every time zone that is 1970.
  assert.match(signedTimeOf(payload) ?? '', /1970.*, written as 86400$/u);
  assert.equal(signedTimeOf('{"ts": "noon"}'), 'noon');
  assert.equal(signedTimeOf('{"ts": null}'), undefined);
});

test('what is no JSON object is told as it is, and not all of it', () => {
  assert.equal(contentText(' 21.5 '), '21.5');
  assert.equal(contentText('[1]'), '[1]');
  assert.equal(counterOf('nonsense'), undefined);
  assert.equal(contentText('x'.repeat(161)).length, 160);
  assert.equal(contentText('x'.repeat(160)), 'x'.repeat(160));
});

test('bytes are dumped in rows of sixteen', () => {
  const dump = hexDump(new TextEncoder().encode('{"temp": 21.5}\u0000é'));
  assert.equal(
    dump,
    '000000  7b 22 74 65 6d 70 22 3a 20 32 31 2e 35 7d 00 c3  {"temp": 21.5}..\n' +
      `000010  ${'a9'.padEnd(47)}  .`,
  );
});

test('a topic is told behind its device', () => {
  assert.equal(topicBehind('d/p-1/telemetry/a', 'p-1'), 'telemetry/a');
  assert.equal(topicBehind('d/p-10/state', 'p-1'), 'd/p-10/state');
});
