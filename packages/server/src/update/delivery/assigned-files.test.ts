import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Release } from '@holdfast/firmware';
import { fileOf } from './assigned-files.ts';

const hash = (digit: string): string => digit.repeat(64);
const RELEASE: Release = {
  id: 'thermo@1.0.0',
  path: 'thermo/1.0.0/image.bin',
  length: 10,
  sha256: hash('1'),
  custom: {
    line: 'thermo',
    version: '1.0.0',
    hardware: ['thermo-a'],
    counter: 1,
    sbom: { sha256: hash('2'), length: 20 },
    deltas: [{ from: hash('0'), sha256: hash('3'), length: 30 }],
    suit: { sha256: hash('4'), length: 40 },
  },
};

test('a device may fetch the image, its deltas and its SUIT envelope', () => {
  const lengths = ['1', '3', '4'].map((digit) => fileOf(RELEASE, hash(digit))?.length);
  assert.deepEqual(lengths, [10, 30, 40]);
});

test('it may not fetch the SBOM, what a delta starts from, or anything without a release', () => {
  for (const digit of ['0', '2', '5']) assert.equal(fileOf(RELEASE, hash(digit)), undefined);
  assert.equal(fileOf(undefined, hash('1')), undefined);
});
