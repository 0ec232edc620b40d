// Goal: each property is accepted exactly where the standard allows it, in its range, once. Method:
// the table 2-4 of MQTT 5, written down here a second time, drives every property through every
// packet. What the server may say and the client may not, and the other way round, is in it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REPEATED_PROPERTIES_MAX } from './limits.ts';
import { PacketRefusal } from './packet-refusal.ts';
import type { ClientPacket, ServerPacket } from './packets.ts';
import { PROPERTIES } from './property-table.ts';
import { type Sender, decodeOne, field, frame, properties } from './test-support.ts';

type Bytes = readonly (number | string | Uint8Array)[];
type Host = readonly [sender: Sender, make: (list: Uint8Array) => Uint8Array, extra?: Bytes];

const connect = (flags: number, ...rest: Bytes): Buffer =>
  frame(0x10, 'MQTT', 5, flags, 0, 10, ...rest);
/** Every packet that has properties. AUTH needs a method, so its own lists begin with one. */
const HOSTS: Readonly<Record<string, Host>> = {
  connect: ['client', (list) => connect(2, list, 'c')],
  will: ['client', (list) => connect(6, 0, 'c', list, 'w', 'x')],
  connack: ['server', (list) => frame(0x20, 0, 0, list)],
  'publish from client': ['client', (list) => frame(0x30, 'a', list, 9)],
  'publish from server': ['server', (list) => frame(0x32, 'a', 0, 1, list, 9)],
  'puback from client': ['client', (list) => frame(0x40, 0, 1, 0, list)],
  'puback from server': ['server', (list) => frame(0x40, 0, 1, 0, list)],
  pubrec: ['client', (list) => frame(0x50, 0, 1, 0, list)],
  pubrel: ['server', (list) => frame(0x62, 0, 1, 0, list)],
  pubcomp: ['client', (list) => frame(0x70, 0, 1, 0, list)],
  subscribe: ['client', (list) => frame(0x82, 0, 1, list, 'a', 0)],
  suback: ['server', (list) => frame(0x90, 0, 1, list, 0)],
  unsubscribe: ['client', (list) => frame(0xa2, 0, 1, list, 'a')],
  unsuback: ['server', (list) => frame(0xb0, 0, 1, list, 0)],
  'disconnect from client': ['client', (list) => frame(0xe0, 0, list)],
  'disconnect from server': ['server', (list) => frame(0xe0, 0x80, list)],
  'auth from client': ['client', (list) => frame(0xf0, 0x18, list), [0x15, 'm']],
  'auth from server': ['server', (list) => frame(0xf0, 0x18, list), [0x15, 'm']],
};
const MESSAGES = ['publish from client', 'publish from server', 'will'];
const ACKS = ['puback from client', 'puback from server', 'pubrec', 'pubrel', 'pubcomp'];
const ANSWERS = [...ACKS, 'suback', 'unsuback'];
const DISCONNECTS = ['disconnect from client', 'disconnect from server'];
const AUTHS = ['auth from client', 'auth from server'];
const TERMS = ['connect', 'connack'];
const TEXT: Bytes = ['t'];
const U16: Bytes = [0, 9];
const U32: Bytes = [0, 0, 0, 9];

