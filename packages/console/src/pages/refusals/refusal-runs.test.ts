import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalView } from '@holdfast/protocol/api';
import { runsOf } from './refusal-runs.ts';

function refusal(index: number, change: Partial<RefusalView> = {}): RefusalView {
  const at = new Date(Date.UTC(2026, 10, 21) + index * 1_000).toISOString();
  const words = { what: 'It does not match.', fix: 'Look at it.', detail: 'no match' };
  return { index, at, code: 'E_VERIFY_SIG', ...words, principal: 'pump-1', count: 1, ...change };
}

test('those that follow each other and are alike are one, with what each one stands for', () => {
  const runs = runsOf([
    refusal(9),
    refusal(8, { count: 50, detail: 'no match at all' }),
    refusal(7),
    refusal(6, { code: 'E_VERIFY_REPLAY' }),
    refusal(5),
  ]);
  assert.deepEqual(
    runs.map(({ key, count }) => [key, count]),
    [
      [7, 52],
      [6, 1],
      [5, 1],
    ],
  );
  assert.equal(runs[0]?.newest.index, 9);
  assert.equal(runs[0]?.firstAt, refusal(7).at);
});

test('another peer or address makes another run', () => {
  for (const change of [{ principal: 'pump-2' }, { claimed: 'pump-1' }, { address: '192.0.2.1' }]) {
    assert.equal(runsOf([refusal(2), refusal(1, change)]).length, 2);
  }
  assert.deepEqual(runsOf([]), []);
});

test('a run keeps its key while new ones come on top', () => {
  const before = runsOf([refusal(2), refusal(1)]);
  const after = runsOf([refusal(3), refusal(2), refusal(1)]);
  assert.equal(after[0]?.key, before[0]?.key);
});
