import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Entry } from '@holdfast/protocol';
import type { JournaledEntry } from '../journal/index.ts';
import { openLab } from '../session/lab.testing.ts';
import { storedCounters } from './stored-counters.ts';

type Read = (key: unknown, page: { before: number; limit: number }) => Promise<JournaledEntry[]>;

/** A journal that holds these counters, oldest first, so many in each batch. */
function journalOf(
  counters: readonly { ctr: number; kid?: string; principal?: string }[],
  perBatch: number,
): { read: Read } {
  let highest = -1;
  const entries = counters.map(({ ctr, kid = '1.1', principal = 'pump-1' }, index) => {
    highest = Math.max(highest, ctr);
    const body = Buffer.from(`{"ctr": ${ctr}, "sig": "${'0'.repeat(64)}"}`);
    const entry: Required<Entry> = {
      kind: 'message',
      atMs: 1,
      principal,
      topic: 'd/pump-1/telemetry',
      kid,
      body,
      qos: 1,
      retain: false,
      expiryS: undefined,
      properties: new Uint8Array(0),
    };
    return { index, keyRef: 1, counterMax: highest, entry };
  });
  // As it is stored: the highest of a device is that at the end of its batch.
  const batchEnd = (at: number): number =>
    Math.min(entries.length, (Math.floor(at / perBatch) + 1) * perBatch) - 1;
  const stored = entries.map(({ index, keyRef, counterMax, entry }, at) => ({
    index,
    keyRef,
    counterMax: entries[batchEnd(at)]?.counterMax ?? counterMax,
    entry,
  }));
  return {
    read: (_key, { before, limit }) =>
      Promise.resolve(
        stored
          .filter(({ index }) => index < before)
          .toReversed()
          .slice(0, limit),
      ),
  };
}

const count = (from: number, to: number): { ctr: number }[] =>
  Array.from({ length: to - from }, (_, at) => ({ ctr: from + at }));

async function countersOf(
  t: Parameters<typeof openLab>[0],
  journal: { read: Read },
): Promise<Awaited<ReturnType<typeof storedCounters>>> {
  const { registry, store, enroll } = openLab(t);
  enroll('pump-1');
  return storedCounters({ journal, registry, keyring: store.keyring }, 'pump-1', '1.1');
}

test('all is known of a device that has sent little', async (t) => {
  const known = await countersOf(t, journalOf([{ ctr: 5 }, { ctr: 9 }, { ctr: 7 }], 1));
  assert.deepEqual(known, { highest: 9, unknownUpTo: -1, seen: [7, 9, 5] });
});

test('of one that has sent more, the last messages are known, and how far the others went', async (t) => {
  const known = await countersOf(t, journalOf(count(0, 1_000), 10));
  assert.equal(known.highest, 999);
  // 128 entries reach into the batch that ends with 879.
  assert.equal(known.unknownUpTo, 879);
  assert.deepEqual(
    known.seen.filter((counter) => counter > 879).toSorted((a, b) => a - b),
    count(880, 1_000).map(({ ctr }) => ctr),
  );
});

test('what one commit holds is read to its beginning', async (t) => {
  const known = await countersOf(t, journalOf(count(0, 1_000), 500));
  assert.equal(known.highest, 999);
  assert.equal(known.unknownUpTo, 499);
});

test('messages under other keys, and commands, count for nothing', async (t) => {
  const journal = journalOf(
    [{ ctr: 900, kid: '1.0' }, { ctr: 3 }, { ctr: 0, principal: 'person:ada', kid: '' }],
    1,
  );
  const known = await countersOf(t, journal);
  assert.deepEqual([known.unknownUpTo, known.seen], [-1, [3]]);
  const old = await countersOf(t, journalOf([{ ctr: 900, kid: '1.0' }], 1));
  assert.equal(old.highest, -1);
  const none = await countersOf(t, journalOf([], 1));
  assert.equal(none.highest, -1);
});
