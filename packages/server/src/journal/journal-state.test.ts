import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Fault } from '../kernel/index.ts';
import { TestClock } from '../session/lab.testing.ts';
import type { Journal } from './journal.ts';
import { JournalLab, message, savedState, settled } from './lab.testing.ts';
import { PENDING_BYTES_HIGH, RETRY_DELAY_MS, SAVE_SOON_DELAY_MS } from './limits.ts';
import { ROUTED_KEY } from './pending-state.ts';
import { StateStore } from './state-store.ts';

const value = (text: string) => (): Uint8Array => Buffer.from(text);
const nothing = (): undefined => undefined;

async function openLab(t: TestContext): Promise<{
  lab: JournalLab;
  clock: TestClock;
  journal: Journal;
}> {
  const lab = new JournalLab(t);
  const clock = new TestClock();
  return { lab, clock, journal: await lab.open(clock) };
}

test('a barrier waits for the state that was saved before it', async (t) => {
  const { lab, journal } = await openLab(t);
  journal.saveState('session/a', value('1'));
  journal.saveState('session/b', value('2'));
  await settled(journal);
  // What the files hold at this moment is what a crash leaves.
  assert.deepEqual(await stateAfterCrash(lab), { 'session/a': '1', 'session/b': '2' });
  journal.saveState('session/a', nothing);
  await settled(journal);
  assert.deepEqual(await savedState(journal), { 'session/b': '2' });
});

test('a barrier behind state does not overtake the callbacks of the batch before', async (t) => {
  const { lab, journal } = await openLab(t);
  const order: string[] = [];
  const key = lab.keyring.create(1);
  journal.append(message('1'), { key, done: () => order.push('entry') });
  await turn();
  journal.saveState('a', () => {
    order.push('encoded');
    return Buffer.from('1');
  });
  await settled(journal);
  order.push('barrier');
  assert.deepEqual(order, ['entry', 'encoded', 'barrier']);
});

test('state is stored with the entries of its batch, and acknowledged together', async (t) => {
  const { lab, journal } = await openLab(t);
  const key = lab.keyring.create(1);
  journal.saveState('a', value('1'));
  assert.equal(await journal.record(message('1'), key), 0);
  assert.deepEqual(await stateAfterCrash(lab), { a: '1' });
  assert.equal(journal.size, 1);
});

test('what is saved soon is stored within a second, and not before', async (t) => {
  const { lab, clock, journal } = await openLab(t);
  journal.saveStateSoon('a', value('1'));
  clock.advance(SAVE_SOON_DELAY_MS - 1);
  await settled(journal);
  assert.deepEqual(await savedState(journal), {});
  clock.advance(1);
  await settled(journal);
  assert.deepEqual(await savedState(journal), { a: '1' });
  await lab.close(journal);
});

test('what is saved soon is stored when the journal closes', async (t) => {
  const { lab, journal } = await openLab(t);
  const large = 'x'.repeat(3_000_000);
  for (const key of ['a', 'b', 'c', 'd']) journal.saveStateSoon(key, value(large));
  const again = await lab.reopen(journal);
  assert.deepEqual(await savedState(again), { a: large, b: large, c: large, d: large });
});

test('once recovered, each tick keeps up to where what is saved reflects the log', async (t) => {
  const { lab, clock, journal } = await openLab(t);
  const key = lab.keyring.create(1);
  const seen: number[] = [];
  journal.onEntry((index) => {
    seen.push(index);
    journal.saveStateSoon('seen', () => Buffer.from(String(seen.length)));
  });
  await journal.record(message('1'), key);
  clock.advance(SAVE_SOON_DELAY_MS);
  await settled(journal);
  assert.deepEqual(await savedState(journal), { seen: '1' }, 'nothing before the recovery');

  journal.markRecovered();
  await journal.record(message('2'), key);
  clock.advance(SAVE_SOON_DELAY_MS);
  journal.append(message('3'), { key, done: () => {} });
  await settled(journal);
  assert.deepEqual(await savedState(journal), { seen: '2', [ROUTED_KEY]: '2' });
  const again = await lab.reopen(journal);
  assert.deepEqual(await savedState(again), { seen: '3', [ROUTED_KEY]: '3' });
});

test('an idle journal writes nothing', async (t) => {
  const { lab, clock, journal } = await openLab(t);
  journal.markRecovered();
  await journal.record(message('1'), lab.keyring.create(1));
  journal.saveStateSoon('a', value('1'));
  for (const isIdle of [false, true]) {
    const before = fingerprint(lab);
    for (let second = 0; second < 5; second += 1) {
      clock.advance(SAVE_SOON_DELAY_MS);
      await settled(journal);
      // Asking the worker is how to know that it is done.
      await savedState(journal);
    }
    assert.equal(fingerprint(lab) === before, isIdle);
  }
});

