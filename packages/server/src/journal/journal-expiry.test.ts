import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { Journal, JournaledEntry } from './index.ts';
import { JournalLab, message } from './lab.testing.ts';

const newest = { before: Number.MAX_SAFE_INTEGER, limit: 1_000 };

interface ExpireFacts {
  readonly facts: { readonly expiries: readonly { keyRef: number; before: number }[] };
}

/** Everything that can be read, oldest first. */
async function all(journal: Journal): Promise<JournaledEntry[]> {
  const found: JournaledEntry[] = [];
  await journal.scan(0, (entries) => found.push(...entries));
  return found;
}

async function expireActs(journal: Journal): Promise<JournaledEntry[]> {
  return (await all(journal)).filter(({ entry }) => entry.topic === 'log.expire');
}

/** Ten batches of a message of each of two devices. */
async function fill(lab: JournalLab, journal: Journal): Promise<void> {
  for (let at = 0; at < 10; at += 1) {
    const stored = [1, 2].map((ref) => journal.record(message(`${at}`), lab.keyring.create(ref)));
    await Promise.all(stored);
  }
}

test('what expires is on the log first, with what was really done, and then it is gone', async (t) => {
  const lab = new JournalLab(t);
  const journal = await lab.open();
  await fill(lab, journal);
  // The batch of entries 10 and 11 is not all below 11; a key that nobody has is left out.
  await journal.expire([
    { keyRef: 1, before: 11 },
    { keyRef: 99, before: 11 },
  ]);
  const [act, ...others] = await expireActs(journal);
  assert.equal(others.length, 0);
  assert.ok(act !== undefined);
  const { facts } = JSON.parse(Buffer.from(act.entry.body).toString()) as ExpireFacts;
  assert.deepEqual(facts.expiries, [{ keyRef: 1, before: 10 }]);
  const indexesOf = async (ref: number): Promise<number[]> =>
    (await journal.read(lab.keyring.create(ref), newest)).map(({ index }) => index).reverse();
  assert.deepEqual(await indexesOf(1), [10, 12, 14, 16, 18]);
  assert.deepEqual(await indexesOf(2), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
  assert.deepEqual(await journal.fetch([{ index: 0, keyRef: 1 }]), [undefined]);
  assert.deepEqual(lab.errors, [], 'reading passes over them');
  await journal.expire([{ keyRef: 1, before: 11 }]);
  assert.equal((await expireActs(journal)).length, 1, 'nothing is left to do');
});

test('expiries come one after the other, and many at once are several acts', async (t) => {
  const lab = new JournalLab(t);
  const journal = await lab.open();
  const refs = Array.from({ length: 300 }, (_, at) => at + 1);
  for (let round = 0; round < 2; round += 1) {
    const stored = refs.map((ref) => journal.record(message('x'), lab.keyring.create(ref)));
    await Promise.all(stored);
  }
  const before = journal.size;
  await Promise.all([
    journal.expire(refs.map((keyRef) => ({ keyRef, before }))),
    journal.expire(refs.map((keyRef) => ({ keyRef, before }))),
  ]);
  const acts = await expireActs(journal);
  const counts = acts.map(
    ({ entry }) => (JSON.parse(Buffer.from(entry.body).toString()) as ExpireFacts).facts.expiries,
  );
  assert.deepEqual(
    counts.map(({ length }) => length),
    [250, 50],
  );
  assert.equal((await all(journal)).length, 300 + 2);
});

test('an expiry that a crash ended goes on by itself; a plan gets no act that it had not', async (t) => {
  const lab = new JournalLab(t);
  const journal = await lab.open();
  await fill(lab, journal);
  const pending: number[] = [];
  const pendingCount = (): number => {
    const database = new DatabaseSync(lab.path, { readOnly: true });
    const row = database.prepare('SELECT count(*) AS rows FROM expiry WHERE done < before').get();
    database.close();
    return Number(row?.['rows']);
  };
  let restore: (() => void) | undefined;
  journal.onEntry((_index, { topic }) => {
    if (topic !== 'log.expire') return;
    pending.push(pendingCount());
    restore ??= lab.snapshot();
  });
  await journal.expire([{ keyRef: 2, before: 9 }]);
  assert.deepEqual(pending, [0], 'nothing is planned before the act is durable');
  await lab.close(journal);
  assert.ok(restore !== undefined);
  restore();
  const planned = new DatabaseSync(lab.path);
  planned.exec('INSERT INTO expiry VALUES (2, 1, 8)');
  planned.close();

  const again = await lab.open();
  while ((await again.read(lab.keyring.create(2), newest)).length > 6);
  const indexes = (await again.read(lab.keyring.create(2), newest)).map(({ index }) => index);
  assert.deepEqual(indexes, [19, 17, 15, 13, 11, 9]);
  assert.equal((await expireActs(again)).length, 1, 'that of before');
});
