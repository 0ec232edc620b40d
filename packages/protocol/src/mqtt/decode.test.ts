// Goal: every rule is enforced. Method: one malformed packet or more for each; the title carries
// the tags of the standard, and the detail of the refusal must name the very same ones.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TOPIC_BYTES_MAX, TOPIC_LEVELS_MAX } from '../topics.ts';
import { FILTERS_PER_PACKET_MAX } from './limits.ts';
import { PacketRefusal } from './packet-refusal.ts';
import { type Sender, decodeOne, field, frame } from './test-support.ts';

/** Title with tags, then malformed frames. */
type Rule = readonly [title: string, ...frames: Uint8Array[]];

const TAGS = /\[MQTT-[\d.-]+\]/gu;

function refuses(sender: Sender, rules: readonly Rule[]): void {
  for (const [title, ...frames] of rules) {
    test(`refuses ${title}`, () => {
      for (const bytes of frames) {
        const packet = decodeOne(sender, bytes);
        assert.ok(packet instanceof PacketRefusal, `accepted ${bytes.toString()}`);
        assert.equal(packet.code, 'E_WIRE_PACKET');
        for (const [tag] of title.matchAll(TAGS)) {
          assert.ok(packet.detail.includes(tag), `${packet.detail} lacks ${tag}`);
        }
      }
    });
  }
}

/** Compares the fields that are named, each of them exactly. */
function accepts(sender: Sender, bytes: Uint8Array, expected: object): void {
  const packet = decodeOne(sender, bytes);
  if (packet instanceof PacketRefusal) assert.fail(packet.detail);
  const named = Object.entries(packet).filter(([name]) => name in expected);
  assert.deepEqual(Object.fromEntries(named), expected);
}

/** The beginning of a CONNECT up to the keep-alive. */
const connect = (flags: number, ...fields: readonly (string | Uint8Array | number)[]): Buffer =>
  frame(0x10, 'MQTT', 4, flags, 0, 10, ...fields);
const NOTHING = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
const surrogate = field(Buffer.from('eda080', 'hex'));
const nul = field(Buffer.from('a\0b'));
const control = field(Buffer.from('a\u001Fb'));

