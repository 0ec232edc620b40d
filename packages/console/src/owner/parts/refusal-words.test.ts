/** Goal: an owner is told of every kind what happened, what it could mean and what to do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OWNED_REFUSAL_KINDS } from '@holdfast/protocol/api';
import { inWords, nothingRefusedText, refusalWords } from './refusal-words.ts';

test('every kind has sentences, and no code stands in them', () => {
  for (const kind of OWNED_REFUSAL_KINDS) {
    const { what, couldMean, toDo } = refusalWords({ kind, count: 2 });
    assert.match(what, /^2 \w/u);
    for (const text of [couldMean, toDo]) assert.match(text, /^[A-Z].*\.$/u, kind);
    assert.doesNotMatch(`${what} ${couldMean} ${toDo}`, /E_|certificate|topic|payload/u, kind);
    assert.notEqual(what.slice(2), refusalWords({ kind, count: 1 }).what.slice(2), kind);
  }
});

test('what is worst is told first', () => {
  const at = '2026-11-21T12:00:00.000Z';
  const kinds = ['server', 'repeated', 'wrong-time', 'altered'] as const;
  const found = inWords(kinds.map((kind) => ({ kind, count: 1, firstAt: at, lastAt: at })));
  assert.deepEqual(
    found.map(({ kind }) => kind),
    ['altered', 'repeated', 'wrong-time', 'server'],
  );
});

test('large numbers can be read', () => {
  const { what } = refusalWords({ kind: 'altered', count: 12_000 });
  assert.equal(what, '12,000 messages did not bear the signature of the device');
});

test('it is said in which time nothing was refused', () => {
  const nowMs = Date.parse('2026-11-21T12:00:00.000Z');
  const pairedAt = '2026-11-01T12:00:00.000Z';
  const text = (since: string): string => nothingRefusedText({ since }, { pairedAt, nowMs });
  assert.match(text(pairedAt), /since you have it\.$/u);
  assert.match(text('2026-11-20T12:00:01.000Z'), /in the last day\.$/u);
  assert.match(text('2026-11-21T10:00:00.000Z'), /in the last 2 hours\.$/u);
});
