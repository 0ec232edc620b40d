import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  TOPIC_BYTES_MAX,
  TOPIC_LEVELS_MAX,
  checkTopicFilter,
  checkTopicName,
  parseShared,
  topicMatches,
} from './topics.ts';

const levels = (count: number): string => Array.from({ length: count }, () => 'a').join('/');

describe('checkTopicName', () => {
  test('accepts what the standard allows', () => {
    for (const topic of ['a', '/', 'a/b', '/a', 'a/', 'a//b', '$SYS/x', 'with space', 'é/€/𪛔']) {
      assert.equal(checkTopicName(topic), undefined, topic);
    }
  });

  test('refuses wildcards [MQTT-4.7.1-1] [MQTT-3.3.2-2]', () => {
    for (const topic of ['+', '#', 'a/+', 'a/#', 'a+b', 'a#']) {
      assert.match(checkTopicName(topic)?.detail ?? '', /\[MQTT-4\.7\.1-1\]/u, topic);
    }
  });
});

describe('checkTopicFilter', () => {
  test('accepts wildcards in their places', () => {
    for (const filter of ['#', '+', 'a/#', '+/+/#', '/+', '+/', 'a/+/b', '$SYS/#', 'a//#']) {
      assert.equal(checkTopicFilter(filter), undefined, filter);
    }
  });

  test('refuses "#" that is not alone in the last level [MQTT-4.7.1-2]', () => {
    for (const filter of ['a#', '#a', '#/a', 'a/#/b', 'a/b#', '##', '#/', '+#']) {
      assert.match(checkTopicFilter(filter)?.detail ?? '', /\[MQTT-4\.7\.1-2\]/u, filter);
    }
  });

  test('refuses "+" that is not alone in its level [MQTT-4.7.1-3]', () => {
    for (const filter of ['a+', '+a', '++', 'a/b+/c', 'a/+b']) {
      assert.match(checkTopicFilter(filter)?.detail ?? '', /\[MQTT-4\.7\.1-3\]/u, filter);
    }
  });
});

describe('shared subscriptions', () => {
  test('are taken apart', () => {
    for (const [filter, name, rest] of [
      ['$share/g/a', 'g', 'a'],
      ['$share/g/a/+/#', 'g', 'a/+/#'],
      ['$share/g//', 'g', '/'],
      ['$share/$share/$share/g/a', '$share', '$share/g/a'],
      ['$share/é €/#', 'é €', '#'],
    ] as const) {
      assert.deepEqual(parseShared(filter), { name, filter: rest });
      assert.equal(checkTopicFilter(filter), undefined, filter);
    }
  });

  test('are not what only looks like them', () => {
    for (const filter of ['$share', 'a/$share/g/b', '$Share/g/a', '$shared/g/a', 'share/g/a']) {
      assert.equal(parseShared(filter), undefined);
      assert.equal(checkTopicFilter(filter), undefined, filter);
    }
  });

  test('have a name without wildcards and a filter [MQTT-4.8.2-1] [MQTT-4.8.2-2]', () => {
    for (const filter of [
      '$share/',
      '$share//',
      '$share//a',
      '$share/g',
      '$share/g/',
      '$share/+/a',
      '$share/g+/a',
      '$share/#/a',
      '$share/#',
    ]) {
      assert.equal(parseShared(filter), undefined, filter);
      const refusal = checkTopicFilter(filter);
      assert.equal(refusal?.reasonCode, 0x81, filter);
      assert.match(refusal.detail, /\[MQTT-4\.8\.2-1\] \[MQTT-4\.8\.2-2\]/u);
    }
  });

  test('keep the grammar and the limits of filters', () => {
    assert.match(checkTopicFilter('$share/g/a#')?.detail ?? '', /\[MQTT-4\.7\.1-2\]/u);
    assert.equal(checkTopicFilter('$share/g\u0001/a')?.code, 'E_WIRE_PACKET');
    assert.equal(checkTopicFilter(`$share/g/${levels(TOPIC_LEVELS_MAX)}`), undefined);
    assert.equal(checkTopicFilter(`$share/g/${levels(TOPIC_LEVELS_MAX + 1)}`)?.code, 'E_WIRE_SIZE');
    const name = 'g'.repeat(TOPIC_BYTES_MAX - '$share//a'.length);
    assert.equal(checkTopicFilter(`$share/${name}/a`), undefined);
    assert.equal(checkTopicFilter(`$share/${name}g/a`)?.code, 'E_WIRE_SIZE');
  });
});