describe('decodeFromClient CONNECT', () => {
  test('speaks MQTT 3.1, whose reserved flag is open', () => {
    for (const flags of [2, 3]) {
      const packet = frame(0x10, 'MQIsdp', 3, flags, 0, 10, 'c');
      accepts('client', packet, { type: 'connect', protocolLevel: 3, clientId: 'c' });
    }
  });

  test('tells the level that a broken CONNECT asked for, and stays silent on its form', () => {
    for (const [bytes, protocolLevel, isSilent] of [
      [connect(3, 'c'), 4, true],
      [connect(2, 'c', 0), 4, false],
      [connect(0x82, 'c', nul), 4, true],
      [frame(0x10, 'MQIsdp', 3, 2, 0, 10), 3, false],
      [frame(0x10, 'MQTT'), undefined, false],
      [frame(0x11, 'MQTT', 4, 2, 0, 10, 'c'), undefined, false],
    ] as const) {
      const refusal = decodeOne('client', bytes);
      assert.ok(refusal instanceof PacketRefusal);
      assert.deepEqual([refusal.protocolLevel, refusal.isSilent], [protocolLevel, isSilent]);
    }
  });

  refuses('client', [
    [
      'a protocol name other than "MQTT" [MQTT-3.1.2-1]',
      frame(0x10, 'MQT', 4, 2, 0, 10, 'c'),
      frame(0x10, 'MQTTT', 4, 2, 0, 10, 'c'),
      frame(0x10, 'mqtt', 4, 2, 0, 10, 'c'),
      frame(0x10, '', 4, 2, 0, 10, 'c'),
      frame(0x10),
      frame(0x10, 0, 5, Buffer.from('MQTT')),
    ],
    ['no protocol level [MQTT-3.1.2-2]', frame(0x10, 'MQTT')],
    [
      'an end before the client id begins [MQTT-4.8.0-1]',
      frame(0x10, 'MQTT', 4),
      frame(0x10, 'MQTT', 4, 2),
      frame(0x10, 'MQTT', 4, 2, 0),
    ],
    ['the reserved flag [MQTT-3.1.2-3]', connect(0x03, 'c')],
    ['will QoS without a will [MQTT-3.1.2-13]', connect(0x0a, 'c'), connect(0x12, 'c')],
    ['will QoS 3 [MQTT-3.1.2-14]', connect(0x1e, 'c', 'w', 'x')],
    ['will retain without a will [MQTT-3.1.2-15]', connect(0x22, 'c')],
    ['a password without a user name [MQTT-3.1.2-22]', connect(0x42, 'c', 'p')],
    ['no client id [MQTT-3.1.3-3]', connect(2), connect(2, 0, 2, 99)],
    ['a will flag without a will [MQTT-3.1.2-9]', connect(6, 'c'), connect(6, 'c', 'w')],
    ['a user name flag without one [MQTT-3.1.2-19]', connect(0x82, 'c')],
    ['a password flag without one [MQTT-3.1.2-21]', connect(0xc2, 'c', 'u')],
    [
      'fields without their flags [MQTT-3.1.2-11] [MQTT-3.1.2-18] [MQTT-3.1.2-20]',
      connect(2, 'c', 'more'),
      connect(0x82, 'c', 'u', 'p'),
      connect(0xc2, 'c', 'u', 'p', 0),
    ],
    [
      'ill-formed UTF-8 in client id, will topic, user name [MQTT-1.5.3-1]',
      connect(2, surrogate),
      connect(6, 'c', surrogate, 'x'),
      connect(0x82, 'c', surrogate),
    ],
    [
      'U+0000 in client id, will topic, user name [MQTT-1.5.3-2]',
      connect(2, nul),
      connect(6, 'c', nul, 'x'),
      connect(0x82, 'c', nul),
    ],
    ['a control character in a text (MQTT 3.1.1 §1.5.3)', connect(2, control)],
    ['a wildcard in a will topic [MQTT-4.7.1-1]', connect(6, 'c', 'a/#', 'x')],
    ['an empty will topic [MQTT-4.7.3-1]', connect(6, 'c', '', 'x')],
  ]);

  test('reads all fields', () => {
    accepts('client', connect(0xf6, 'c', 'w', 'x', 'u', 'p'), {
      type: 'connect',
      protocolLevel: 4,
      clientId: 'c',
      cleanStart: true,
      keepAliveS: 10,
      will: {
        topic: 'w',
        payload: Uint8Array.from(Buffer.from('x')),
        qos: 2,
        retain: true,
        properties: {},
      },
      properties: {},
      userName: 'u',
      password: Uint8Array.from(Buffer.from('p')),
    });
  });

  test('passes an empty client id on, for the session to answer [MQTT-3.1.3-8]', () => {
    accepts('client', connect(0, ''), { clientId: '', cleanStart: false });
  });

  test('passes any bytes in a password and in a will message', () => {
    const bytes = Uint8Array.of(0, 0xff, 0xd8);
    accepts('client', connect(0xc6, 'c', 'w', field(bytes), 'u', field(bytes)), {
      will: { topic: 'w', payload: bytes, qos: 0, retain: false, properties: {} },
      password: bytes,
    });
  });

  test('recognizes other versions without reading on [MQTT-3.1.2-2]', () => {
    for (const [protocolName, protocolLevel] of [
      ['MQIsdp', 2],
      ['MQIsdp', 4],
      ['MQIsdp', 0x83],
      ['MQTT', 3],
      ['MQTT', 6],
      ['MQTT', 0x84],
    ] as const) {
      const bytes = frame(0x10, protocolName, protocolLevel, 0xff);
      accepts('client', bytes, { type: 'connectUnsupported', protocolName, protocolLevel });
    }
  });
});

