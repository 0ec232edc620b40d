import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@holdfast/protocol';
import { type Extracted, extract, seriesName } from './extract.ts';
import {
  PATH_CHARACTERS_MAX,
  VALUES_PER_MESSAGE_MAX,
  VALUE_AGE_MS_MAX,
  VALUE_AHEAD_MS_MAX,
  VALUE_DEPTH_MAX,
} from './limits.ts';

function extracted(json: string, more: Partial<Entry> = {}): Extracted | undefined {
  return extract({
    kind: 'message',
    atMs: 5_000_000_000_000,
    principal: 'pump-1',
    topic: 'd/pump-1/telemetry',
    kid: '1.1',
    body: Buffer.from(json),
    ...more,
  });
}

function valuesOf(json: string): [path: string, value: number][] {
  return (extracted(json)?.values ?? []).map(({ path, value }) => [path, value]);
}

test('numbers and truth values are found wherever they stand', () => {
  const json = '{"t": 23.50, "on": true, "a": {"x": [1, -0.0, 1e-07]}, "s": "7", "n": null}';
  assert.deepEqual(valuesOf(json), [
    ['t', 23.5],
    ['on', 1],
    ['a/x/0', 1],
    ['a/x/1', 0],
    ['a/x/2', 1e-7],
  ]);
  assert.deepEqual(
    extracted(json)
      ?.values.map(({ kind }) => kind)
      .slice(0, 2),
    ['number', 'boolean'],
  );
  assert.deepEqual(valuesOf('21.5'), [['', 21.5]]);
});

test('what belongs to the form is no reading, but inside of an object it is', () => {
  const json = '{"ctr": 7, "seq": 8, "ts": 1700000000, "sig": "00", "in": {"ctr": 9, "ts": 10}}';
  assert.deepEqual(valuesOf(json), [
    ['in/ctr', 9],
    ['in/ts', 10],
  ]);
});

test('the time is the one that the device signed', () => {
  const at = { atMs: Date.UTC(2026, 10, 22) };
  const second = Date.UTC(2026, 10, 21) / 1_000;
  const dayBefore = [`${second}`, `${second}000`, '"2026-11-21T00:00:00Z"'];
  for (const ts of dayBefore) {
    assert.equal(extracted(`{"ts": ${ts}, "t": 1}`, at)?.timeMs, second * 1_000, ts);
  }
  for (const ts of ['"soon"', '-1', '8e15', 'null', '[1]']) {
    assert.equal(extracted(`{"ts": ${ts}, "t": 1}`)?.timeMs, 5_000_000_000_000, ts);
  }
});

test('what Python writes that is no JSON costs no other value', () => {
  const json = '{"a": NaN, "b": -Infinity, "c": "NaN \\" Infinity", "d": 4}';
  assert.deepEqual(valuesOf(json), [['d', 4]]);
  assert.equal(extracted('{"a": 1e999}'), undefined);
});

test('only what a device reports itself counts', () => {
  assert.equal(extracted('{"t": 1}', { topic: 'd/pump-1/telemetry/room/1' })?.topic, 'room/1');
  assert.equal(extracted('{"t": 1}', { topic: 'd/pump-1/state' })?.topic, 'state');
  assert.equal(extracted('{"t": 1}', { topic: 'd/pump-1/cmd/go' }), undefined);
  assert.equal(extracted('{"t": 1}', { topic: 'd/pump-1/telemetryx' }), undefined);
  assert.equal(extracted('{"t": 1}', { principal: 'person:ada' }), undefined);
  assert.equal(extracted('{"t": 1}', { principal: '', topic: 'd//telemetry' }), undefined);
  assert.equal(extracted('{"t": 1}', { kind: 'act' }), undefined);
  assert.equal(extracted('hello'), undefined);
  assert.equal(extracted('{"t": "1"}'), undefined);
});

test('a device cannot make us do more than the limits say', () => {
  const many = JSON.stringify(Array.from({ length: VALUES_PER_MESSAGE_MAX + 1 }, () => 1));
  assert.equal(valuesOf(many).length, VALUES_PER_MESSAGE_MAX);
  const nested = (depth: number): string => '['.repeat(depth) + '1' + ']'.repeat(depth);
  assert.equal(valuesOf(nested(VALUE_DEPTH_MAX)).length, 1);
  assert.equal(valuesOf(nested(VALUE_DEPTH_MAX + 1)).length, 0);
  const named = (length: number): string => JSON.stringify({ ['x'.repeat(length)]: 1 });
  assert.equal(valuesOf(named(PATH_CHARACTERS_MAX)).length, 1);
  assert.equal(valuesOf(named(PATH_CHARACTERS_MAX + 1)).length, 0);
});

test('a series is called by its topic and its place', () => {
  assert.equal(seriesName('', ''), 'value');
  assert.equal(seriesName('', 'a/b'), 'a/b');
  assert.equal(seriesName('room', ''), 'room');
  assert.equal(seriesName('room', 'a'), 'room/a');
});

test('what is neither JSON nor of Python costs no more than its length', () => {
  const cpuMs = (quotes: number): number => {
    const before = process.cpuUsage();
    assert.equal(extracted('{"a": NaN, "b": ' + '"\\\\'.repeat(quotes)), undefined);
    return process.cpuUsage(before).user / 1_000;
  };
  cpuMs(1_000);
  // It took 3 s when the end of a string was looked for from each quote on.
  assert.ok(cpuMs(32_000) < 500);
});

test('a time that no class accepts is not believed', () => {
  const atMs = 1_800_000_000_000;
  const timeOf = (ts: number): number | undefined =>
    extracted(`{"ts": ${ts}, "t": 1}`, { atMs })?.timeMs;
  const [first, last] = [atMs - VALUE_AGE_MS_MAX, atMs + VALUE_AHEAD_MS_MAX];
  assert.deepEqual([timeOf(first), timeOf(last)], [first, last]);
  assert.deepEqual([timeOf(first - 1), timeOf(last + 1)], [atMs, atMs]);
});
