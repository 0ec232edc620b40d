import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Figures } from '@holdfast/protocol/api';
import {
  connectionsSummary,
  messagesSummary,
  readoutOf,
  refusedSummary,
  refusedTotal,
} from './figures-text.ts';
import { headlineOf } from './headline.ts';

const FIGURES: Figures = {
  span: 'hour',
  stepMs: 10_000,
  times: [0, 10_000, 20_000],
  accepted: [2, null, 12.34],
  refused: [0, null, 0.3],
  byCode: [],
  connections: [1, null, 2.4],
};

test('the headline says whether somebody is needed', () => {
  const of = (...severities: ('critical' | 'warning' | 'advice')[]): string =>
    headlineOf(severities.map((severity) => ({ severity })));
  assert.equal(of(), 'How your devices and this server are at this moment.');
  assert.equal(of('advice'), 'How your devices and this server are at this moment.');
  assert.equal(of('warning'), '1 thing to look at. Everything else is well.');
  assert.equal(of('critical'), '1 thing needs you now.');
  assert.equal(
    of('critical', 'critical', 'warning', 'warning'),
    '2 things need you now, and 2 more things to look at.',
  );
});

test('charts are told in a sentence, with gaps left out', () => {
  assert.equal(
    messagesSummary(FIGURES),
    'Between 2 and 12.3 messages a second in the last hour; 12.3 at its end.',
  );
  assert.equal(refusedTotal(FIGURES), 3);
  assert.equal(refusedSummary(FIGURES), '3 refusals in the last hour.');
  assert.equal(connectionsSummary(FIGURES), 'Between 1 and 3 open connections in the last hour.');
});

test('a span without any figure, or without a refusal, is told as such', () => {
  const none = { ...FIGURES, accepted: [null], connections: [null], refused: [0] };
  assert.match(messagesSummary(none), /^Nothing was counted/u);
  assert.match(connectionsSummary(none), /^Nothing was counted/u);
  assert.equal(refusedSummary(none), 'Nothing was refused in the last hour.');
  assert.equal(
    messagesSummary({ span: 'day', accepted: [5, 5] }),
    '5 messages a second in the last day; 5 at its end.',
  );
});

test('a point is read out, and a gap is no zero', () => {
  assert.deepEqual(readoutOf(FIGURES, 2).slice(1), [
    '12.3/s accepted',
    '18/min refused',
    '2 connections',
  ]);
  assert.deepEqual(readoutOf(FIGURES, undefined), readoutOf(FIGURES, 2));
  assert.equal(readoutOf(FIGURES, 1)[1], 'the server was not running');
  assert.deepEqual(readoutOf({ ...FIGURES, times: [] }, undefined), []);
});
