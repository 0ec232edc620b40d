import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { topicMatches } from '@holdfast/protocol';
import type { Qos } from '@holdfast/protocol/mqtt';
import * as fc from 'fast-check';
import { TopicTrie } from './topic-trie.ts';

/** What a match visits, as [subscriber, QoS], in order of the subscriber. */
function matched(trie: TopicTrie<string>, topic: string): [string, Qos][] {
  const visits: [string, Qos][] = [];
  trie.match(topic, (subscriber, qos) => visits.push([subscriber, qos]));
  return visits.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe('TopicTrie', () => {
  test('finds the subscribers of names and wildcards (MQTT 3.1.1 §4.7.1)', () => {
    const trie = new TopicTrie<string>();
    for (const filter of ['#', '+/+', 'a/#', 'a/+', 'a/b', 'a', 'a/b/c', 'a/b/#', '/+']) {
      trie.add(filter, filter, 0);
    }
    const subscribers = (topic: string): string[] => matched(trie, topic).map(([name]) => name);
    assert.deepEqual(subscribers('a/b'), ['#', '+/+', 'a/#', 'a/+', 'a/b', 'a/b/#']);
    assert.deepEqual(subscribers('a'), ['#', 'a', 'a/#']);
    assert.deepEqual(subscribers('a/b/c'), ['#', 'a/#', 'a/b/#', 'a/b/c']);
    assert.deepEqual(subscribers('/x'), ['#', '+/+', '/+']);
    assert.deepEqual(subscribers('x'), ['#']);
  });

  test('keeps leading wildcards away from "$" topics [MQTT-4.7.2-1]', () => {
    const trie = new TopicTrie<string>();
    for (const filter of ['#', '+/a', '+/#', '$s/#', '$s/+', '$s/a']) trie.add(filter, filter, 0);
    assert.deepEqual(
      matched(trie, '$s/a').map(([name]) => name),
      ['$s/#', '$s/+', '$s/a'],
    );
  });

  test('delivers once, with the maximum QoS of overlapping filters [MQTT-3.3.5-1]', () => {
    const trie = new TopicTrie<string>();
    trie.add('a/#', 'x', 0);
    trie.add('a/+', 'x', 2);
    trie.add('a/b', 'x', 1);
    trie.add('a/b', 'y', 0);
    assert.deepEqual(matched(trie, 'a/b'), [
      ['x', 2],
      ['y', 0],
    ]);
  });

  test('replaces the QoS of an existing subscription', () => {
    const trie = new TopicTrie<string>();
    trie.add('a', 'x', 2);
    trie.add('a', 'x', 0);
    assert.deepEqual(matched(trie, 'a'), [['x', 0]]);
    assert.equal(trie.remove('a', 'x'), true);
    assert.equal(trie.remove('a', 'x'), false);
  });

  test('removes only what it is told to', () => {
    const trie = new TopicTrie<string>();
    trie.add('a/b', 'x', 0);
    trie.add('a/b', 'y', 1);
    trie.add('a', 'x', 1);
    for (const [filter, subscriber] of [
      ['a/b/c', 'x'],
      ['b', 'x'],
      ['a', 'y'],
      ['a/+', 'x'],
    ] as const) {
      assert.equal(trie.remove(filter, subscriber), false);
    }
    trie.removeAll(['a/b', 'not/there'], 'x');
    assert.deepEqual(matched(trie, 'a/b'), [['y', 1]]);
    assert.deepEqual(matched(trie, 'a'), [['x', 1]]);
  });

  test('lets the visitor subscribe and unsubscribe', () => {
    const trie = new TopicTrie<string>();
    for (const name of ['x', 'y', 'z']) trie.add('a', name, 0);
    const visited: string[] = [];
    trie.match('a', (subscriber) => {
      visited.push(subscriber);
      for (const name of ['x', 'y', 'z']) trie.remove('a', name);
      trie.add('a', `new ${subscriber}`, 0);
    });
    assert.deepEqual(visited, ['x', 'y', 'z']);
    assert.equal(matched(trie, 'a').length, 3);
  });

  // Goal: the trie is right whatever happened before. Method: random subscriptions and removals,
  // then all topics of a small world against the plain reference; at last nothing may be left.
  test('agrees with topicMatches after any adds and removes, and prunes itself', () => {
    const level = fc.constantFrom('a', 'b', '', '$s', '+');
    const filter = fc
      .tuple(fc.array(level, { maxLength: 3 }), fc.oneof(level, fc.constant('#')))
      .map(([parts, last]) => [...parts, last].join('/'));
    const step = fc.record({
      isAdd: fc.boolean(),
      filter,
      subscriber: fc.constantFrom('x', 'y', 'z'),
      qos: fc.constantFrom<Qos[]>(0, 1, 2),
    });
    const names = fc.constantFrom('a', 'b', 'c', '', '$s');
    const topic = fc
      .array(names, { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join('/'))
      .filter((text) => text !== '');
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(topic, { maxLength: 20 }),
        (steps, topics) => {
          const trie = new TopicTrie<string>();
          const model = new Map<string, Qos>();
          const key = (filter: string, subscriber: string): string => `${subscriber} ${filter}`;
          for (const { isAdd, filter, subscriber, qos } of steps) {
            if (isAdd) {
              trie.add(filter, subscriber, qos);
              model.set(key(filter, subscriber), qos);
            } else {
              const wasThere = model.delete(key(filter, subscriber));
              assert.equal(trie.remove(filter, subscriber), wasThere);
            }
          }
          for (const topic of topics) {
            const expected = new Map<string, Qos>();
            for (const [text, qos] of model) {
              const subscriber = text.slice(0, 1);
              if (!topicMatches(text.slice(2), topic)) continue;
              if (qos >= (expected.get(subscriber) ?? 0)) expected.set(subscriber, qos);
            }
            assert.deepEqual(new Map(matched(trie, topic)), expected, topic);
            assert.equal(matched(trie, topic).length, expected.size);
          }
          for (const text of model.keys()) trie.removeAll([text.slice(2)], text.slice(0, 1));
          assert.ok(trie.isEmpty);
        },
      ),
      { numRuns: 500 },
    );
  });
});
