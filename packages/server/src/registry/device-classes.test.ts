import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddDeviceRequestSchema } from '@holdfast/protocol/api';
import { DEVICE_CLASSES, DEVICE_CLASS_NAMES } from './device-classes.ts';
import { DeviceSchema } from './device-records.ts';

test('the registry, the API and the table know the same classes', () => {
  assert.deepEqual(Object.keys(DEVICE_CLASSES), [...DEVICE_CLASS_NAMES]);
  assert.deepEqual(DeviceSchema.shape.class.options, [...DEVICE_CLASS_NAMES]);
  assert.deepEqual(AddDeviceRequestSchema.shape.class.options, [...DEVICE_CLASS_NAMES]);
});

/** A packet that never fits would hold its sender back for ever. */
test('each class may send the largest packet at once, and a second of its rate', () => {
  for (const [name, limits] of Object.entries(DEVICE_CLASSES)) {
    assert.ok(limits.byteBurst >= 65_536 + 4_096, name);
    assert.ok(limits.byteBurst >= limits.bytesPerSecond, name);
    assert.ok(limits.messageBurst >= limits.messagesPerSecond, name);
    assert.ok(limits.bytesPerSecond > 0 && limits.messagesPerSecond > 0, name);
  }
});
