/** Goal: every topic of the reference becomes the term that the policy knows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultTopics, topicTerm } from './topic-term.ts';

test('topics become terms', () => {
  for (const [topic, term] of [
    ['d/pump-1/telemetry', 'topic:pump-1/telemetry'],
    [' d/pump-1/telemetry/kitchen/air ', 'topic:pump-1/telemetry'],
    ['d/pump-1/cmd/#', 'topic:pump-1/cmd'],
    ['$holdfast/update/pump-1', 'topic:pump-1/update'],
    ['$holdfast/rates', 'topic:system'],
  ] as const) {
    assert.deepEqual(topicTerm(topic), { term }, topic);
  }
  for (const { topic } of defaultTopics('pump-1')) {
    assert.match(topicTerm(topic).term ?? '', /^topic:pump-1\//u, topic);
  }
});

test('what is no topic of anybody is told', () => {
  for (const wrong of [
    '',
    'home/temp',
    'd/',
    'd//telemetry',
    'd/+/telemetry',
    'd/pump-1/other',
    'd/p',
  ]) {
    assert.notEqual(topicTerm(wrong).problem, undefined, wrong);
  }
});
