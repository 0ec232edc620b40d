import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { encodePublish, encodePublishTemplate, fillPublishTemplate } from './encode-publish.ts';
import * as encode from './encode.ts';
import { PACKET_ID_MAX } from './limits.ts';
import { clientPacket, decodeOne, encodePacket, frame, serverPacket } from './test-support.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const CONNECT = {
  clientId: 'c',
  cleanSession: true,
  keepAliveS: 10,
  will: undefined,
  userName: undefined,
  password: undefined,
} as const;

describe('encode', () => {
  test('decodes to what was encoded, from a client', () => {
    fc.assert(
      fc.property(clientPacket, (packet) => {
        assert.deepEqual(decodeOne('client', encodePacket(packet)), packet);
      }),
      { numRuns: 500 },
    );
  });

  test('decodes to what was encoded, from a server', () => {
    fc.assert(
      fc.property(serverPacket, (packet) => {
        assert.deepEqual(decodeOne('server', encodePacket(packet)), packet);
      }),
      { numRuns: 500 },
    );
  });

  test('writes the bytes that the standard shows', () => {
    const golden: readonly (readonly [Uint8Array, string])[] = [
      [encode.encodeConnect(CONNECT), '100d00044d5154540402000a000163'],
      [
        encode.encodeConnect({
          ...CONNECT,
          cleanSession: false,
          will: { topic: 'w', payload: utf8('x'), qos: 2, retain: true },
          userName: 'u',
          password: utf8('p'),
        }),
        '101900044d51545404f4000a000163000177000178000175000170',
      ],
      [encode.encodeConnack({ sessionPresent: true, returnCode: 0 }), '20020100'],
      [encode.encodeConnack({ sessionPresent: false, returnCode: 5 }), '20020005'],
      [encodePublish('a/b', utf8('hi'), { qos: 0, retain: true }), '31070003612f626869'],
      [encodePublish('a/b', utf8(''), { qos: 1, packetId: 10 }), '32070003612f62000a'],
      [encodePublish('a', utf8('x'), { qos: 2, packetId: 258, dup: true }), '3c06000161010278'],
      [encode.encodePuback(258), '40020102'],
      [encode.encodePubrec(258), '50020102'],
      [encode.encodePubrel(258), '62020102'],
      [encode.encodePubcomp(258), '70020102'],
      [encode.encodeSubscribe(10, [{ filter: 'a/b', qos: 1 }]), '8208000a0003612f6201'],
      [encode.encodeSuback(10, [0, 2, 0x80]), '9005000a000280'],
      [encode.encodeUnsubscribe(10, ['a/b', 'c']), 'a20a000a0003612f62000163'],
      [encode.encodeUnsuback(10), 'b002000a'],
      [encode.encodePingreq(), 'c000'],
      [encode.encodePingresp(), 'd000'],
      [encode.encodeDisconnect(), 'e000'],
    ];
    for (const [bytes, expected] of golden) assert.equal(hex(bytes), expected);
  });

  test('tells an unsupported version in the form its client knows [MQTT-3.1.2-2]', () => {
    assert.equal(hex(encode.encodeConnackUnsupported(3)), '20020001');
    assert.equal(hex(encode.encodeConnackUnsupported(5)), '2003008400');
    assert.equal(hex(encode.encodeConnackUnsupported(6)), '2003008400');
  });

  test('writes remaining lengths of one to four bytes, both sides of each boundary', () => {
    for (const [remaining, headerBytes] of [
      [127, 2],
      [128, 3],
      [16_383, 3],
      [16_384, 4],
      [2_097_151, 4],
      [2_097_152, 5],
    ] as const) {
      const payload = new Uint8Array(remaining - 3).fill(7);
      const bytes = encodePublish('a', payload, { qos: 0 });
      assert.equal(bytes.length, headerBytes + remaining);
      assert.equal(hex(bytes), hex(frame(0x30, 'a', payload)));
    }
  });

  test('gives each packet memory of its own', () => {
    const packets = Array.from({ length: 5_000 }, (_, i) => encode.encodePuback(i + 1));
    for (const [i, packet] of packets.entries()) {
      assert.equal(hex(packet), `4002${(i + 1).toString(16).padStart(4, '0')}`);
    }
  });

  test('throws for a packet id that is none [MQTT-2.3.1-1]', () => {
    for (const packetId of [0, -1, 1.5, Number.NaN, PACKET_ID_MAX + 1]) {
      assert.throws(() => encode.encodePuback(packetId), RangeError);
      assert.throws(() => encodePublish('a', utf8(''), { qos: 1, packetId }), RangeError);
    }
    assert.equal(hex(encode.encodePuback(PACKET_ID_MAX)), '4002ffff');
  });

  test('throws for a field that is longer than 65,535 bytes [MQTT-4.7.3-3]', () => {
    for (const unit of ['a', 'é', '€']) {
      const fits = unit.repeat(65_535 / Buffer.byteLength(unit));
      assert.equal(
        encodePublish(fits, utf8(''), { qos: 0 }).length,
        4 + 2 + Buffer.byteLength(fits),
      );
      assert.throws(() => encodePublish(`${fits}${unit}`, utf8(''), { qos: 0 }), RangeError);
      assert.throws(() => encode.encodeConnect({ ...CONNECT, clientId: fits + unit }), RangeError);
    }
    const password = new Uint8Array(65_536);
    assert.throws(() => encode.encodeConnect({ ...CONNECT, userName: 'u', password }), RangeError);
    assert.throws(() => encode.encodeConnect({ ...CONNECT, keepAliveS: 65_536 }), RangeError);
  });

  test('throws for a password without a user name [MQTT-3.1.2-22]', () => {
    const password = utf8('p');
    assert.throws(() => encode.encodeConnect({ ...CONNECT, password }), RangeError);
  });

  test('throws for a packet that no remaining length can express', () => {
    const payload = { length: 268_435_453 } as Uint8Array;
    assert.throws(() => encodePublish('a', payload, { qos: 0 }), RangeError);
  });
});

describe('encodePublishTemplate', () => {
  test('gives each receiver what encodePublish would', () => {
    const payload = utf8('payload');
    for (const qos of [1, 2] as const) {
      for (const retain of [true, false]) {
        const template = encodePublishTemplate('a/b', payload, { qos, retain });
        for (const dup of [true, false]) {
          for (const packetId of [1, 258, PACKET_ID_MAX]) {
            assert.equal(
              hex(fillPublishTemplate(template, { packetId, dup })),
              hex(encodePublish('a/b', payload, { qos, retain, dup, packetId })),
            );
          }
        }
      }
    }
  });

  test('leaves template and earlier copies as they are', () => {
    const template = encodePublishTemplate('a', utf8('x'), { qos: 1 });
    const before = hex(template.bytes);
    const first = fillPublishTemplate(template, { packetId: 1, dup: true });
    const second = fillPublishTemplate(template, { packetId: 2 });
    assert.deepEqual([hex(first), hex(second)], ['3a06000161000178', '3206000161000278']);
    assert.equal(hex(template.bytes), before);
    assert.throws(() => fillPublishTemplate(template, { packetId: 0 }), RangeError);
  });
});