for (const sender of ['client', 'server'] as const) {
  describe(`decode PUBLISH from a ${sender}`, () => {
    refuses(sender, [
      ['QoS 3 [MQTT-3.3.1-4]', frame(0x36, 'a', 0, 1, 9), frame(0x3f, 'a', 0, 1, 9)],
      ['DUP with QoS 0 [MQTT-3.3.1-2]', frame(0x38, 'a', 9), frame(0x39, 'a', 9)],
      ['packet id 0 [MQTT-2.3.1-1]', frame(0x32, 'a', 0, 0, 9), frame(0x34, 'a', 0, 0)],
      ['no packet id [MQTT-2.3.1-1]', frame(0x32, 'a'), frame(0x32, 'a', 1), frame(0x3c, 'a')],
      [
        'an end within the topic [MQTT-4.8.0-1]',
        frame(0x30),
        frame(0x30, 0),
        frame(0x30, 0, 2, 97),
        frame(0x32, 0xff, 0xff, 97, 0, 1),
      ],
      [
        'a wildcard in the topic [MQTT-3.3.2-2] [MQTT-4.7.1-1]',
        frame(0x30, '#'),
        frame(0x30, 'a/+/b'),
        frame(0x30, 'a+'),
      ],
      ['an empty topic [MQTT-4.7.3-1]', frame(0x30, ''), frame(0x32, '', 0, 1)],
      ['ill-formed UTF-8 in the topic [MQTT-1.5.3-1]', frame(0x30, surrogate)],
      ['U+0000 in the topic [MQTT-1.5.3-2] [MQTT-4.7.3-2]', frame(0x30, nul)],
      ['a control character in the topic (MQTT 3.1.1 §1.5.3)', frame(0x30, control)],
    ]);

    test('gives the payload as a view, and flags as they are', () => {
      const bytes = frame(0x3b, 'a/ü', 1, 2, 7, 8);
      const packet = decodeOne(sender, bytes);
      assert.ok(!(packet instanceof PacketRefusal) && packet.type === 'publish');
      assert.partialDeepStrictEqual(packet, {
        topic: 'a/ü',
        qos: 1,
        dup: true,
        retain: true,
        packetId: 0x0102,
      });
      bytes[bytes.length - 1] = 99;
      assert.deepEqual([...packet.payload], [7, 99]);
    });

    test('reads no packet id at QoS 0 [MQTT-2.3.1-5]', () => {
      accepts(sender, frame(0x30, 'a', 0, 1), {
        packetId: undefined,
        payload: Uint8Array.of(0, 1),
      });
    });

    test('accepts an empty payload, and a topic that begins with "$" or "/"', () => {
      accepts(sender, frame(0x31, 'a'), { payload: new Uint8Array(0), retain: true });
      accepts(sender, frame(0x30, '$SYS/a'), { topic: '$SYS/a' });
      accepts(sender, frame(0x30, '/'), { topic: '/' });
    });
  });

  describe(`decode acknowledgements from a ${sender}`, () => {
    for (const [type, first] of [
      ['puback', 0x40],
      ['pubrec', 0x50],
      ['pubrel', 0x62],
      ['pubcomp', 0x70],
    ] as const) {
      refuses(sender, [
        [`${type} with wrong flags [MQTT-2.2.2-2]`, frame(first ^ 1, 0, 1), frame(first ^ 2, 0, 1)],
        [`${type} with packet id 0 [MQTT-2.3.1-1]`, frame(first, 0, 0)],
        [`${type} without packet id [MQTT-2.3.1-1]`, frame(first), frame(first, 1)],
        [`${type} with a reason code [MQTT-4.8.0-1]`, frame(first, 0, 1, 0)],
      ]);
      test(`accepts ${type}`, () =>
        accepts(sender, frame(first, 1, 2), { type, packetId: 258, reasonCode: 0 }));
    }
    refuses(sender, [
      [
        'PUBREL with flags other than 0010 [MQTT-2.2.2-2] [MQTT-3.6.1-1]',
        ...[0, 1, 3, 4, 6, 8, 10, 15].map((flags) => frame(0x60 | flags, 0, 1)),
      ],
    ]);
  });
}

