import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { topicMatches } from '@holdfast/protocol';
import * as fc from 'fast-check';
import { anyFilter, anyTopic } from './lab.testing.ts';
import { TopicTrie } from './topic-trie.ts';

function trieOf(filters: readonly string[]): TopicTrie<string> {
  const trie = new TopicTrie<string>();
  for (const filter of filters) trie.put(filter, filter);
  return trie;
}

describe('TopicTrie', () => {
  test('finds names and wildcards (MQTT 5 §4.7.1)', () => {
    const trie = trieOf(['#', '+/+', 'a/#', 'a/+', 'a/b', 'a', 'a/b/c', 'a/b/#', '/+']);
    const matching = (topic: string): string[] => trie.matching(topic).sort();
    assert.deepEqual(matching('a/b'), ['#', '+/+', 'a/#', 'a/+', 'a/b', 'a/b/#']);
    assert.deepEqual(matching('a'), ['#', 'a', 'a/#']);
    assert.deepEqual(matching('a/b/c'), ['#', 'a/#', 'a/b/#', 'a/b/c']);
    assert.deepEqual(matching('/x'), ['#', '+/+', '/+']);
    assert.deepEqual(matching('x'), ['#']);
  });

  test('keeps leading wildcards away from "$" topics [MQTT-4.7.2-1]', () => {
    const trie = trieOf(['#', '+/a', '+/#', '$s/#', '$s/+', '$s/a']);
    assert.deepEqual(trie.matching('$s/a').sort(), ['$s/#', '$s/+', '$s/a']);
  });

  test('agrees with topicMatches, whatever was put and deleted before', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), anyFilter), { maxLength: 30 });
    fc.assert(
      fc.property(steps, fc.array(anyTopic, { maxLength: 10 }), (steps, topics) => {
        const trie = new TopicTrie<string>();
        const model = new Set<string>();
        for (const [isPut, filter] of steps) {
          if (isPut) trie.put(filter, filter);
          else trie.delete(filter);
          if (isPut) model.add(filter);
          else model.delete(filter);
        }
        for (const topic of topics) {
          const expected = [...model].filter((filter) => topicMatches(filter, topic));
          assert.deepEqual(trie.matching(topic).sort(), expected.sort(), topic);
        }
        for (const filter of model) trie.delete(filter);
        assert.ok(trie.isEmpty);
      }),
      { numRuns: 500 },
    );
  });
});
