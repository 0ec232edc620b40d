// Goal and method as in decode.test.ts, for what MQTT 5 adds: reason codes in both directions, the
// short forms of packets, subscription options, topic aliases, and which reason a refusal has.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PacketRefusal } from './packet-refusal.ts';
import { REASON } from './reason-codes.ts';
import { type Sender, decodeOne, field, frame, properties } from './test-support.ts';

const TAGS = /\[MQTT-[\d.-]+\]/gu;
const ALL_CODES = Array.from({ length: 256 }, (_, code) => code);

function refusalOf(sender: Sender, bytes: Uint8Array): PacketRefusal {
  const packet = decodeOne(sender, bytes, 5);
  assert.ok(packet instanceof PacketRefusal, `accepted ${Buffer.from(bytes).toString('hex')}`);
  return packet;
}

/** Title with tags, the reason code, then frames that must be refused with it. */
type Rule = readonly [title: string, reasonCode: number, ...frames: Uint8Array[]];

function refuses(sender: Sender, rules: readonly Rule[]): void {
  for (const [title, reasonCode, ...frames] of rules) {
    test(`refuses ${title}`, () => {
      for (const bytes of frames) {
        const refusal = refusalOf(sender, bytes);
        assert.equal(refusal.reasonCode, reasonCode, refusal.detail);
        for (const [tag] of title.matchAll(TAGS)) {
          assert.ok(refusal.detail.includes(tag), `${refusal.detail} lacks ${tag}`);
        }
      }
    });
  }
}

function accepts(sender: Sender, bytes: Uint8Array, expected: object): void {
  const packet = decodeOne(sender, bytes, 5);
  if (packet instanceof PacketRefusal) assert.fail(packet.detail);
  const named = Object.entries(packet).filter(([name]) => name in expected);
  assert.deepEqual(Object.fromEntries(named), expected);
}

/** Which of all 256 codes are accepted. */
function acceptedCodes(sender: Sender, make: (code: number) => Uint8Array): number[] {
  return ALL_CODES.filter((code) => {
    const packet = decodeOne(sender, make(code), 5);
    if (packet instanceof PacketRefusal) assert.equal(packet.reasonCode, 0x82);
    return !(packet instanceof PacketRefusal);
  });
}

const connect = (flags: number, ...rest: readonly (number | string | Uint8Array)[]): Buffer =>
  frame(0x10, 'MQTT', 5, flags, 0, 10, ...rest);
const nul = field(Buffer.from('a\0b'));
const surrogate = field(Buffer.from('eda080', 'hex'));

describe('decode CONNECT of MQTT 5', () => {
  refuses('client', [
    ['the reserved flag [MQTT-3.1.2-3]', 0x81, connect(3, 0, 'c')],
    ['will QoS without a will [MQTT-3.1.2-11]', 0x81, connect(0x0a, 0, 'c')],
    ['will QoS 3 [MQTT-3.1.2-12]', 0x81, connect(0x1e, 0, 'c', 0, 'w', 'x')],
    ['will retain without a will [MQTT-3.1.2-13]', 0x81, connect(0x22, 0, 'c')],
    ['fields without their flags [MQTT-3.1.2-16] [MQTT-3.1.2-18]', 0x81, connect(2, 0, 'c', 'u')],
    ['a user name flag without one [MQTT-3.1.2-17]', 0x81, connect(0x82, 0, 'c')],
    ['a password flag without one [MQTT-3.1.2-19]', 0x81, connect(0x42, 0, 'c')],
    ['no client id [MQTT-3.1.3-3]', 0x85, connect(2, 0)],
    ['a client id that is no UTF-8 [MQTT-1.5.4-1]', 0x85, connect(2, 0, surrogate)],
    ['U+0000 in a client id [MQTT-1.5.4-2]', 0x85, connect(2, 0, nul)],
    ['a broken will topic [MQTT-1.5.4-1]', 0x81, connect(6, 0, 'c', 0, surrogate, 'x')],
    ['a wildcard in a will topic [MQTT-4.7.0-1]', 0x81, connect(6, 0, 'c', 0, '#', 'x')],
    ['an empty will topic [MQTT-4.7.3-1]', 0x81, connect(6, 0, 'c', 0, '', 'x')],
    ['a will without its message [MQTT-3.1.2-9]', 0x81, connect(6, 0, 'c', 0, 'w')],
    ['a broken user name [MQTT-1.5.4-1]', 0x81, connect(0x82, 0, 'c', surrogate)],
  ]);

  test('tells level and silence with each refusal', () => {
    for (const [bytes, isSilent] of [
      [connect(3, 0, 'c'), true],
      [connect(0x1e, 0, 'c', 0, 'w', 'x'), true],
      [connect(0x82, 0, 'c', nul), true],
      [connect(0x82, 0, 'c'), true],
      [connect(0x42, 0, 'c'), true],
      [connect(2, 0, nul), false],
      [connect(2, properties(0x21, 0, 0), 'c'), false],
      [connect(6, 0, 'c', 0, nul, 'x'), false],
      [connect(2, 0, 'c', 0), false],
    ] as const) {
      const refusal = refusalOf('client', bytes);
      assert.equal(refusal.protocolLevel, 5);
      assert.equal(refusal.isSilent, isSilent, refusal.detail);
    }
  });

  test('is decoded whatever the connection spoke before', () => {
    for (const level of [3, 4, 5] as const) {
      const packet = decodeOne('client', connect(2, 0, 'c'), level);
      assert.ok(!(packet instanceof PacketRefusal) && packet.type === 'connect');
      assert.equal(packet.protocolLevel, 5);
    }
  });

  test('reads a password without a user name (MQTT 5 §3.1.2.9)', () => {
    accepts('client', connect(0x42, 0, 'c', 'p'), {
      userName: undefined,
      password: Uint8Array.of(0x70),
    });
  });
});

