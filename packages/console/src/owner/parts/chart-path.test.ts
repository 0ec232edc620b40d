import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest, shapesOf } from './chart-path.ts';

const point = (atMs: number, value: number, min = value, max = value) => ({
  atMs,
  value,
  min,
  max,
});
const scale = { fromMs: 0, toMs: 1_000, gapMs: 200, isStepped: false };

test('a line goes from the lowest at the bottom to the highest at the top', () => {
  const { line, low, high, band, lone } = shapesOf(
    [point(0, 1), point(100, 3), point(200, 2)],
    scale,
  );
  assert.equal(line, 'M0 100L100 0L200 50');
  assert.deepEqual([low, high, band, lone], [1, 3, '', '']);
});

test('two points that are further apart than the gap are not joined', () => {
  const near = shapesOf([point(0, 1), point(200, 2)], scale);
  assert.equal(near.line, 'M0 100L200 0');
  const far = shapesOf([point(0, 1), point(201, 2)], scale);
  assert.deepEqual([far.line, far.lone], ['', 'M0 100h0M201 0h0']);
});

test('a stepped line holds each value until the next, and a flat one is in the middle', () => {
  const steps = shapesOf([point(0, 0), point(100, 1)], { ...scale, isStepped: true });
  assert.equal(steps.line, 'M0 100H100V0');
  assert.equal(shapesOf([point(0, 5), point(100, 5)], scale).line, 'M0 50L100 50');
});

test('spans show from their lowest to their highest', () => {
  const { band, low, high } = shapesOf([point(0, 2, 1, 3), point(100, 2, 2, 2)], scale);
  assert.deepEqual([low, high], [1, 3]);
  assert.equal(band, 'M0 0L100 50L100 50L0 100Z');
});

test('the nearest point to a time is found', () => {
  const points = [point(0, 1), point(100, 2)];
  assert.equal(nearest(points, 49)?.value, 1);
  assert.equal(nearest(points, 51)?.value, 2);
  assert.equal(nearest([], 0), undefined);
});