/** Identifier, name, a value, and where it may stand. MQTT 5, table 2-4 */
const TABLE: readonly (readonly [number, string, Bytes, unknown, readonly string[]])[] = [
  [0x01, 'payloadFormat', [1], 1, MESSAGES],
  [0x02, 'messageExpiryS', U32, 9, MESSAGES],
  [0x03, 'contentType', TEXT, 't', MESSAGES],
  [0x08, 'responseTopic', TEXT, 't', MESSAGES],
  [0x09, 'correlationData', TEXT, Uint8Array.of(0x74), MESSAGES],
  [0x0b, 'subscriptionId', [9], 9, ['publish from server', 'subscribe']],
  [0x11, 'sessionExpiryS', U32, 9, [...TERMS, 'disconnect from client']],
  [0x12, 'assignedClientId', TEXT, 't', ['connack']],
  [0x13, 'serverKeepAliveS', U16, 9, ['connack']],
  [0x15, 'authMethod', TEXT, 't', [...TERMS, ...AUTHS]],
  [0x17, 'requestProblemInformation', [0], false, ['connect']],
  [0x18, 'delayS', U32, 9, ['will']],
  [0x19, 'requestResponseInformation', [1], true, ['connect']],
  [0x1a, 'responseInformation', TEXT, 't', ['connack']],
  [0x1c, 'serverReference', TEXT, 't', ['connack', ...DISCONNECTS]],
  [0x1f, 'reasonString', TEXT, 't', ['connack', ...ANSWERS, ...DISCONNECTS, ...AUTHS]],
  [0x21, 'receiveMax', U16, 9, TERMS],
  [0x22, 'topicAliasMax', U16, 9, TERMS],
  [0x23, 'topicAlias', U16, 9, ['publish from client', 'publish from server']],
  [0x24, 'qosMax', [1], 1, ['connack']],
  [0x25, 'isRetainAvailable', [0], false, ['connack']],
  [0x26, 'userProperties', ['k', 'v'], [['k', 'v']], Object.keys(HOSTS)],
  [0x27, 'packetBytesMax', U32, 9, TERMS],
  [0x28, 'isWildcardAvailable', [0], false, ['connack']],
  [0x29, 'isSubscriptionIdAvailable', [0], false, ['connack']],
  [0x2a, 'isSharedAvailable', [1], true, ['connack']],
];
/** 0x16 needs 0x15 before it, so it has tests of its own. */
const AUTH_DATA = 0x16;

function decode(host: string, ...list: Bytes): ClientPacket | ServerPacket | PacketRefusal {
  const [sender, make, extra = []] = HOSTS[host] ?? assert.fail(host);
  return decodeOne(sender, make(properties(...extra, ...list)), 5);
}

function refusalOf(host: string, ...list: Bytes): PacketRefusal {
  const packet = decode(host, ...list);
  assert.ok(packet instanceof PacketRefusal, `${host} accepted it`);
  assert.equal(packet.code, 'E_WIRE_PACKET');
  return packet;
}

function valueOf(host: string, name: string, ...list: Bytes): unknown {
  const packet = decode(host, ...list);
  if (packet instanceof PacketRefusal) assert.fail(`${host}: ${packet.detail}`);
  if (packet.type === 'unsubscribe') return packet.userProperties;
  const source = packet.type === 'connect' && packet.will ? packet.will : packet;
  assert.ok('properties' in source);
  return Object.entries(source.properties).find(([key]) => key === name)?.[1];
}

const isForeignMalformed = (host: string): boolean => ['subscribe', 'unsubscribe'].includes(host);

describe('properties, by table 2-4 of MQTT 5', () => {
  test('this table and that of the codec name the same properties', () => {
    const ids = PROPERTIES.map(({ id }) => id).sort((a, b) => a - b);
    const expected = [...TABLE.map(([id]) => id), AUTH_DATA].sort((a, b) => a - b);
    assert.deepEqual(ids, expected);
  });

  for (const [id, name, bytes, value, places] of TABLE) {
    test(`${name} is accepted where it belongs`, () => {
      for (const host of places) {
        if (id === 0x15 && host.startsWith('auth')) {
          assert.equal(valueOf(host, name), 'm');
        } else if (id === 0x0b && host === 'publish from server') {
          assert.deepEqual(valueOf(host, 'subscriptionIds', id, ...bytes), [value]);
        } else {
          assert.deepEqual(valueOf(host, name, id, ...bytes), value, host);
        }
      }
    });

    test(`${name} is refused anywhere else`, () => {
      for (const host of Object.keys(HOSTS).filter((host) => !places.includes(host))) {
        const { reasonCode } = refusalOf(host, id, ...bytes);
        assert.equal(reasonCode, isForeignMalformed(host) ? 0x81 : 0x82, host);
      }
    });

    test(`${name} that ends early is malformed everywhere`, () => {
      for (const host of Object.keys(HOSTS)) {
        assert.equal(refusalOf(host, id).reasonCode, 0x81, host);
        const last = bytes.at(-1);
        const cut = typeof last === 'string' ? [Buffer.of(0, 9, 97)] : [];
        const early = [...bytes.slice(0, -1), ...cut];
        assert.equal(refusalOf(host, id, ...early).reasonCode, 0x81, host);
      }
    });

    const mayRepeat = (host: string): boolean =>
      id === 0x26 || (id === 0x0b && host === 'publish from server');
    test(`${name} twice is a protocol error, unless it may repeat`, () => {
      for (const host of places) {
        if (mayRepeat(host)) assert.ok(valueOf(host, name, id, ...bytes, id, ...bytes) !== null);
        else assert.equal(refusalOf(host, id, ...bytes, id, ...bytes).reasonCode, 0x82, host);
      }
    });
  }
});

