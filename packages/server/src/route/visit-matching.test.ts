import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { topicMatches } from '@holdfast/protocol';
import * as fc from 'fast-check';
import { anyFilter, anyTopic } from './lab.testing.ts';
import { LevelTree } from './level-tree.ts';
import { visitMatching } from './visit-matching.ts';

function treeOf(topics: Iterable<string>): LevelTree<string> {
  const tree = new LevelTree<string>();
  for (const topic of topics) tree.put(topic, topic);
  return tree;
}

function found(tree: LevelTree<string>, filter: string): (string | undefined)[] {
  return [...visitMatching(tree.root, filter)].filter((topic) => topic !== undefined).sort();
}

describe('visitMatching', () => {
  test('finds names and wildcards (MQTT 5 §4.7.1)', () => {
    const tree = treeOf(['a', 'a/b', 'a/b/c', 'b', '/b', 'a/']);
    assert.deepEqual(found(tree, 'a/b'), ['a/b']);
    assert.deepEqual(found(tree, 'a/#'), ['a', 'a/', 'a/b', 'a/b/c']);
    assert.deepEqual(found(tree, '+/b'), ['/b', 'a/b']);
    assert.deepEqual(found(tree, '+/+/#'), ['/b', 'a/', 'a/b', 'a/b/c']);
    assert.deepEqual(found(tree, '+'), ['a', 'b']);
    assert.deepEqual(found(tree, 'c/#'), []);
  });

  test('keeps leading wildcards away from "$" topics [MQTT-4.7.2-1]', () => {
    const tree = treeOf(['$s/a', 'x/$s', '$s']);
    assert.deepEqual(found(tree, '#'), ['x/$s']);
    assert.deepEqual(found(tree, '+/#'), ['x/$s']);
    assert.deepEqual(found(tree, '+'), []);
    assert.deepEqual(found(tree, '$s/#'), ['$s', '$s/a']);
  });

  test('takes a step for each node at most, and one even where it finds nothing', () => {
    const tree = treeOf(['a/1/x', 'a/2/x', 'a/3/y']);
    const steps = (filter: string): number => [...visitMatching(tree.root, filter)].length;
    assert.equal(steps('a/+/x'), 4);
    assert.equal(steps('a/+/+/+'), 7);
    assert.equal(steps('#'), 8);
    assert.equal(steps('none/+'), 1);
  });

  // Goal: what stays is found, however the tree changes between two steps. Method: random puts and
  // deletions after each step; nothing that was there all the time may be missing or come twice.
  test('finds what is there from the first to the last step', () => {
    const changes = fc.array(fc.tuple(fc.boolean(), anyTopic), { maxLength: 20 });
    const start = fc.uniqueArray(anyTopic, { maxLength: 12 });
    fc.assert(
      fc.property(start, changes, anyFilter, (topics, changes, filter) => {
        const tree = treeOf(topics);
        const isOld = (topic: string): boolean => topics.includes(topic);
        const always = new Set(topics.filter((topic) => topicMatches(filter, topic)));
        const ever = new Set(always);
        const visited: string[] = [];
        let at = 0;
        for (const topic of visitMatching(tree.root, filter)) {
          if (topic !== undefined) visited.push(topic);
          const [isPut, other] = changes[at] ?? [];
          at += 1;
          if (other === undefined) continue;
          if (isPut === true) {
            tree.put(other, other);
            if (topicMatches(filter, other)) ever.add(other);
          } else if (!visited.includes(other)) {
            tree.delete(other);
            always.delete(other);
          }
        }
        assert.equal(new Set(visited).size, visited.length, 'a topic came twice');
        for (const topic of always) assert.ok(visited.includes(topic) && isOld(topic), topic);
        for (const topic of visited) assert.ok(ever.has(topic), topic);
      }),
      { numRuns: 1_000 },
    );
  });

  test('agrees with topicMatches', () => {
    const topics = fc.array(anyTopic, { maxLength: 20 });
    fc.assert(
      fc.property(topics, anyFilter, (topics, filter) => {
        const expected = [...new Set(topics)].filter((topic) => topicMatches(filter, topic));
        assert.deepEqual(found(treeOf(topics), filter), expected.sort());
      }),
      { numRuns: 500 },
    );
  });
});
