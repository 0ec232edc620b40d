import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entry, refuse } from '@holdfast/protocol';
import { Secret, createLog } from '../kernel/index.ts';
import { TestClock } from '../session/lab.testing.ts';
import { REFUSALS_OF_A_KIND_MAX, REFUSAL_KINDS_MAX } from './limits.ts';
import { RefusalRecorder } from './refusal-recorder.ts';

/** A journal whose disk is in the test's hands. */
class FakeJournal {
  isHealthy = true;
  isPressed = false;
  /** Entries until publishers must pause. */
  room = Number.POSITIVE_INFINITY;
  readonly entries: Entry[] = [];

  append(entry: Entry): void {
    this.entries.push(entry);
    this.room -= 1;
    if (this.room <= 0) this.isPressed = true;
  }

  /** Principal and count of each entry, since the last call. */
  take(): [string, number][] {
    return this.entries.splice(0).map(({ principal, body }) => {
      const { count }: { count: number } = JSON.parse(Buffer.from(body).toString());
      return [principal, count];
    });
  }
}

function openRecorder() {
  const journal = new FakeJournal();
  const clock = new TestClock();
  const lines: string[] = [];
  const log = createLog({ form: 'json', level: 'warn', write: (line) => lines.push(line) });
  const counted: string[] = [];
  const recorder = new RefusalRecorder({
    journal,
    key: () => ({ ref: 1, key: new Secret(new Uint8Array(32)), spend: () => {} }),
    clock,
    log,
    count: ({ code }) => counted.push(code),
  });
  const refused = (principal: string, times = 1): void => {
    const refusal = refuse('E_VERIFY_REPLAY', 'seen before');
    for (let time = 0; time < times; time += 1) {
      recorder.report({ refusal, principal, address: '::1' });
    }
  };
  return { journal, clock, lines, counted, recorder, refused };
}

test('records one by one up to a rate, and the sum of the rest after a second', () => {
  const { journal, clock, lines, refused } = openRecorder();
  refused('a', REFUSALS_OF_A_KIND_MAX);
  clock.advance(1_000);
  assert.deepEqual(
    journal.take(),
    Array.from({ length: REFUSALS_OF_A_KIND_MAX }, () => ['a', 1]),
  );
  refused('a', REFUSALS_OF_A_KIND_MAX + 3);
  assert.equal(journal.take().length, REFUSALS_OF_A_KIND_MAX);
  clock.advance(1_000);
  assert.deepEqual(journal.take(), [['a', 3]]);
  assert.equal(lines.length, 2 * REFUSALS_OF_A_KIND_MAX + 1);
  clock.advance(1_000);
  assert.deepEqual(journal.take(), []);
});

for (const [state, setFailing] of [
  ['fails', (journal: FakeJournal, is: boolean) => (journal.isHealthy = !is)],
  ['is behind', (journal: FakeJournal, is: boolean) => (journal.isPressed = is)],
] as const) {
  test(`while the disk ${state} refusals are summed up, and recorded when it takes them`, () => {
    const { journal, clock, lines, counted, refused } = openRecorder();
    refused('a');
    assert.deepEqual(journal.take(), [['a', 1]]);
    setFailing(journal, true);
    for (let second = 0; second < 3; second += 1) {
      refused('a', 4);
      refused('b');
      clock.advance(1_000);
      assert.deepEqual(journal.take(), []);
    }
    assert.equal(counted.length, 16, 'the metrics count each at once');
    assert.equal(lines.length, 1, 'the log is silent of what is only summed up');
    setFailing(journal, false);
    clock.advance(999);
    assert.deepEqual(journal.take(), []);
    clock.advance(1);
    assert.deepEqual(journal.take(), [
      ['a', 12],
      ['b', 3],
    ]);
    assert.equal(lines.length, 3);
    refused('a');
    assert.deepEqual(journal.take(), [['a', 1]], 'and one by one from now on');
  });
}

test('keeps no more kinds than its bound, however long the disk fails', () => {
  const { journal, clock, recorder, refused } = openRecorder();
  journal.isHealthy = false;
  const kinds = REFUSAL_KINDS_MAX + 50;
  for (let kind = 0; kind < kinds; kind += 1) {
    refused(`p-${kind}`);
    if (kind % 100 === 0) clock.advance(1_000);
  }
  recorder.flush();
  const sums = journal.take();
  assert.equal(sums.length, REFUSAL_KINDS_MAX + 1);
  assert.equal(
    sums.reduce((sum, [, count]) => sum + count, 0),
    kinds,
  );
});

test('a disk that is behind again takes what it can, and the rest a second later', () => {
  const { journal, clock, refused } = openRecorder();
  journal.isPressed = true;
  for (const principal of ['a', 'b', 'c']) refused(principal);
  journal.isPressed = false;
  journal.room = 2;
  clock.advance(1_000);
  assert.deepEqual(journal.take(), [
    ['a', 1],
    ['b', 1],
  ]);
  journal.isPressed = false;
  journal.room = 2;
  clock.advance(1_000);
  assert.deepEqual(journal.take(), [['c', 1]]);
});

test('a flush before the journal closes writes even while the disk fails', () => {
  const { journal, clock, recorder, refused } = openRecorder();
  journal.isHealthy = false;
  refused('a', 2);
  recorder.flush();
  assert.deepEqual(journal.take(), [['a', 2]]);
  journal.isHealthy = true;
  clock.advance(1_000);
  assert.deepEqual(journal.take(), []);
});
