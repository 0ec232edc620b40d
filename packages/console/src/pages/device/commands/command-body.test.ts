/** Goal: what the server would refuse of a command is told while it is typed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameProblem, readBody } from './command-body.ts';

test('an object is a body, and nothing is an empty one', () => {
  assert.deepEqual(readBody('{"target": 21.5}'), { body: { target: 21.5 } });
  assert.deepEqual(readBody('  '), { body: {} });
});

test('what is no object, or not JSON yet, is told', () => {
  assert.match(readBody('{"target": ').problem ?? '', /^That is no JSON yet: /u);
  assert.match(readBody('{a: 1}').problem ?? '', /^That is no JSON yet: /u);
  for (const text of ['21.5', '[1]', 'null', '"on"']) {
    assert.match(readBody(text).problem ?? '', /an object/u, text);
  }
});

test('members of the server are left to it', () => {
  for (const member of ['cmd', 'ctr', 'ts', 'sig']) {
    assert.match(readBody(`{"${member}": 1}`).problem ?? '', /added by the server/u);
  }
});

test('names are those of topics', () => {
  assert.equal(nameProblem('set'), undefined);
  assert.equal(nameProblem('a'.repeat(64)), undefined);
  for (const wrong of ['', 'a'.repeat(65), 'a/b', '.a', 'a b']) {
    assert.notEqual(nameProblem(wrong), undefined, wrong);
  }
});
