import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodePublish } from './encode-publish.ts';
import { decodeForwarded, encodeForwarded } from './forwarded.ts';
import { PacketRefusal } from './packet-refusal.ts';
import { messageProperties } from './random-packets.ts';
import { decodeOne } from './test-support.ts';

test('what is forwarded is what came, but for the expiry [MQTT-3.3.2-4] [MQTT-3.3.2-15]', () => {
  fc.assert(
    fc.property(messageProperties, (properties) => {
      const { messageExpiryS, ...rest } = properties;
      const forwarded = encodeForwarded(properties);
      assert.deepEqual(decodeForwarded(forwarded), rest);
      const bytes = encodePublish('a', new Uint8Array(0), { qos: 0, forwarded }, 5);
      const packet = decodeOne('server', bytes, 5);
      assert.ok(!(packet instanceof PacketRefusal) && packet.type === 'publish');
      assert.deepEqual(packet.properties, rest);
      assert.ok(messageExpiryS === undefined || messageExpiryS >= 0);
    }),
  );
});

test('user properties keep their order, repeated names too [MQTT-3.3.2-17] [MQTT-3.3.2-18]', () => {
  const userProperties = [
    ['b', '1'],
    ['a', '2'],
    ['b', '3'],
    ['', ''],
  ] as const;
  assert.deepEqual(decodeForwarded(encodeForwarded({ userProperties })), { userProperties });
});

test('nothing to forward is one shared array', () => {
  const empty = encodeForwarded({});
  assert.equal(empty.length, 0);
  assert.equal(encodeForwarded({ messageExpiryS: 9 }), empty);
  assert.deepEqual(decodeForwarded(empty), {});
});

test('each result has memory of its own, however large the others are', () => {
  const small = encodeForwarded({ contentType: 'small' });
  const before = Buffer.from(small).toString('hex');
  const correlationData = new Uint8Array(60_000).fill(7);
  const userProperties = Array.from({ length: 20 }, (_, i) => ['k'.repeat(9_000), `${i}`] as const);
  const large = { correlationData, userProperties };
  assert.deepEqual(decodeForwarded(encodeForwarded(large)), large);
  assert.equal(Buffer.from(small).toString('hex'), before);
  assert.deepEqual(decodeForwarded(encodeForwarded({ contentType: 'x' })), { contentType: 'x' });
});

test('what is stored was checked, yet damage is refused', () => {
  for (const hex of ['26', '2600016b', '0200000001', '230001', '7f', '0102', '0100'.repeat(2)]) {
    assert.ok(decodeForwarded(Buffer.from(hex, 'hex')) instanceof PacketRefusal, hex);
  }
});
