import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { encodeConnack, encodeConnackUnsupported, encodeConnect } from './encode-connect.ts';
import { encodePublish, encodePublishTemplate, fillPublishTemplate } from './encode-publish.ts';
import * as encode from './encode.ts';
import { encodeForwarded } from './forwarded.ts';
import { PACKET_ID_MAX } from './limits.ts';
import { clientPacket, serverPacket } from './random-packets.ts';
import { decodeOne, encodePacket, frame } from './test-support.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const utf8 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text));
const CONNECT = {
  protocolLevel: 4,
  clientId: 'c',
  cleanStart: true,
  keepAliveS: 10,
  will: undefined,
  userName: undefined,
  password: undefined,
  properties: {},
} as const;
const NOTHING = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

describe('encode', () => {
  for (const level of [3, 4, 5] as const) {
    test(`decodes to what was encoded, from a client, level ${level}`, () => {
      fc.assert(
        fc.property(clientPacket(level), (packet) => {
          assert.deepEqual(decodeOne('client', encodePacket(packet, level), level), packet);
        }),
        { numRuns: 500 },
      );
    });

    test(`decodes to what was encoded, from a server, level ${level}`, () => {
      fc.assert(
        fc.property(serverPacket(level), (packet) => {
          assert.deepEqual(decodeOne('server', encodePacket(packet, level), level), packet);
        }),
        { numRuns: 500 },
      );
    });
  }

  test('writes the bytes that the standard shows', () => {
    const golden: readonly (readonly [Uint8Array, string])[] = [
      [encodeConnect(CONNECT), '100d00044d5154540402000a000163'],
      [
        encodeConnect({
          ...CONNECT,
          cleanStart: false,
          will: { topic: 'w', payload: utf8('x'), qos: 2, retain: true, properties: {} },
          userName: 'u',
          password: utf8('p'),
        }),
        '101900044d51545404f4000a000163000177000178000175000170',
      ],
      [encodeConnack({ sessionPresent: true, reasonCode: 0, properties: {} }, 4), '20020100'],
      [encodeConnack({ sessionPresent: false, reasonCode: 5, properties: {} }, 4), '20020005'],
      [encodePublish('a/b', utf8('hi'), { qos: 0, retain: true }), '31070003612f626869'],
      [encodePublish('a/b', utf8(''), { qos: 1, packetId: 10 }), '32070003612f62000a'],
      [encodePublish('a', utf8('x'), { qos: 2, packetId: 258, dup: true }), '3c06000161010278'],
      [encode.encodePuback(258), '40020102'],
      [encode.encodePubrec(258), '50020102'],
      [encode.encodePubrel(258), '62020102'],
      [encode.encodePubcomp(258), '70020102'],
      [
        encode.encodeSubscribe(
          { packetId: 10, subscriptions: [{ filter: 'a/b', qos: 1, ...NOTHING }], properties: {} },
          4,
        ),
        '8208000a0003612f6201',
      ],
      [
        encode.encodeSuback({ packetId: 10, reasonCodes: [0, 2, 0x80], properties: {} }, 4),
        '9005000a000280',
      ],
      [
        encode.encodeUnsubscribe({ packetId: 10, filters: ['a/b', 'c'], userProperties: [] }, 4),
        'a20a000a0003612f62000163',
      ],
      [encode.encodeUnsuback({ packetId: 10, reasonCodes: [0], properties: {} }, 4), 'b002000a'],
      [encode.encodePingreq(), 'c000'],
      [encode.encodePingresp(), 'd000'],
      [encode.encodeDisconnect(), 'e000'],
    ];
    for (const [bytes, expected] of golden) assert.equal(hex(bytes), expected);
  });

  test('writes the bytes that the standard shows for MQTT 5', () => {
    const options = { noLocal: true, retainAsPublished: true, retainHandling: 2 } as const;
    const golden: readonly (readonly [Uint8Array, string])[] = [
      [
        encodeConnect({
          ...CONNECT,
          protocolLevel: 5,
          will: {
            topic: 'w',
            payload: utf8('x'),
            qos: 1,
            retain: false,
            properties: { delayS: 1 },
          },
          password: utf8('p'),
          properties: { sessionExpiryS: 10, receiveMax: 20 },
        }),
        '102500044d515454054e000a08110000000a210014000163051800000001000177000178000170',
      ],
      [
        encodeConnack(
          {
            sessionPresent: false,
            reasonCode: 0,
            properties: { topicAliasMax: 10, packetBytesMax: 2_000_000, receiveMax: 20 },
          },
          5,
        ),
        '200e00000b22000a27001e8480210014',
      ],
      [encodePublish('a/b', utf8('hi'), { qos: 0 }, 5), '30080003612f62006869'],
      [
        encodePublish(
          'a',
          utf8('x'),
          {
            qos: 1,
            packetId: 10,
            messageExpiryS: 0xffff_fffe,
            topicAlias: 3,
            subscriptionIds: [1, 268_435_455],
            forwarded: encodeForwarded({ userProperties: [['k', 'v']] }),
          },
          5,
        ),
        '321d000161000a1602fffffffe2300030b010bffffff7f2600016b00017678',
      ],
      [encode.encodePuback(258, 0x10), '4003010210'],
      [encode.encodePuback(258, 0, { reasonString: 'r' }), '4008010200041f000172'],
      [encode.encodePubrec(258, 0, {}), '50020102'],
      [encode.encodePubrel(258, 0x92), '6203010292'],
      [encode.encodePubcomp(258, 0x92), '7003010292'],
      [
        encode.encodeSubscribe(
          {
            packetId: 10,
            subscriptions: [{ filter: 'a', qos: 1, ...options }],
            properties: { subscriptionId: 128 },
          },
          5,
        ),
        '820a000a030b80010001612d',
      ],
      [
        encode.encodeSuback({ packetId: 10, reasonCodes: [1, 0x87], properties: {} }, 5),
        '9005000a000187',
      ],
      [
        encode.encodeUnsubscribe({ packetId: 10, filters: ['a'], userProperties: [] }, 5),
        'a206000a00000161',
      ],
      [
        encode.encodeUnsuback({ packetId: 10, reasonCodes: [0, 0x11], properties: {} }, 5),
        'b005000a000011',
      ],
      [encode.encodeDisconnect({ reasonCode: 0 }), 'e000'],
      [encode.encodeDisconnect({ reasonCode: 0x8e }), 'e0018e'],
      [encode.encodeDisconnect({ properties: { sessionExpiryS: 5 } }), 'e00700051100000005'],
      [encode.encodeAuth({ reasonCode: 0, properties: {} }), 'f000'],
      [
        encode.encodeAuth({ reasonCode: 0x18, properties: { authMethod: 'm' } }),
        'f00618041500016d',
      ],
    ];
    for (const [bytes, expected] of golden) assert.equal(hex(bytes), expected);
  });

  test('tells that a version is not spoken in the form of MQTT 5 [MQTT-3.1.2-2]', () => {
    assert.equal(hex(encodeConnackUnsupported()), '2003008400');
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
      assert.throws(() => encodeConnect({ ...CONNECT, clientId: fits + unit }), RangeError);
    }
    const password = new Uint8Array(65_536);
    assert.throws(() => encodeConnect({ ...CONNECT, userName: 'u', password }), RangeError);
    assert.throws(() => encodeConnect({ ...CONNECT, keepAliveS: 65_536 }), RangeError);
  });

  test('throws for a password without a user name [MQTT-3.1.2-22]', () => {
    const password = utf8('p');
    assert.throws(() => encodeConnect({ ...CONNECT, password }), RangeError);
  });

  test('throws for a property that has no encoding', () => {
    const long = 'x'.repeat(65_536);
    for (const properties of [
      { contentType: long },
      { userProperties: [['k', long]] as const },
      { correlationData: new Uint8Array(65_536) },
    ]) {
      assert.throws(() => encodeForwarded(properties), RangeError);
    }
    const connack = { sessionPresent: false, reasonCode: 0 };
    for (const properties of [{ sessionExpiryS: 2 ** 32 }, { receiveMax: 65_536 }]) {
      assert.throws(() => encodeConnack({ ...connack, properties }, 5), RangeError);
    }
    assert.throws(
      () => encodePublish('a', utf8(''), { qos: 0, messageExpiryS: -1 }, 5),
      RangeError,
    );
    assert.throws(
      () => encodePublish('a', utf8(''), { qos: 0, topicAlias: 65_536 }, 5),
      RangeError,
    );
  });

  test('leaves out what MQTT 3.1.1 does not know', () => {
    const hop = { messageExpiryS: 1, topicAlias: 1, subscriptionIds: [1] };
    const forwarded = encodeForwarded({ contentType: 't' });
    const plain = encodePublish('a', utf8('x'), { qos: 0 });
    const full = encodePublish('a', utf8('x'), { qos: 0, ...hop, forwarded });
    assert.equal(hex(full), hex(plain));
  });

  test('throws for a packet that no remaining length can express', () => {
    const payload = { length: 268_435_453 } as Uint8Array;
    assert.throws(() => encodePublish('a', payload, { qos: 0 }), RangeError);
  });
});

describe('encodePublishTemplate', () => {
  test('gives each receiver what encodePublish would', () => {
    const payload = utf8('payload');
    const forwarded = encodeForwarded({ contentType: 't' });
    const packetIds = fc.oneof(
      fc.constantFrom(1, 258, PACKET_ID_MAX),
      fc.integer({ min: 1, max: 9 }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(1 as const, 2 as const),
        fc.constantFrom(4 as const, 5 as const),
        packetIds,
        fc.boolean(),
        fc.boolean(),
        (qos, level, packetId, dup, retain) => {
          const options = { qos, retain, forwarded, messageExpiryS: 7 };
          const template = encodePublishTemplate('a/b', payload, options, level);
          assert.equal(
            hex(fillPublishTemplate(template, { packetId, dup })),
            hex(encodePublish('a/b', payload, { ...options, dup, packetId }, level)),
          );
        },
      ),
    );
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
