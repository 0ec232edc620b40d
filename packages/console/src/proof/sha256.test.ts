/** Goal: the same as OpenSSL, for every length around the blocks and for large data. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { sha256 } from './sha256.ts';

const reference = (data: Uint8Array): string => hash('sha256', data, 'hex');

test('it agrees with OpenSSL for every length up to three blocks', () => {
  for (let length = 0; length <= 192; length += 1) {
    const data = Uint8Array.from({ length }, (_, at) => (at * 31 + length) & 0xff);
    assert.equal(sha256(data).toHex(), reference(data), `${length} bytes`);
  }
});

test('it agrees with OpenSSL for a part of a buffer, and for a megabyte', () => {
  const data = new Uint8Array(1_048_576).fill(0xa5);
  assert.equal(sha256(data).toHex(), reference(data));
  const part = data.subarray(3, 70);
  assert.equal(sha256(part).toHex(), reference(part));
});