describe('values of properties', () => {
  const both = (host: string, good: readonly Bytes[], bad: readonly Bytes[], reason: number) => {
    for (const list of good) {
      assert.ok(!(decode(host, ...list) instanceof PacketRefusal), `${host} ${list.join()}`);
    }
    for (const list of bad) assert.equal(refusalOf(host, ...list).reasonCode, reason);
  };

  test('flags are 0 or 1', () => {
    for (const [host, id] of [
      ['publish from client', 0x01],
      ['will', 0x01],
      ['connect', 0x17],
      ['connect', 0x19],
      ['connack', 0x24],
      ['connack', 0x25],
      ['connack', 0x28],
      ['connack', 0x29],
      ['connack', 0x2a],
    ] as const) {
      const good = [[id, 0] as const, [id, 1] as const];
      const bad = [[id, 2] as const, [id, 0xff] as const];
      both(host, good, bad, 0x82);
    }
  });

  test('receive maximum, maximum packet size and subscription identifier are not 0', () => {
    both('connect', [[0x21, 0, 1]], [[0x21, 0, 0]], 0x82);
    both('connack', [[0x21, 0xff, 0xff]], [[0x21, 0, 0]], 0x82);
    both('connect', [[0x27, 0, 0, 0, 1]], [[0x27, 0, 0, 0, 0]], 0x82);
    both('subscribe', [[0x0b, 1]], [[0x0b, 0]], 0x82);
    both('publish from server', [[0x0b, 1, 0x0b, 1]], [[0x0b, 1, 0x0b, 0]], 0x82);
  });

  test('topic alias 0 has its own reason [MQTT-3.3.2-8]', () => {
    both('publish from client', [[0x23, 0, 1]], [[0x23, 0, 0]], 0x94);
    assert.match(refusalOf('publish from client', 0x23, 0, 0).detail, /\[MQTT-3\.3\.2-8\]/u);
  });

  test('the largest values are read as they are', () => {
    const max32 = [0xff, 0xff, 0xff, 0xff];
    assert.equal(valueOf('connect', 'sessionExpiryS', 0x11, ...max32), 0xffff_ffff);
    assert.equal(valueOf('connect', 'packetBytesMax', 0x27, ...max32), 0xffff_ffff);
    assert.equal(valueOf('connect', 'topicAliasMax', 0x22, 0xff, 0xff), 0xffff);
    assert.equal(valueOf('subscribe', 'subscriptionId', 0x0b, 0xff, 0xff, 0xff, 0x7f), 268_435_455);
  });

  test('the response topic is a topic name without wildcards [MQTT-3.3.2-14]', () => {
    both(
      'publish from client',
      [[0x08, 'a/b']],
      [
        [0x08, ''],
        [0x08, 'a/+'],
        [0x08, '#'],
      ],
      0x82,
    );
    both('will', [[0x08, 'a']], [[0x08, '']], 0x82);
    assert.match(refusalOf('will', 0x08, '#').detail, /\[MQTT-3\.3\.2-14\]/u);
  });

  test('a client names no subscription in its PUBLISH [MQTT-3.3.4-6]', () => {
    assert.equal(refusalOf('publish from client', 0x0b, 1).reasonCode, 0x82);
  });

  test('a server sends no session expiry in its DISCONNECT [MQTT-3.14.2-2]', () => {
    assert.equal(refusalOf('disconnect from server', 0x11, 0, 0, 0, 1).reasonCode, 0x82);
  });

  test('authentication data needs a method, in whatever order', () => {
    for (const host of TERMS) {
      both(
        host,
        [
          [0x15, 'm', 0x16, 'd'],
          [0x16, 'd', 0x15, 'm'],
        ],
        [[0x16, 'd']],
        0x82,
      );
      assert.deepEqual(valueOf(host, 'authData', 0x16, 'd', 0x15, 'm'), Uint8Array.of(0x64));
    }
    both('auth from client', [[0x16, 'd']], [[0x16, 'd', 0x16, 'd']], 0x82);
    assert.equal(refusalOf('publish from client', 0x16, 'd').reasonCode, 0x82);
  });

  test('texts are UTF-8 in every property [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1]', () => {
    for (const bytes of [Buffer.from('eda080', 'hex'), Buffer.from('a\0b'), Buffer.of(0x1f)]) {
      const text = field(bytes);
      for (const list of [
        [0x26, text, 'v'],
        [0x26, 'k', text],
        [0x03, text],
        [0x08, text],
      ]) {
        assert.equal(refusalOf('publish from client', ...list).reasonCode, 0x81);
      }
      assert.equal(refusalOf('puback from client', 0x1f, text).reasonCode, 0x81);
      assert.deepEqual(
        valueOf('publish from client', 'correlationData', 0x09, text),
        Uint8Array.from(bytes),
      );
    }
  });
});