test('when only the state fails, the entries of its batch are stored once', async (t) => {
  const lab = new JournalLab(t);
  const clock = new TestClock();
  const journal = await lab.open(clock);
  // Fails two times when the second row is written; statements of failed attempts count too.
  const database = new DatabaseSync(lab.statePath);
  database.exec(`CREATE TRIGGER fail BEFORE INSERT ON state
    WHEN (SELECT count(*) FROM state) = 1 AND total_changes() < 3
    BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`);
  database.close();

  const key = lab.keyring.create(1);
  const done: number[] = [];
  journal.append(message('1'), { key, done: (index) => done.push(index) });
  journal.append(message('2'), { key, done: (index) => done.push(index) });
  journal.saveState('a', value('1'));
  const barrier = settled(journal);
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    while (lab.errors.length < attempt && done.length === 0) await turn();
    assert.deepEqual([done, journal.isHealthy, journal.size], [[], false, 0]);
    clock.advance(RETRY_DELAY_MS);
  }
  await barrier;
  assert.deepEqual([done, journal.isHealthy, journal.size], [[0, 1], true, 2]);
  assert.match(lab.errors[0] ?? '', /the disk is full/);
  assert.equal(lab.errors.length, 2);
  assert.deepEqual(await savedState(journal), { a: '1' });
  assert.match(journal.checkpoint, /\n2\n/);
  assert.equal(await journal.record(message('3'), key), 2);
});

test('publishers are paused while too much state waits for the disk', async (t) => {
  const { journal } = await openLab(t);
  const changes: boolean[] = [];
  journal.onPressure((isPressed) => changes.push(isPressed));
  journal.saveState('a', () => new Uint8Array(PENDING_BYTES_HIGH + 1));
  assert.equal(journal.pendingBytes, 0);
  await turn();
  assert.ok(journal.pendingBytes > PENDING_BYTES_HIGH);
  await settled(journal);
  assert.deepEqual(changes, [true, false]);
  assert.equal(journal.pendingBytes, 0);
});

test('a row that does not open is a fault of the start [E_JOURNAL_STATE]', async (t) => {
  const { lab, journal } = await openLab(t);
  journal.saveState('session/a', value('1'));
  await settled(journal);
  await lab.close(journal);
  lab.damageState();
  const again = await lab.open();
  await assert.rejects(savedState(again), isStateFault);
});

test('state that belongs to a longer log is refused at the start [E_JOURNAL_STATE]', async (t) => {
  const { lab, journal } = await openLab(t);
  await journal.record(message('1'), lab.keyring.create(1));
  const shorter = join(lab.folder, 'shorter.db');
  const shorterLog = await lab.reopen(journal);
  await lab.close(shorterLog);
  cpSync(lab.path, shorter);
  const longer = await lab.open();
  longer.saveState('a', value('1'));
  await longer.record(message('2'), lab.keyring.create(1));
  await lab.close(longer);
  cpSync(shorter, lab.path);
  await assert.rejects(lab.open(), isStateFault);
});

test('the files show neither device ids nor topics', async (t) => {
  const { lab, journal } = await openLab(t);
  journal.markRecovered();
  const entry = message('valve open', {
    principal: 'pump-4711',
    topic: 'd/pump-4711/state',
    properties: Buffer.from('application/json'),
  });
  await journal.record(entry, lab.keyring.create(1));
  journal.saveState('session/pump-4711', value('d/pump-4711/cmd/#'));
  journal.saveStateSoon('retained/d/pump-4711/state', value('valve open'));
  const bytes = (): Buffer =>
    Buffer.concat(readdirSync(lab.folder).map((file) => readFileSync(join(lab.folder, file))));
  await settled(journal);
  const running = bytes();
  await lab.close(journal);
  for (const found of [running, bytes()]) {
    for (const secret of ['pump-4711', 'state/', 'valve', 'retained/', 'session/', 'json']) {
      assert.equal(found.includes(secret), false, secret);
    }
  }
});

function isStateFault(error: unknown): boolean {
  return error instanceof Fault && error.code === 'E_JOURNAL_STATE';
}

/** Reads a copy of the file as it is now, while the journal has it open. */
async function stateAfterCrash(lab: JournalLab): Promise<Record<string, string>> {
  const copy = join(lab.folder, 'copy.db');
  for (const suffix of ['', '-wal']) cpSync(lab.statePath + suffix, copy + suffix);
  const store = new StateStore(copy, {
    key: lab.keyring.only().key,
    random: (length) => new Uint8Array(length),
    logSize: 100,
  });
  try {
    const { rows } = store.load({ after: 0, bytesMin: Number.POSITIVE_INFINITY });
    return Object.fromEntries(rows.map(({ key, value: v }) => [key, Buffer.from(v).toString()]));
  } finally {
    store.close();
  }
}

function fingerprint({ folder }: JournalLab): string {
  return readdirSync(folder)
    .map((file) => statSync(join(folder, file), { bigint: true }))
    .map(({ size, mtimeNs }) => `${size} ${mtimeNs}`)
    .join();
}
