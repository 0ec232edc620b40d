import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import type { Entry } from '@holdfast/protocol';
import type { Journal } from './journal.ts';
import { JournalLab, message, settled } from './lab.testing.ts';
import { READ_PAGE_BYTES } from './limits.ts';

const PER_BATCH = 10;
const BATCHES = 4;

/** Entry n has the text n and the key n % 3 + 1; they stand in batches. */
async function fill(lab: JournalLab, entryOf: (n: number) => Entry): Promise<Journal> {
  const journal = await lab.open();
  for (let n = 0; n < BATCHES * PER_BATCH; n += 1) {
    journal.append(entryOf(n), { key: lab.keyring.create((n % 3) + 1), done: () => {} });
    if (n % PER_BATCH === PER_BATCH - 1) await settled(journal);
  }
  return journal;
}

async function openFilled(t: TestContext): Promise<{ lab: JournalLab; journal: Journal }> {
  const lab = new JournalLab(t);
  const journal = await fill(lab, (n) => message(String(n)));
  // Another worker knows none of the keys.
  return { lab, journal: await lab.reopen(journal) };
}

const keyRefOf = (index: number): number => (index % 3) + 1;

async function scanned(journal: Journal, from: number): Promise<number[]> {
  const found: number[] = [];
  await journal.scan(from, (entries) => {
    for (const { index, keyRef, entry } of entries) {
      assert.equal(Buffer.from(entry.body).toString(), String(index));
      assert.equal(keyRef, keyRefOf(index));
      found.push(index);
    }
  });
  return found;
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

test('entries are fetched by their places, in the order that was asked for', async (t) => {
  const { lab, journal } = await openFilled(t);
  const wanted = [39, 0, 17, 18, 17, 9, 10];
  const found = await journal.fetch(wanted.map((index) => ({ index, keyRef: keyRefOf(index) })));
  assert.deepEqual(
    found.map((one) => [one?.index, one?.keyRef, Buffer.from(one?.entry.body ?? []).toString()]),
    wanted.map((index) => [index, keyRefOf(index), String(index)]),
  );
  assert.deepEqual(await journal.fetch([]), []);
  assert.deepEqual(lab.errors, []);
});

test('what is not there, is under another key, or was erased is undefined', async (t) => {
  const { lab, journal } = await openFilled(t);
  lab.keyring.destroy(2);
  const places = [
    { index: 40, keyRef: 2 },
    { index: -1, keyRef: 0 },
    { index: 3, keyRef: 3 },
    { index: 4, keyRef: 2 },
    { index: 6, keyRef: 1 },
  ];
  const found = await journal.fetch(places);
  assert.deepEqual(
    found.map((one) => one?.index),
    [undefined, undefined, undefined, undefined, 6],
  );
  assert.deepEqual(lab.errors, [], 'an erasure is no trouble');
});

test('a scan gives everything from an index on, in order', async (t) => {
  const { lab, journal } = await openFilled(t);
  for (const from of [0, 1, 9, 10, 11, 39]) {
    assert.deepEqual(await scanned(journal, from), numbers(from, 40));
  }
  assert.deepEqual(await scanned(journal, 40), []);
  lab.keyring.destroy(2);
  const again = await lab.reopen(journal);
  assert.deepEqual(
    await scanned(again, 5),
    numbers(5, 40).filter((index) => keyRefOf(index) !== 2),
  );
  assert.deepEqual(lab.errors, []);
});

test('a scan goes in pages, so that memory holds a part of the log only', async (t) => {
  const lab = new JournalLab(t);
  const body = new Uint8Array(READ_PAGE_BYTES / 4);
  const journal = await fill(lab, () => ({ ...message(''), body }));
  const pages: number[] = [];
  await journal.scan(5, (entries) => pages.push(entries.length));
  assert.deepEqual(pages, [5, 10, 10, 10]);
});

test('a damaged segment costs its own entries, and the operator is told', async (t) => {
  const { lab, journal } = await openFilled(t);
  await lab.close(journal);
  const database = new DatabaseSync(lab.path);
  const row = database.prepare('SELECT sealed FROM batch WHERE first = 10').get();
  const sealed = row?.['sealed'];
  assert.ok(sealed instanceof Uint8Array);
  // The first segment of the batch is that of its first entry.
  sealed[40] = (sealed[40] ?? 0) ^ 1;
  database.prepare('UPDATE batch SET sealed = ? WHERE first = 10').run(sealed);
  database.close();

  const again = await lab.open();
  const isLost = (index: number): boolean =>
    index >= 10 && index < 20 && keyRefOf(index) === keyRefOf(10);
  assert.deepEqual(
    await scanned(again, 0),
    numbers(0, 40).filter((index) => !isLost(index)),
  );
  assert.equal(lab.errors.length, 1);
  assert.match(lab.errors[0] ?? '', /audit verify/);
  const places = numbers(0, 40).map((index) => ({ index, keyRef: keyRefOf(index) }));
  const found = await again.fetch(places);
  assert.deepEqual(
    found.map((one) => one === undefined),
    numbers(0, 40).map(isLost),
  );
});

test('everything that a message carries comes back', async (t) => {
  const lab = new JournalLab(t);
  const carried = {
    qos: 2,
    retain: true,
    expiryS: 60,
    properties: new Uint8Array([1, 0, 255]),
  } as const;
  const journal = await lab.open();
  const key = lab.keyring.create(1);
  await journal.record(message('x', carried), key);
  const [fetched] = await journal.fetch([{ index: 0, keyRef: 1 }]);
  assert.ok(fetched !== undefined);
  const { qos, retain, expiryS, properties } = fetched.entry;
  assert.deepEqual(
    { qos, retain, expiryS, properties: new Uint8Array(properties) },
    { ...carried },
  );
});