describe('decodeFromClient SUBSCRIBE', () => {
  refuses('client', [
    [
      'flags other than 0010 [MQTT-2.2.2-2] [MQTT-3.8.1-1]',
      ...[0x80, 0x81, 0x83, 0x84, 0x8a].map((first) => frame(first, 0, 1, 'a', 0)),
    ],
    ['packet id 0 [MQTT-2.3.1-1]', frame(0x82, 0, 0, 'a', 0)],
    ['no packet id [MQTT-2.3.1-1]', frame(0x82), frame(0x82, 1)],
    ['no topic filter [MQTT-3.8.3-3]', frame(0x82, 0, 1)],
    ['a topic filter without QoS [MQTT-3.8.3-3]', frame(0x82, 0, 1, 'a')],
    ['an end within a filter [MQTT-3.8.3-1]', frame(0x82, 0, 1, 'a', 0, 0, 9, 97)],
    [
      'reserved bits or QoS 3 in the requested QoS [MQTT-3-8.3-4]',
      ...[3, 4, 0x10, 0x41, 0x80].map((qos) => frame(0x82, 0, 1, 'a', qos)),
    ],
    ['an empty filter [MQTT-4.7.3-1]', frame(0x82, 0, 1, '', 0), frame(0x82, 0, 1, 'a', 0, '', 0)],
    ['"#" not last, or not alone [MQTT-4.7.1-2]', frame(0x82, 0, 1, 'a/#/b', 0)],
    ['"+" not alone [MQTT-4.7.1-3]', frame(0x82, 0, 1, 'a+', 0)],
    ['ill-formed UTF-8 [MQTT-1.5.3-1]', frame(0x82, 0, 1, surrogate, 0)],
    ['U+0000 [MQTT-1.5.3-2]', frame(0x82, 0, 1, nul, 0)],
  ]);

  test('keeps the order of the filters', () => {
    accepts('client', frame(0x82, 0, 9, 'b', 2, 'a/+/#', 0, 'b', 1), {
      packetId: 9,
      subscriptions: [
        { filter: 'b', qos: 2, ...NOTHING },
        { filter: 'a/+/#', qos: 0, ...NOTHING },
        { filter: 'b', qos: 1, ...NOTHING },
      ],
    });
  });
});

describe('decodeFromClient UNSUBSCRIBE', () => {
  refuses('client', [
    [
      'flags other than 0010 [MQTT-2.2.2-2] [MQTT-3.10.1-1]',
      ...[0xa0, 0xa1, 0xa4, 0xaa].map((first) => frame(first, 0, 1, 'a')),
    ],
    ['packet id 0 [MQTT-2.3.1-1]', frame(0xa2, 0, 0, 'a')],
    ['no topic filter [MQTT-3.10.3-2]', frame(0xa2, 0, 1)],
    ['an end within a filter [MQTT-3.10.3-1]', frame(0xa2, 0, 1, 'a', 0), frame(0xa2, 0, 1, 0, 9)],
    ['an empty filter [MQTT-4.7.3-1]', frame(0xa2, 0, 1, 'a', '')],
    ['a malformed filter [MQTT-4.7.1-3]', frame(0xa2, 0, 1, 'ab/+e')],
    ['ill-formed UTF-8 [MQTT-1.5.3-1]', frame(0xa2, 0, 1, surrogate)],
  ]);

  test('keeps the order of the filters', () => {
    accepts('client', frame(0xa2, 0, 9, 'b', 'a'), { packetId: 9, filters: ['b', 'a'] });
  });
});

describe('decode packets of two bytes', () => {
  refuses('client', [
    ['PINGREQ with flags [MQTT-2.2.2-2]', frame(0xc1), frame(0xc4)],
    ['PINGREQ with a body [MQTT-4.8.0-1]', frame(0xc0, 0)],
    ['DISCONNECT with flags [MQTT-2.2.2-2] [MQTT-3.14.1-1]', frame(0xe1), frame(0xe4)],
    ['DISCONNECT with a body [MQTT-4.8.0-1]', frame(0xe0, 0)],
  ]);
  refuses('server', [
    ['PINGRESP with flags [MQTT-2.2.2-2]', frame(0xd1), frame(0xd8)],
    ['PINGRESP with a body [MQTT-4.8.0-1]', frame(0xd0, 0)],
  ]);
});

