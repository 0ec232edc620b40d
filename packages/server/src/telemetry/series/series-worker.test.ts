import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { JournalLab, message, settled } from '../../journal/lab.testing.ts';
import { Fault, createLog, systemClock } from '../../kernel/index.ts';
import { CATCH_UP_MS_MAX, CLOSE_MS_MAX } from './limits.ts';
import { SeriesStore, type Told } from './series-store.ts';

const KEY_REF = 1;
const all = { keyRefs: [KEY_REF], name: 't', fromMs: 0, toMs: 1e15, limit: 10_000 };

/** The series of a journal, in a thread as in the server. */
class Lab {
  readonly journalLab: JournalLab;
  readonly path: string;
  readonly errors: string[] = [];
  readonly open = new Set<SeriesStore>();

  constructor(t: TestContext) {
    t.after(async () => {
      for (const store of this.open) await store.close();
    });
    this.journalLab = new JournalLab(t);
    this.path = `${this.journalLab.folder}/series.db`;
  }

  async fill(count: number): Promise<number> {
    const journal = await this.journalLab.open();
    const key = this.journalLab.keyring.create(KEY_REF);
    for (let n = 0; n < count; n += 1) {
      journal.append(message(JSON.stringify({ t: n })), { key, done: () => {} });
    }
    await settled(journal);
    const { size } = journal;
    await this.journalLab.close(journal);
    return size;
  }

  store(size: number): SeriesStore {
    const { keyring, path: logPath } = this.journalLab;
    const store = new SeriesStore({
      path: this.path,
      logPath,
      logSize: () => size,
      keyOf: (ref) => (ref === KEY_REF ? keyring.byRef(ref).key.expose() : undefined),
      clock: systemClock,
      log: createLog({ form: 'json', level: 'error', write: (line) => this.errors.push(line) }),
    });
    this.open.add(store);
    return store;
  }

  async close(store: SeriesStore): Promise<void> {
    this.open.delete(store);
    await store.close();
  }
}

/**
 * Asks until the answer knows all. The worker goes behind all else on the machine: only where the
 * whole time of a query is over may an answer come before.
 */
async function whole<T>(ask: () => Promise<Told<T>>): Promise<Told<T>> {
  const endMs = performance.now() + 300_000;
  for (;;) {
    const startMs = performance.now();
    const told = await ask();
    if (told.behind === 0) return told;
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs >= CATCH_UP_MS_MAX, `${told.behind} were not waited for`);
    assert.ok(performance.now() < endMs, `${told.behind} were never taken in`);
  }
}

test('what is asked is answered up to the newest entry, also behind a stop', async (t) => {
  const lab = new Lab(t);
  const size = await lab.fill(3_000);
  const store = lab.store(size);
  const { points } = await whole(() => store.points(all));
  assert.equal(points.length, 3_000);
  const stopMs = performance.now();
  await lab.close(store);
  const hadTime = performance.now() - stopMs < CLOSE_MS_MAX;
  await assert.rejects(store.list([KEY_REF]), Fault);
  const again = lab.store(size);
  assert.equal((await whole(() => again.points(all))).points.length, 3_000);
  // What a stop has no time to write is read again, and waits in memory.
  if (hadTime) assert.deepEqual(await again.keyRefs(), [KEY_REF]);
  assert.deepEqual(lab.errors, []);
});

test('a log that was replaced by a shorter one is read from its start', async (t) => {
  const lab = new Lab(t);
  const store = lab.store(await lab.fill(50));
  assert.equal((await whole(() => store.points(all))).points.length, 50);
  await lab.close(store);
  rmSync(lab.journalLab.path);
  const shorter = lab.store(await lab.fill(5));
  assert.equal((await whole(() => shorter.points(all))).points.length, 5);
});

test('a damaged file is told to who asks and to the log [E_TELEMETRY_SERIES]', async (t) => {
  const lab = new Lab(t);
  const size = await lab.fill(5);
  writeFileSync(
    lab.path,
    'this is no database, though it is long enough to be looked at '.repeat(9),
  );
  const store = lab.store(size);
  await assert.rejects(
    store.points(all),
    (error) => error instanceof Fault && error.code === 'E_TELEMETRY_SERIES',
  );
  await assert.rejects(store.latest([[KEY_REF]]), Fault);
  assert.equal(lab.errors.length, 1);
  await lab.close(store);
});

test('buckets and last values come through the thread', async (t) => {
  const lab = new Lab(t);
  const store = lab.store(await lab.fill(5));
  const query = { ...all, spanMs: 60_000 };
  const page = await whole(async () => (await store.buckets(query)) ?? assert.fail('no buckets'));
  assert.equal(page.points[0]?.count, 5);
  const { devices } = await store.latest([[KEY_REF], [9]], 't');
  assert.deepEqual(
    devices.map(({ values }) => values.map(({ value }) => value)),
    [[4], []],
  );
});