describe('decode CONNACK of MQTT 5', () => {
  refuses('server', [
    ['reserved flags [MQTT-3.2.2-1]', 0x81, frame(0x20, 2, 0, 0), frame(0x20, 0x80, 0, 0)],
    ['a session with a refusal [MQTT-3.2.2-6]', 0x82, frame(0x20, 1, 0x87, 0)],
    ['an end before the properties [MQTT-2.2.2-1]', 0x81, frame(0x20, 0, 0)],
    ['bytes after the properties [MQTT-4.13.1-1]', 0x81, frame(0x20, 0, 0, 0, 0)],
  ]);

  test('accepts the reason codes it has [MQTT-3.2.2-8]', () => {
    assert.deepEqual(
      acceptedCodes('server', (code) => frame(0x20, 0, code, 0)),
      [
        0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95,
        0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
      ],
    );
  });
});

for (const sender of ['client', 'server'] as const) {
  describe(`decode PUBLISH of MQTT 5 from a ${sender}`, () => {
    refuses(sender, [
      ['QoS 3 [MQTT-3.3.1-4]', 0x81, frame(0x36, 'a', 0, 1, 0)],
      ['DUP with QoS 0 [MQTT-3.3.1-2]', 0x81, frame(0x38, 'a', 0)],
      ['packet id 0 [MQTT-2.2.1-3]', 0x82, frame(0x32, 'a', 0, 0, 0)],
      ['no packet id [MQTT-2.2.1-3]', 0x81, frame(0x32, 'a', 1)],
      ['no topic [MQTT-3.3.2-1]', 0x81, frame(0x30), frame(0x30, 0, 9, 97)],
      ['a wildcard in the topic [MQTT-3.3.2-2] [MQTT-4.7.0-1]', 0x81, frame(0x30, 'a/+', 0)],
      ['ill-formed UTF-8 in the topic [MQTT-1.5.4-1]', 0x81, frame(0x30, surrogate, 0)],
      ['U+0000 in the topic [MQTT-1.5.4-2]', 0x81, frame(0x30, nul, 0)],
      [
        'an empty topic without a topic alias [MQTT-4.7.3-1]',
        0x82,
        frame(0x30, '', 0),
        frame(0x30, '', properties(0x26, 'k', 'v')),
      ],
    ]);

    test('reads an empty topic with a topic alias', () => {
      accepts(sender, frame(0x32, '', 0, 1, properties(0x23, 0, 7), 9), {
        topic: '',
        packetId: 1,
        properties: { topicAlias: 7 },
        payload: Uint8Array.of(9),
      });
    });

    test('gives the payload after the properties as a view', () => {
      const bytes = frame(0x30, 'a', properties(0x26, 'k', 'v', 0x01, 1), 7, 8);
      const packet = decodeOne(sender, bytes, 5);
      assert.ok(!(packet instanceof PacketRefusal) && packet.type === 'publish');
      assert.deepEqual(packet.properties, { userProperties: [['k', 'v']], payloadFormat: 1 });
      bytes[bytes.length - 1] = 99;
      assert.deepEqual([...packet.payload], [7, 99]);
    });

    test('takes the byte after an empty property list for payload', () => {
      accepts(sender, frame(0x30, 'a', 0, 0, 0), { payload: Uint8Array.of(0, 0), properties: {} });
    });
  });

  describe(`decode acknowledgements of MQTT 5 from a ${sender}`, () => {
    const received = [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
    const released = [0x00, 0x92];
    for (const [type, first, codes, tag] of [
      ['puback', 0x40, received, 'MQTT-3.4.2-1'],
      ['pubrec', 0x50, received, 'MQTT-3.5.2-1'],
      ['pubrel', 0x62, released, 'MQTT-3.6.2-1'],
      ['pubcomp', 0x70, released, 'MQTT-3.7.2-1'],
    ] as const) {
      test(`${type} has the reason codes of the standard [${tag}]`, () => {
        for (const list of [[], [0]]) {
          const make = (code: number): Uint8Array => frame(first, 0, 1, code, ...list);
          assert.deepEqual(acceptedCodes(sender, make), codes);
        }
      });

      test(`${type} may leave out reason and properties`, () => {
        const expected = { type, packetId: 1, reasonCode: 0, properties: {} };
        for (const list of [[], [0], [0, 0]])
          accepts(sender, frame(first, 0, 1, ...list), expected);
      });

      refuses(sender, [
        [
          `${type} with packet id 0 [MQTT-2.2.1-3]`,
          0x82,
          frame(first, 0, 0),
          frame(first, 0, 0, 0),
        ],
        [`${type} that is too short`, 0x81, frame(first), frame(first, 1)],
        [`${type} with more bytes [MQTT-4.13.1-1]`, 0x81, frame(first, 0, 1, 0, 0, 0)],
        [
          `${type} with wrong flags [MQTT-2.1.3-1]`,
          type === 'pubrel' ? 0x82 : 0x81,
          frame(first ^ 1, 0, 1),
          frame(first ^ 2, 0, 1),
        ],
      ]);
    }
  });
}

describe('decode SUBSCRIBE of MQTT 5', () => {
  const subscribe = (filter: string, options: number): Buffer =>
    frame(0x82, 0, 1, 0, filter, options);

  refuses('client', [
    ['packet id 0 [MQTT-2.2.1-3]', 0x81, frame(0x82, 0, 0, 0, 'a', 0)],
    ['no topic filter [MQTT-3.8.3-2]', 0x81, frame(0x82, 0, 1, 0)],
    ['a topic filter without options [MQTT-3.8.3-2]', 0x81, frame(0x82, 0, 1, 0, 'a')],
    ['reserved options [MQTT-3.8.3-5]', 0x81, subscribe('a', 0x40), subscribe('a', 0x80)],
    ['QoS 3', 0x81, subscribe('a', 3), subscribe('a', 0x2f)],
    ['retain handling 3', 0x81, subscribe('a', 0x30)],
    ['no local when shared [MQTT-3.8.3-4]', 0x82, subscribe('$share/g/a', 4)],
    ['a shared subscription without filter [MQTT-4.8.2-2]', 0x81, subscribe('$share/g', 0)],
    ['"#" that is not last [MQTT-4.7.1-1]', 0x81, subscribe('#/a', 0)],
    ['"+" that is not alone [MQTT-4.7.1-2]', 0x81, subscribe('a+', 0)],
    ['flags other than 0010 [MQTT-3.8.1-1]', 0x81, frame(0x80, 0, 1, 0, 'a', 0)],
  ]);

  test('reads every combination of options', () => {
    for (const retainHandling of [0, 1, 2]) {
      for (const qos of [0, 1, 2]) {
        for (const noLocal of [false, true]) {
          for (const retainAsPublished of [false, true]) {
            const flags = (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0);
            accepts('client', subscribe('a', (retainHandling << 4) | flags | qos), {
              subscriptions: [{ filter: 'a', qos, noLocal, retainAsPublished, retainHandling }],
            });
          }
        }
      }
    }
  });
});

describe('decode UNSUBSCRIBE of MQTT 5', () => {
  refuses('client', [
    ['packet id 0 [MQTT-2.2.1-3]', 0x81, frame(0xa2, 0, 0, 0, 'a')],
    ['no topic filter [MQTT-3.10.3-2]', 0x81, frame(0xa2, 0, 1, 0)],
    ['flags other than 0010 [MQTT-3.10.1-1]', 0x81, frame(0xa0, 0, 1, 0, 'a')],
  ]);

  test('reads user properties', () => {
    accepts('client', frame(0xa2, 0, 1, properties(0x26, 'k', 'v'), 'a', '$share/g/b'), {
      filters: ['a', '$share/g/b'],
      userProperties: [['k', 'v']],
    });
  });
});

describe('decode SUBACK and UNSUBACK of MQTT 5', () => {
  refuses('server', [
    ['SUBACK without a reason code [MQTT-3.9.3-1]', 0x81, frame(0x90, 0, 1, 0)],
    ['UNSUBACK without a reason code [MQTT-3.11.3-1]', 0x81, frame(0xb0, 0, 1, 0)],
    ['UNSUBACK as in MQTT 3.1.1 [MQTT-2.2.2-1]', 0x81, frame(0xb0, 0, 1)],
  ]);

  test('accept the reason codes they have [MQTT-3.9.3-2] [MQTT-3.11.3-2]', () => {
    assert.deepEqual(
      acceptedCodes('server', (code) => frame(0x90, 0, 1, 0, 0, code)),
      [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2],
    );
    assert.deepEqual(
      acceptedCodes('server', (code) => frame(0xb0, 0, 1, 0, 0, code)),
      [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
    );
  });
});

describe('decode DISCONNECT and AUTH of MQTT 5', () => {
  test('DISCONNECT may leave out reason and properties', () => {
    const expected = { type: 'disconnect', reasonCode: 0, properties: {} };
    for (const list of [[], [0], [0, 0]]) accepts('client', frame(0xe0, ...list), expected);
    accepts('server', frame(0xe0, 0x8b), { reasonCode: REASON.serverShuttingDown });
  });

  test('DISCONNECT has the reason codes of the standard [MQTT-3.14.2-1]', () => {
    const shared = ALL_CODES.filter(
      (code) =>
        (code >= 0x80 &&
          code <= 0xa2 &&
          ![0x84, 0x85, 0x86, 0x88, 0x8a, 0x91, 0x92].includes(code)) ||
        code === 0,
    );
    const make = (code: number): Uint8Array => frame(0xe0, code);
    assert.deepEqual(acceptedCodes('server', make), shared);
    assert.deepEqual(acceptedCodes('client', make), [0, 4, ...shared.slice(1)]);
  });

  test('AUTH has the reason codes of its sender [MQTT-3.15.2-1]', () => {
    const make = (code: number): Uint8Array => frame(0xf0, code, properties(0x15, 'm'));
    assert.deepEqual(acceptedCodes('server', make), [0x00, 0x18]);
    assert.deepEqual(acceptedCodes('client', make), [0x18, 0x19]);
    accepts('server', frame(0xf0), { type: 'auth', reasonCode: 0, properties: {} });
  });

  refuses('client', [
    ['DISCONNECT with flags [MQTT-3.14.1-1]', 0x82, frame(0xe1), frame(0xe4)],
    ['DISCONNECT with more bytes [MQTT-4.13.1-1]', 0x81, frame(0xe0, 0, 0, 0)],
    ['AUTH with flags [MQTT-3.15.1-1]', 0x82, frame(0xf2), frame(0xf8)],
    ['AUTH without a method', 0x82, frame(0xf0, 0x18, 0), frame(0xf0), frame(0xf0, 0)],
    ['AUTH without properties [MQTT-2.2.2-1]', 0x81, frame(0xf0, 0x18)],
  ]);
});

describe('direction (MQTT 5 §2.1.2)', () => {
  refuses('client', [
    ['CONNACK', 0x82, frame(0x20, 0, 0, 0)],
    ['SUBACK', 0x82, frame(0x90, 0, 1, 0, 0)],
    ['UNSUBACK', 0x82, frame(0xb0, 0, 1, 0, 0)],
    ['PINGRESP', 0x82, frame(0xd0)],
  ]);
  refuses('server', [
    ['CONNECT', 0x82, connect(2, 0, 'c')],
    ['SUBSCRIBE', 0x82, frame(0x82, 0, 1, 0, 'a', 0)],
    ['UNSUBSCRIBE', 0x82, frame(0xa2, 0, 1, 0, 'a')],
    ['PINGREQ', 0x82, frame(0xc0)],
  ]);

  test('pings with a body end the connection without a word', () => {
    for (const first of [0xc0, 0xd0]) assert.ok(refusalOf('client', frame(first, 0)).isSilent);
    assert.ok(!refusalOf('client', frame(0xc1)).isSilent);
  });
});
