import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LevelTree } from './level-tree.ts';

test('removes with a value the nodes that only it needed', () => {
  const tree = new LevelTree<number>();
  tree.put('a/b/c', 1);
  tree.put('a/b', 2);
  tree.put('a/x', 3);
  tree.delete('a/b/c');
  assert.equal(tree.root.children?.get('a')?.children?.get('b')?.children, undefined);
  assert.equal(tree.find('a/b'), 2);
  tree.delete('a/b');
  assert.deepEqual([...(tree.root.children?.get('a')?.children?.keys() ?? [])], ['x']);
  tree.delete('a/x');
  assert.equal(tree.root.children, undefined);
});

test('keeps what lies below a deleted value', () => {
  const tree = new LevelTree<number>();
  tree.put('a', 1);
  tree.put('a/b', 2);
  tree.delete('a');
  assert.equal(tree.find('a'), undefined);
  assert.equal(tree.find('a/b'), 2);
});

test('ignores the deletion of what is not there', () => {
  const tree = new LevelTree<number>();
  tree.put('a/b', 1);
  for (const path of ['a', 'a/b/c', 'b', '', '/']) tree.delete(path);
  assert.equal(tree.find('a/b'), 1);
  assert.equal(tree.find('a'), undefined);
});

test('takes levels with the names of object properties', () => {
  const tree = new LevelTree<number>();
  assert.equal(tree.find('__proto__/constructor'), undefined);
  tree.put('__proto__/constructor', 1);
  assert.equal(tree.find('__proto__/constructor'), 1);
});
