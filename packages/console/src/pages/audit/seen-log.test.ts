import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetSeen, keepSeen, readSeen } from './seen-log.ts';

function memory(): Parameters<typeof keepSeen>[1] & { text: string | null } {
  return {
    text: null,
    getItem() {
      return this.text;
    },
    setItem(_, text) {
      this.text = text;
    },
    removeItem() {
      this.text = null;
    },
  };
}

test('what was seen is kept, and forgotten', () => {
  const storage = memory();
  assert.equal(readSeen(storage), undefined);
  const seen = { size: 3, root: 'AAAA', verifierKey: 'log+1+key', atMs: 5 };
  keepSeen(seen, storage);
  assert.deepEqual(readSeen(storage), seen);
  forgetSeen(storage);
  assert.equal(readSeen(storage), undefined);
});

test('what is none of ours counts as nothing', () => {
  for (const text of [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '{"size":1.5,"root":"","verifierKey":"","atMs":0}',
  ]) {
    assert.equal(readSeen({ ...memory(), getItem: () => text }), undefined, text);
  }
});