describe('the reason code of a topic beyond the limits', () => {
  test('tells names from filters', () => {
    const deep = levels(TOPIC_LEVELS_MAX + 1);
    assert.equal(checkTopicName(deep)?.reasonCode, 0x90);
    assert.equal(checkTopicFilter(deep)?.reasonCode, 0x8f);
  });
});

for (const [what, check] of [
  ['checkTopicName', checkTopicName],
  ['checkTopicFilter', checkTopicFilter],
] as const) {
  describe(`${what}, what names and filters share`, () => {
    test('refuses an empty text [MQTT-4.7.3-1]', () => {
      assert.match(check('')?.detail ?? '', /\[MQTT-4\.7\.3-1\]/u);
    });

    test('refuses U+0000 [MQTT-4.7.3-2] and other characters that no packet may hold', () => {
      assert.match(check('a\0')?.detail ?? '', /\[MQTT-4\.7\.3-2\]/u);
      for (const text of ['\uD800', 'a\u001F', 'a/\u007F', '\u009F', '\uFFFE']) {
        assert.equal(check(text)?.code, 'E_WIRE_PACKET');
      }
    });

    test('counts bytes, not characters [MQTT-4.7.3-3]', () => {
      for (const unit of ['a', 'é', '𪛔']) {
        const fits = unit.repeat(TOPIC_BYTES_MAX / Buffer.byteLength(unit));
        assert.equal(check(fits), undefined);
        assert.equal(check(`${fits}a`)?.code, 'E_WIRE_SIZE');
      }
      assert.equal(check('€'.repeat(341)), undefined);
      assert.equal(check('€'.repeat(342))?.code, 'E_WIRE_SIZE');
    });

    test('refuses more levels than the limit', () => {
      for (const count of [TOPIC_LEVELS_MAX - 1, TOPIC_LEVELS_MAX]) {
        assert.equal(check(levels(count)), undefined);
      }
      assert.equal(check(levels(TOPIC_LEVELS_MAX + 1))?.code, 'E_WIRE_SIZE');
      assert.equal(check('/'.repeat(TOPIC_LEVELS_MAX))?.code, 'E_WIRE_SIZE');
    });
  });
}

describe('topicMatches', () => {
  test('follows the examples of the standard (MQTT 3.1.1 §4.7.1)', () => {
    for (const [filter, topic, expected] of [
      ['sport/tennis/player1/#', 'sport/tennis/player1', true],
      ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
      ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
      ['sport/#', 'sport', true],
      ['#', 'any/thing', true],
      ['sport/tennis/+', 'sport/tennis/player1', true],
      ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
      ['sport/+', 'sport', false],
      ['sport/+', 'sport/', true],
      ['+/+', '/finance', true],
      ['/+', '/finance', true],
      ['+', '/finance', false],
      ['a/b', 'a/b', true],
      ['a/b', 'A/b', false],
      ['a/b', 'a/b/', false],
      ['a/b', '/a/b', false],
    ] as const) {
      assert.equal(topicMatches(filter, topic), expected, `${filter} ${topic}`);
    }
  });

  test('keeps leading wildcards away from "$" topics [MQTT-4.7.2-1]', () => {
    for (const [filter, expected] of [
      ['#', false],
      ['+/monitor/Clients', false],
      ['+/#', false],
      ['$SYS/#', true],
      ['$SYS/monitor/+', true],
    ] as const) {
      assert.equal(topicMatches(filter, '$SYS/monitor/Clients'), expected, filter);
    }
    assert.equal(topicMatches('a/+', 'a/$b'), true);
    assert.equal(topicMatches('a/#', 'a/$b'), true);
  });
});
