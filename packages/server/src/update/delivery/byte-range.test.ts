import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isNoneNew, parseRange, selectBytes } from './byte-range.ts';

const etag = '"abc"';
const none = { range: undefined, ifRange: undefined, ifNoneMatch: undefined };
const select = (more: Partial<typeof none> | Record<string, string>, length = 100) =>
  selectBytes({ ...none, ...more }, { length, etag });

test('a single range, at both of its ends', () => {
  assert.deepEqual(parseRange('bytes=0-0', 100), { start: 0, end: 1 });
  assert.deepEqual(parseRange('bytes=99-99', 100), { start: 99, end: 100 });
  assert.deepEqual(parseRange('bytes=99-', 100), { start: 99, end: 100 });
  assert.deepEqual(parseRange('bytes=100-', 100), 'unsatisfiable');
  assert.deepEqual(parseRange('bytes=100-200', 100), 'unsatisfiable');
  assert.deepEqual(parseRange('bytes=50-1000', 100), { start: 50, end: 100 });
  assert.deepEqual(parseRange('bytes=-1', 100), { start: 99, end: 100 });
  assert.deepEqual(parseRange('bytes=-100', 100), { start: 0, end: 100 });
  assert.deepEqual(parseRange('bytes=-101', 100), { start: 0, end: 100 });
  assert.deepEqual(parseRange('bytes=-0', 100), 'unsatisfiable');
  assert.deepEqual(parseRange('Bytes = 1 - 2', 100), { start: 1, end: 3 });
});

test('what is no single range of bytes is ignored: everything is sent', () => {
  const bad = [
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=2-1',
    'bytes=a-b',
    'items=0-1',
    'bytes=0x1-2',
  ];
  for (const text of [
    ...bad,
    'bytes=0-1,5-6',
    'bytes=0-1,',
    'bytes=1.5-2',
    'bytes=9999999999999999-',
  ]) {
    assert.equal(parseRange(text, 100), undefined, text);
    assert.equal(select({ range: text }).status, 200, text);
  }
});

test('any text gives a range within the file, or none', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
    fc.nat().map((a) => `bytes=${a}-`),
    fc.nat().map((a) => `bytes=-${a}`),
  );
  fc.assert(
    fc.property(texts, fc.nat({ max: 1_000 }), (text, more) => {
      const length = more + 1;
      const range = parseRange(text, length);
      if (range === undefined || range === 'unsatisfiable') return;
      assert.ok(range.start >= 0 && range.start < range.end && range.end <= length);
    }),
  );
});

test('a range counts only for the very same file', () => {
  const range = 'bytes=10-';
  assert.equal(select({ range }).status, 206);
  assert.equal(select({ range, ifRange: etag }).status, 206);
  for (const ifRange of ['"other"', `W/${etag}`, 'Sat, 21 Nov 2026 00:00:00 GMT', '']) {
    const { status, range: sent } = select({ range, ifRange });
    assert.deepEqual([status, sent], [200, { start: 0, end: 100 }], ifRange);
  }
  assert.equal(select({ range: 'bytes=100-' }).status, 416);
  assert.equal(select({ range: 'bytes=100-', ifRange: '"other"' }).status, 200);
});

test('what the peer has already is not sent, whatever part of it is asked for', () => {
  for (const ifNoneMatch of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    assert.equal(select({ ifNoneMatch }).status, 304);
    assert.equal(select({ ifNoneMatch, range: 'bytes=1-' }).status, 304);
  }
  assert.equal(select({ ifNoneMatch: '"abcd"' }).status, 200);
  assert.ok(!isNoneNew('', etag));
});
