import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JournaledMessage, mintJournaled } from './journaled-message.ts';

const place = { index: 7, keyRef: 3 };
const chunk = Buffer.from('....payload....properties');

function mint(expiryS?: number): JournaledMessage {
  return mintJournaled(place, {
    atMs: 5_000,
    principal: 'pump-1',
    topic: 'd/pump-1/state',
    body: chunk.subarray(4, 11),
    qos: 2,
    retain: true,
    expiryS,
    properties: chunk.subarray(15),
  });
}

test('a message says where it stands, and when it ends', () => {
  const { index, keyRef, principal, topic, qos, retain, expiresAtMs } = mint(60);
  assert.deepEqual({ index, keyRef }, place);
  assert.deepEqual([principal, topic, qos, retain], ['pump-1', 'd/pump-1/state', 2, true]);
  assert.equal(expiresAtMs, 65_000);
  assert.equal(mint(0).expiresAtMs, 5_000);
  assert.equal(mint().expiresAtMs, Number.POSITIVE_INFINITY);
});

test('detached, it keeps nothing but its own bytes', () => {
  const message = mint();
  assert.equal(message.payload.buffer, chunk.buffer);
  message.detach();
  const { payload, forwarded } = message;
  assert.equal(Buffer.from(payload).toString(), 'payload');
  assert.equal(Buffer.from(forwarded).toString(), 'properties');
  assert.equal(payload.buffer.byteLength, 7);
  assert.equal(forwarded.buffer.byteLength, 10);
  message.detach();
  assert.equal(message.payload, payload);
});

test('an object of the same shape is no proof', () => {
  const message = mint();
  assert.ok(JournaledMessage.is(message));
  const { index, keyRef, payload, topic } = message;
  assert.equal(JournaledMessage.is({ index, keyRef, payload, topic }), false);
  assert.equal(JournaledMessage.is(Object.create(JournaledMessage.prototype)), false);
});