describe('decodeFromServer', () => {
  refuses('server', [
    ['CONNACK with flags in the first byte [MQTT-2.2.2-2]', frame(0x21, 0, 0)],
    ['CONNACK that is too short [MQTT-4.8.0-1]', frame(0x20), frame(0x20, 0)],
    ['CONNACK that is too long [MQTT-4.8.0-1]', frame(0x20, 0, 0, 0)],
    ['reserved acknowledge flags (MQTT 3.1.1 §3.2.2.1)', frame(0x20, 2, 0), frame(0x20, 0x80, 0)],
    ['a reserved return code (MQTT 3.1.1 §3.2.2.3)', frame(0x20, 0, 6), frame(0x20, 0, 0x80)],
    ['a session present with a refusal [MQTT-3.2.2-4]', frame(0x20, 1, 1), frame(0x20, 1, 5)],
    ['SUBACK with flags [MQTT-2.2.2-2]', frame(0x92, 0, 1, 0)],
    ['SUBACK with packet id 0 [MQTT-2.3.1-1]', frame(0x90, 0, 0, 0)],
    ['SUBACK without a return code [MQTT-3.9.3-1]', frame(0x90, 0, 1)],
    [
      'SUBACK with a reserved return code [MQTT-3.9.3-2]',
      ...[3, 4, 0x7f, 0x81, 0xff].map((code) => frame(0x90, 0, 1, 0, code)),
    ],
    ['UNSUBACK with packet id 0 [MQTT-2.3.1-1]', frame(0xb0, 0, 0)],
    ['UNSUBACK with more bytes [MQTT-4.8.0-1]', frame(0xb0, 0, 1, 0)],
  ]);

  test('accepts every return code there is', () => {
    for (const reasonCode of [0, 1, 2, 3, 4, 5]) {
      accepts('server', frame(0x20, 0, reasonCode), { sessionPresent: false, reasonCode });
    }
    accepts('server', frame(0x20, 1, 0), { sessionPresent: true, reasonCode: 0 });
    accepts('server', frame(0x90, 0, 1, 0, 1, 2, 0x80), { reasonCodes: [0, 1, 2, 0x80] });
  });
});

describe('direction (MQTT 3.1.1 §2.2.1)', () => {
  refuses('client', [
    ['CONNACK from a client', frame(0x20, 0, 0)],
    ['SUBACK from a client', frame(0x90, 0, 1, 0)],
    ['UNSUBACK from a client', frame(0xb0, 0, 1)],
    ['PINGRESP from a client', frame(0xd0)],
    ['packet types 0 and 15 from a client', frame(0x00), frame(0x0f), frame(0xf0)],
  ]);
  refuses('server', [
    ['CONNECT from a server', connect(2, 'c')],
    ['SUBSCRIBE from a server', frame(0x82, 0, 1, 'a', 0)],
    ['UNSUBSCRIBE from a server', frame(0xa2, 0, 1, 'a')],
    ['PINGREQ from a server', frame(0xc0)],
    ['DISCONNECT from a server', frame(0xe0)],
    ['packet types 0 and 15 from a server', frame(0x00), frame(0xf0)],
  ]);
});

describe('limits of the decoder', () => {
  const deep = (levels: number): string => Array.from({ length: levels }, () => 'a').join('/');
  const many = (count: number, ...line: readonly (string | number)[]): (string | number)[] =>
    Array.from({ length: count }, () => line).flat();

  test('topics at and above the limits of bytes and levels [E_WIRE_SIZE]', () => {
    for (const topic of ['a'.repeat(TOPIC_BYTES_MAX), deep(TOPIC_LEVELS_MAX)]) {
      accepts('client', frame(0x30, topic), { topic });
      accepts('client', frame(0x82, 0, 1, topic, 0), { type: 'subscribe' });
    }
    for (const topic of ['a'.repeat(TOPIC_BYTES_MAX + 1), deep(TOPIC_LEVELS_MAX + 1)]) {
      for (const bytes of [frame(0x30, topic), frame(0x82, 0, 1, topic, 0)]) {
        const packet = decodeOne('client', bytes);
        assert.ok(packet instanceof PacketRefusal && packet.code === 'E_WIRE_SIZE');
      }
    }
  });

  test('filters in one packet at and above the limit [E_WIRE_SIZE]', () => {
    const count = FILTERS_PER_PACKET_MAX;
    for (const [sender, first, line] of [
      ['client', 0x82, ['a', 0]],
      ['client', 0xa2, ['a']],
      ['server', 0x90, [0]],
    ] as const) {
      accepts(sender, frame(first, 0, 1, ...many(count, ...line)), { packetId: 1 });
      const packet = decodeOne(sender, frame(first, 0, 1, ...many(count + 1, ...line)));
      assert.ok(packet instanceof PacketRefusal && packet.code === 'E_WIRE_SIZE');
    }
  });
});
