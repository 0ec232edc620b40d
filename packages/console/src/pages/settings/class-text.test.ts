import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptText, lateText } from './class-text.ts';

test('bounds of what is kept', () => {
  assert.equal(keptText({}), 'for ever');
  assert.equal(keptText({ retention: {} }), 'for ever');
  assert.equal(keptText({ retention: { ageDays: 1 } }), '1 day');
  assert.equal(
    keptText({ retention: { ageDays: 90, bytesPerDeviceMax: 2_000_000 } }),
    '90 days, at most 2.0 MB a device',
  );
});

test('how late a message may come', () => {
  assert.equal(lateText({ lateHours: 0 }), 'refused');
  assert.equal(lateText({ lateHours: 72 }), 'up to 72 hours');
});
