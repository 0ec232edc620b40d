import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { actEntry } from '../audit/index.ts';
import { JournalLab, message } from '../journal/lab.testing.ts';
import { createLog } from '../kernel/index.ts';
import { TestClock } from '../session/lab.testing.ts';
import { dataFolderAt } from './data-folder.ts';
import { STOP_TIMEOUT_MS } from './limits.ts';
import { stop } from './stop.ts';

const RETRIES = 3;

/** A server of which only the journal is real. */
async function openServer(t: TestContext, { isDiskFull }: { isDiskFull: boolean }) {
  const lab = new JournalLab(t);
  await lab.close(await lab.open());
  const clock = new TestClock();
  const journal = await lab.open(clock);
  if (isDiskFull) lab.refuseState();
  lab.release(journal);
  const key = lab.keyring.create(1);
  const folder = dataFolderAt(lab.folder);
  writeFileSync(folder.localAccess, '{}');
  const notes: string[] = [];
  const note = (text: string) => () => void notes.push(text);
  const closeListener = (): Promise<void> => Promise.resolve(note('listener')());
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  const log = createLog({ form: 'json', level: 'error', write });
  const running = {
    folder,
    journal,
    store: { close: note('store') },
    tiles: { close: () => {} },
    logWatch: { stop: () => {} },
    disk: { close: () => {} },
    custody: { close: () => {} },
    lock: { release: () => {} },
    sessions: { close: note('sessions') },
    listeners: [{ close: closeListener }],
    refusals: { flush: note('refusals') },
    recordAct: async (act: Parameters<typeof actEntry>[0]) => {
      notes.push(act.action);
      await journal.record(actEntry(act, clock.nowMs()), key);
    },
  };
  const retry = async (): Promise<void> => {
    const before = lab.errors.length;
    while (lab.errors.length === before) await new Promise(setImmediate);
  };
  return {
    lab,
    clock,
    journal,
    key,
    folder,
    notes,
    lines,
    retry,
    run: () => stop(running, { clock, log }),
  };
}

test('stops in the order in which nothing is lost', async (t) => {
  const { lab, journal, key, folder, notes, lines, run } = await openServer(t, {
    isDiskFull: false,
  });
  journal.append(message('1'), { key, done: () => notes.push('stored') });
  assert.deepEqual(await run(), { isComplete: true });
  assert.deepEqual(notes.slice(0, 2), ['sessions', 'listener']);
  assert.deepEqual(notes.toSorted(), [
    'listener',
    'refusals',
    'server.stop',
    'sessions',
    'store',
    'stored',
  ]);
  assert.equal(notes.at(-1), 'store');
  assert.deepEqual(lines, []);
  assert.equal(existsSync(folder.localAccess), false);
  assert.equal((await lab.open()).size, 2);
});

test('while the disk fails it ends in time, and says how much was not stored', async (t) => {
  const { lab, clock, journal, key, notes, lines, retry, run } = await openServer(t, {
    isDiskFull: true,
  });
  journal.append(message('1'), { key, done: () => notes.push('acknowledged') });
  journal.saveState('a', () => Buffer.from('1'));
  let hasEnded = false;
  const stopped = run().then((result) => {
    hasEnded = true;
    return result;
  });
  await retry();
  for (let time = 1; time <= RETRIES; time += 1) {
    clock.advance(1_000);
    await retry();
  }
  clock.advance(STOP_TIMEOUT_MS - RETRIES * 1_000 - 1);
  await retry();
  assert.equal(hasEnded, false);
  const { pendingBytes } = journal;
  clock.advance(1);
  assert.deepEqual(await stopped, { isComplete: false });
  assert.ok(pendingBytes > 0);
  assert.deepEqual(
    lines.map((line) => [line['log.level'], line['bytes']]),
    [['error', pendingBytes]],
  );
  assert.equal(notes.includes('acknowledged'), false);
  assert.equal(notes.at(-1), 'store');
  assert.equal(lab.errors.length, RETRIES + 2);
});