describe('lists of properties', () => {
  test('unknown identifiers are malformed, in one to four bytes', () => {
    for (const id of ['00', '04', '7f', '8001', 'ff7f', '808001', '80808001', 'ffffff7f']) {
      for (const host of Object.keys(HOSTS)) {
        assert.equal(refusalOf(host, Buffer.from(`${id}01`, 'hex')).reasonCode, 0x81);
      }
    }
  });

  test('variable byte integers are minimal and of four bytes at most [MQTT-1.5.5-1]', () => {
    for (const value of ['8000', '818000', '80808000', '8080808001', 'ffffffff7f']) {
      const bytes = Buffer.from(value, 'hex');
      assert.equal(refusalOf('subscribe', 0x0b, bytes).reasonCode, 0x81);
    }
    const long = refusalOf('publish from client', Buffer.from('a600', 'hex'), 'k', 'v');
    assert.match(long.detail, /\[MQTT-1\.5\.5-1\]/u);
    for (const length of ['8000', '808000', '80808080', '8080808001']) {
      const refusal = decodeOne('client', frame(0x30, 'a', Buffer.from(length, 'hex')), 5);
      assert.ok(refusal instanceof PacketRefusal && refusal.reasonCode === 0x81);
    }
  });

  test('a length must be there, and not beyond the end [MQTT-2.2.2-1]', () => {
    for (const bytes of [
      frame(0x30, 'a'),
      frame(0x30, 'a', 1),
      frame(0x30, 'a', 0x80),
      frame(0x82, 0, 1),
      frame(0x82, 0, 1, 9, 'a', 0),
      frame(0x10, 'MQTT', 5, 2, 0, 10),
    ]) {
      const refusal = decodeOne('client', bytes, 5);
      assert.ok(refusal instanceof PacketRefusal && refusal.reasonCode === 0x81);
    }
    const refusal = decodeOne('server', frame(0x20, 0, 0), 5);
    assert.ok(refusal instanceof PacketRefusal);
    assert.match(refusal.detail, /\[MQTT-2\.2\.2-1\]/u);
  });

  test('as many as the limit allows, and one more [E_WIRE_SIZE]', () => {
    const pair = Buffer.concat([Buffer.of(0x26), field(Buffer.of()), field(Buffer.of())]);
    for (const [host, one] of [
      ['publish from client', pair],
      ['publish from server', Buffer.of(0x0b, 7)],
    ] as const) {
      const list = Array.from({ length: REPEATED_PROPERTIES_MAX }, () => one);
      assert.ok(!(decode(host, ...list) instanceof PacketRefusal));
      const refusal = decode(host, ...list, one);
      assert.ok(refusal instanceof PacketRefusal);
      assert.deepEqual([refusal.code, refusal.reasonCode], ['E_WIRE_SIZE', 0x97]);
    }
  });

  test('packets without properties share one object that nobody can change', () => {
    const first = decode('publish from client');
    const second = decode('puback from client');
    assert.ok(!(first instanceof PacketRefusal) && first.type === 'publish');
    assert.ok(!(second instanceof PacketRefusal) && second.type === 'puback');
    assert.equal(first.properties, second.properties);
    assert.ok(Object.isFrozen(first.properties));
  });
});
