/** What is no packet, what is too large, and where packets may be cut, over real TLS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalView } from '@holdfast/protocol/api';
import { encodePingreq, encodePublish } from '@holdfast/protocol/mqtt';
import {
  RawClient,
  VirtualClock,
  connectPacket,
  signedPayload,
  startInProcess,
  subscribePacket,
  unsubscribePacket,
} from '@holdfast/testkit';
import * as fc from 'fast-check';

/** `PACKET_BYTES_MAX` of the server: a payload of 64 KiB with its topic and properties. */
const PACKET_BYTES_MAX = 69_632;

/** What the server takes of a sensor at once, and in the long run. */
const SENSOR_BURST = 1_000;
const SENSOR_PER_SECOND = 100;

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** CONNECT packets that are none. */
const BAD_CONNECTS: readonly [what: string, bytes: string][] = [
  ['protocol name MQTX [MQTT-3.1.2-1]', '100d 00044d515458 04 02 003c 0001 61'],
  ['reserved connect flag [MQTT-3.1.2-3]', '100d 00044d515454 04 03 003c 0001 61'],
  ['will QoS without a will [MQTT-3.1.2-13]', '100d 00044d515454 04 0a 003c 0001 61'],
  ['will QoS 3 [MQTT-3.1.2-14]', '100d 00044d515454 04 1e 003c 0001 61'],
  ['will retain without a will [MQTT-3.1.2-15]', '100d 00044d515454 04 22 003c 0001 61'],
  ['password without a user name [MQTT-3.1.2-22]', '1010 00044d515454 04 42 003c 0001 61 0001 61'],
  ['user name announced, not there [MQTT-3.1.2-19]', '100d 00044d515454 04 82 003c 0001 61'],
  ['bytes after the last field', '100e 00044d515454 04 02 003c 0001 61 00'],
  ['it ends within its client id', '100d 00044d515454 04 02 003c 0002 61'],
  ['client id that is no UTF-8 [MQTT-1.5.3-1]', '100d 00044d515454 04 02 003c 0001 ff'],
  ['client id with NUL [MQTT-1.5.3-2]', '100d 00044d515454 04 02 003c 0001 00'],
  ['flags in the first byte [MQTT-2.2.2-2]', '110d 00044d515454 04 02 003c 0001 61'],
  ['an empty CONNECT', '1000'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n'.padEnd(200)).toString('hex')],
  ['a TLS record', '16030100c8010000c40303'],
];

/** Packets that are none, after a good CONNECT. */
const BAD_PACKETS: readonly [what: string, bytes: string][] = [
  ['packet type 0', '0000'],
  ['packet type 15', 'f000'],
  ['CONNACK from a client', '20020000'],
  ['SUBACK from a client', '9003000100'],
  ['UNSUBACK from a client', 'b0020001'],
  ['PINGRESP from a client', 'd000'],
  ['remaining length of 5 bytes', 'c0ffffffff7f'],
  ['PUBLISH with QoS 3 [MQTT-3.3.1-4]', '3605 0001 61 0001'],
  ['PUBLISH with DUP and QoS 0 [MQTT-3.3.1-2]', '3803 0001 61'],
  ['PUBLISH with packet id 0 [MQTT-2.3.1-1]', '3205 0001 61 0000'],
  ['PUBLISH without its packet id', '3203 0001 61'],
  ['PUBLISH on a wildcard [MQTT-3.3.2-2]', '3003 0001 23'],
  ['PUBLISH on an empty topic [MQTT-4.7.3-1]', '3002 0000'],
  ['PUBLISH on a topic with NUL [MQTT-4.7.3-2]', '3004 0002 6100'],
  ['PUBLISH on a surrogate [MQTT-1.5.3-1]', '3005 0003 eda080'],
  ['PUBLISH whose topic goes beyond its end', '3003 ffff 61'],
  ['SUBSCRIBE with wrong flags [MQTT-3.8.1-1]', '8006 0001 0001 61 00'],
  ['SUBSCRIBE without a filter [MQTT-3.8.3-3]', '8202 0001'],
  ['SUBSCRIBE with QoS 3 [MQTT-3-8.3-4]', '8206 0001 0001 61 03'],
  ['SUBSCRIBE with reserved bits [MQTT-3-8.3-4]', '8206 0001 0001 61 40'],
  ['SUBSCRIBE to "a#" [MQTT-4.7.1-2]', '8207 0001 0002 6123 00'],
  ['SUBSCRIBE to "#/a" [MQTT-4.7.1-2]', '8208 0001 0003 232f61 00'],
  ['SUBSCRIBE to "a+" [MQTT-4.7.1-3]', '8207 0001 0002 612b 00'],
  ['SUBSCRIBE with packet id 0 [MQTT-2.3.1-1]', '8206 0000 0001 61 00'],
  ['SUBSCRIBE without its QoS', '8205 0001 0001 61'],
  ['UNSUBSCRIBE without a filter [MQTT-3.10.3-2]', 'a202 0001'],
  ['UNSUBSCRIBE with wrong flags [MQTT-3.10.1-1]', 'a005 0001 0001 61'],
  ['PUBACK of 3 bytes', '4003 000100'],
  ['PUBACK of packet id 0 [MQTT-2.3.1-1]', '4002 0000'],
  ['PUBREL with wrong flags [MQTT-3.6.1-1]', '6002 0001'],
  ['PINGREQ with a body', 'c00100'],
  ['DISCONNECT with flags [MQTT-3.14.1-1]', 'e100'],
];

test('packets', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const bundle = await server.enroll('pump-1');
  const other = await server.enroll('pump-2');
  const topic = 'd/pump-1/telemetry';
  /** Refusals of one kind are summed up within a second, and each one is to be seen here. */
  const expectRefusal = (code: string, attempt: () => Promise<void>): Promise<RefusalView> => {
    clock.advance(1_000);
    return server.expectRefusal(code, attempt);
  };
  let counter = 0;
  const reading = (members: Record<string, unknown> = {}): Buffer => {
    counter += 1;
    return signedPayload(bundle, { ctr: counter, ...members });
  };

  await t.test('a malformed CONNECT closes silently and is counted [MQTT-4.8.0-1]', async () => {
    for (const [what, bytes] of BAD_CONNECTS) {
      const refusal = await expectRefusal('E_WIRE_PACKET', async () => {
        const client = await RawClient.open(bundle);
        client.send(hex(bytes));
        await client.closed();
        assert.equal(client.received.length, 0, what);
      });
      assert.equal(refusal.principal, 'pump-1', what);
    }
  });

  await t.test('a malformed packet closes silently and is counted [MQTT-4.8.0-1]', async () => {
    for (const [what, bytes] of BAD_PACKETS) {
      const tag = /\[.*\]/.exec(what)?.[0];
      const refusal = await expectRefusal('E_WIRE_PACKET', async () => {
        const client = await RawClient.connect(bundle);
        client.send(hex(bytes), encodePingreq());
        await client.closed();
        assert.equal(client.received.length, 4, `${what}: no more than CONNACK`);
      });
      if (tag !== undefined) assert.ok(refusal.detail.includes(tag), `${what}: ${refusal.detail}`);
    }
  });

  await t.test('what came before the malformed packet was handled', async () => {
    const before = (await server.client.readings('pump-1')).length;
    const client = await RawClient.connect(bundle);
    const publish = encodePublish(topic, reading(), { qos: 1, packetId: 7 });
    await expectRefusal('E_WIRE_PACKET', async () => {
      client.send(publish, hex('f000'));
      await client.closed();
    });
    assert.equal((await server.client.readings('pump-1')).length, before + 1);
  });

  await t.test('random bytes crash nothing, and open nothing', async () => {
    const valid = [
      connectPacket(bundle),
      encodePingreq(),
      encodePublish(topic, Buffer.from('{}'), { qos: 1, packetId: 1 }),
      subscribePacket(1, [{ filter: 'd/pump-1/cmd/#', qos: 1 }]),
      unsubscribePacket(1, ['a']),
    ];
    const flipped = fc
      .tuple(fc.constantFrom(...valid), fc.nat(), fc.integer({ min: 1, max: 255 }))
      .map(([packet, at, change]) => {
        const bytes = Uint8Array.from(packet);
        const i = at % bytes.length;
        bytes[i] = (bytes[i] ?? 0) ^ change;
        return bytes;
      });
    const noise = fc.uint8Array({ minLength: 1, maxLength: 300 });
    const stream = fc.array(fc.oneof(noise, flipped, fc.constantFrom(...valid)), { maxLength: 6 });
    const level = fc.constantFrom('none' as const, 4 as const, 5 as const);
    const property = fc.asyncProperty(level, stream, async (protocolLevel, packets) => {
      // As often as a device may connect for ever.
      clock.advance(1_000);
      const client =
        protocolLevel === 'none'
          ? await RawClient.open(bundle)
          : await RawClient.connect(bundle, { protocolLevel });
      client.send(...packets, encodePingreq());
      client.socket.end();
      await client.closed();
    });
    await fc.assert(property, { numRuns: 100 });
    const client = await RawClient.connect(bundle);
    client.send(encodePublish(topic, reading(), { qos: 1, packetId: 1 }));
    assert.equal((await client.expect('puback')).packetId, 1);
    await client.abort();
  });

  await t.test('the largest packet: one below and at it is taken, above it closes', async () => {
    const empty = encodePublish(topic, new Uint8Array(0), { qos: 1, packetId: 1 });
    // A remaining length of 3 bytes in place of 1.
    const payloadBytesMax = PACKET_BYTES_MAX - empty.length - 2;
    const packetOf = (payloadBytes: number): Uint8Array =>
      encodePublish(topic, Buffer.alloc(payloadBytes, 'x'), { qos: 1, packetId: 1 });
    for (const bytes of [payloadBytesMax - 1, payloadBytesMax]) {
      const packet = packetOf(bytes);
      assert.equal(packet.length, PACKET_BYTES_MAX - payloadBytesMax + bytes);
      const client = await RawClient.connect(bundle);
      await expectRefusal('E_VERIFY_SIZE', async () => {
        client.send(packet);
        await client.expect('puback');
      });
      await client.abort();
    }
    const client = await RawClient.connect(bundle);
    const refusal = await expectRefusal('E_WIRE_SIZE', async () => {
      // Its announcement is enough: nobody waits for the rest.
      client.send(packetOf(payloadBytesMax + 1).subarray(0, 5));
      await client.closed();
    });
    assert.match(refusal.detail, new RegExp(String(PACKET_BYTES_MAX + 1)));
  });

  await t.test('the largest payload: at it is stored, above it is refused', async () => {
    const client = await RawClient.connect(bundle);
    counter += 1;
    const overhead = signedPayload(bundle, { ctr: counter, pad: '' }).length;
    const largest = signedPayload(bundle, { ctr: counter, pad: 'x'.repeat(65_536 - overhead) });
    client.send(encodePublish(topic, largest, { qos: 1, packetId: 1 }));
    await client.expect('puback');
    const [stored] = await server.client.readings('pump-1', { limit: 1 });
    assert.equal(stored?.payload, String(largest));
    const above = Buffer.concat([largest, Buffer.from(' ')]);
    await expectRefusal('E_VERIFY_SIZE', async () => {
      client.send(encodePublish(topic, above, { qos: 1, packetId: 2 }));
      assert.equal((await client.expect('puback')).packetId, 2);
    });
    await client.abort();
  });

  await t.test('a topic of 1,024 bytes is judged, a longer one closes', async () => {
    const topicOf = (bytes: number): string => `${topic}/`.padEnd(bytes, 'x');
    const client = await RawClient.connect(bundle);
    client.send(encodePublish(topicOf(1_024), reading(), { qos: 1, packetId: 1 }));
    await client.expect('puback');
    await expectRefusal('E_WIRE_SIZE', async () => {
      client.send(encodePublish(topicOf(1_025), reading(), { qos: 1, packetId: 2 }));
      await client.closed();
    });
  });

  await t.test('a sensor is slowed down to its rate, and not beyond', async () => {
    const [sensor, probe] = [await RawClient.connect(bundle), await RawClient.connect(other)];
    const answersOf = async (): Promise<number> => {
      probe.send(encodePingreq());
      await probe.expect('pingresp');
      return (sensor.received.length - 4) / 2;
    };
    sensor.send(Buffer.alloc(2 * (SENSOR_BURST + 250), encodePingreq()));
    // The first one above is taken on credit.
    for (let n = 0; n <= SENSOR_BURST; n += 1) await sensor.expect('pingresp');
    assert.equal(await answersOf(), SENSOR_BURST + 1);
    for (let seconds = 1; seconds <= 2; seconds += 1) {
      for (let n = 0; n < SENSOR_PER_SECOND; n += 1) {
        clock.advance(1_000 / SENSOR_PER_SECOND);
        await sensor.expect('pingresp');
      }
      assert.equal(await answersOf(), SENSOR_BURST + 1 + seconds * SENSOR_PER_SECOND);
    }
    await Promise.all([sensor.abort(), probe.abort()]);
  });

  await t.test('a packet may be cut at every byte', async () => {
    // So that the sensor has a full burst again.
    clock.advance(20_000);
    const client = await RawClient.connect(bundle);
    const before = (await server.client.readings('pump-1', { limit: 1_000 })).length;
    const length = encodePublish(topic, reading(), { qos: 1, packetId: 1 }).length;
    const sent: string[] = [];
    for (let cut = 1; cut < length; cut += 1) {
      const payload = reading();
      const packet = encodePublish(topic, payload, { qos: 1, packetId: cut });
      sent.push(String(payload));
      // Each write is a TLS record of its own, which the server gets as a chunk of its own.
      client.send(packet.subarray(0, cut));
      client.send(packet.subarray(cut));
      assert.equal((await client.expect('puback')).packetId, cut);
    }
    const stored = await server.client.readings('pump-1', { limit: 1_000 });
    assert.deepEqual(
      stored
        .slice(0, stored.length - before)
        .map(({ payload }) => payload)
        .toReversed(),
      sent,
    );
    await client.abort();
  });

  await t.test('packets may be cut anywhere, many at a time', async () => {
    // So that the sensor has a full burst again.
    clock.advance(20_000);
    const client = await RawClient.connect(bundle);
    const packets = Array.from({ length: 50 }, (_, i) =>
      encodePublish(topic, reading({ pad: 'x'.repeat(i * 7) }), { qos: 1, packetId: i + 1 }),
    );
    const bytes = Buffer.concat(packets);
    let at = 0;
    for (let size = 1; at < bytes.length; size = (size * 7) % 1_009) {
      client.send(bytes.subarray(at, at + size));
      at += size;
    }
    for (let id = 1; id <= packets.length; id += 1) {
      assert.equal((await client.expect('puback')).packetId, id);
    }
    await client.abort();
  });
});
