import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { Fault, systemRandom } from '../../kernel/index.ts';
import { BUCKETS_MAX, TOPICS_PER_DEVICE_MAX } from './limits.ts';
import { SeriesFile, type SeriesKey, seriesKey } from './series-file.ts';
import { SeriesReader } from './series-reader.ts';
import { SeriesWriter } from './series-writer.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 0, 1);
const all = { fromMs: 0, toMs: START_MS * 2, limit: 1_000_000 };

class Lab {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-series-'));
  readonly path = join(this.folder, 'series.db');
  readonly keys = new Map<number, SeriesKey>();
  #index = 0;
  #file: SeriesFile | undefined;
  #readFile: SeriesFile | undefined;
  writer: SeriesWriter;
  reader: SeriesReader;

  constructor(t: Pick<TestContext, 'after'>) {
    for (const ref of [1, 2]) this.keys.set(ref, seriesKey(ref, Buffer.alloc(32, ref)));
    ({ writer: this.writer, reader: this.reader } = this.reopen());
    t.after(() => this.end());
  }

  /** Opens the file again, as after a crash: what was not written is gone. */
  reopen(): { writer: SeriesWriter; reader: SeriesReader } {
    this.close();
    const file = SeriesFile.open(this.path, systemRandom);
    const readFile = SeriesFile.openReadOnly(this.path, systemRandom);
    [this.#file, this.#readFile] = [file, readFile];
    const keyOf = (ref: number): SeriesKey | undefined => this.keys.get(ref);
    const writer = new SeriesWriter({ file, keyOf });
    const directory = (ref: number): ReturnType<SeriesWriter['directory']> => writer.directory(ref);
    const reader = new SeriesReader({ file: readFile, keyOf, directory });
    [this.writer, this.reader] = [writer, reader];
    return { writer, reader };
  }

  send(
    json: { readonly ts?: number; readonly [name: string]: unknown },
    { atMs = json.ts ?? START_MS, keyRef = 1, topic = 'd/pump-1/telemetry' } = {},
  ): number {
    const index = this.#index++;
    const body = Buffer.from(JSON.stringify(json));
    const entry = { kind: 'message', atMs, principal: 'pump-1', topic, kid: '1.1', body } as const;
    this.writer.addEntry({ index, keyRef, bytes: 100 }, entry);
    return index;
  }

  checkpoint(): void {
    for (const _ of this.writer.checkpoint());
  }

  rows(level: number): number {
    const key = this.keys.get(1);
    const heads = key && this.#readFile?.heads(key, { stream: 0, level });
    return (heads ?? []).reduce((sum, { rows }) => sum + rows, 0);
  }

  bytes(): string {
    return readdirSync(this.folder)
      .map((name) => readFileSync(join(this.folder, name), 'latin1'))
      .join('');
  }

  close(): void {
    this.#readFile?.close();
    this.#file?.close();
    [this.#file, this.#readFile] = [undefined, undefined];
  }

  end(): void {
    this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Sent {
  readonly timeMs: number;
  readonly index: number;
  readonly value: number;
}

/** What the buckets must be, computed the plain way. */
function bucketsOf(sent: readonly Sent[], spanMs: number): Map<number, number[]> {
  const buckets = new Map<number, number[]>();
  for (const { timeMs, value } of sent) {
    const start = timeMs - (timeMs % spanMs);
    buckets.set(start, [...(buckets.get(start) ?? []), value]);
  }
  return buckets;
}

test('points and buckets are those that were sent, however they came and were written', () => {
  const step = fc.record({
    gapMs: fc.integer({ min: -5 * MINUTE_MS, max: 20 * MINUTE_MS }),
    count: fc.integer({ min: 1, max: 40 }),
    end: fc.constantFrom('nothing', 'checkpoint', 'reopen'),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      const lab = new Lab({ after: () => {} });
      try {
        const sent: Sent[] = [];
        let timeMs = START_MS;
        for (const { gapMs, count, end } of steps) {
          for (let at = 0; at < count; at += 1) {
            timeMs += gapMs;
            const value = ((sent.length * 37) % 500) / 10;
            sent.push({ timeMs, value, index: lab.send({ t: value, ts: timeMs }) });
          }
          if (end !== 'nothing') lab.checkpoint();
          if (end === 'reopen') lab.reopen();
        }
        const sorted = sent.toSorted((a, b) => a.timeMs - b.timeMs || a.index - b.index);
        const query = { keyRefs: [1], name: 't', ...all };
        assert.deepEqual(lab.reader.points(query), { points: sorted, hasMore: false });
        for (const spanMs of [MINUTE_MS, 5 * MINUTE_MS, HOUR_MS, 24 * HOUR_MS]) {
          const wanted = bucketsOf(sent, spanMs);
          const { points } = lab.reader.buckets({ ...query, spanMs });
          assert.deepEqual(
            points.map((point) => point.timeMs),
            [...wanted.keys()].sort((a, b) => a - b),
          );
          for (const { timeMs: start, count, min, max, mean } of points) {
            const values = wanted.get(start) ?? [];
            assert.equal(count, values.length);
            assert.deepEqual([min, max], [Math.min(...values), Math.max(...values)]);
            const sum = values.reduce((a, b) => a + b, 0);
            assert.ok(Math.abs(mean - sum / count) < 1e-9);
          }
        }
      } finally {
        lab.end();
      }
    }),
    { numRuns: 30 },
  );
});

test('pages behind each other are the whole', (t) => {
  const lab = new Lab(t);
  for (let at = 0; at < 500; at += 1) {
    // Ten messages each have the same time.
    lab.send({ t: at, ts: START_MS + Math.floor(at / 10) * 1_000 });
    if (at % 30 === 0) lab.checkpoint();
  }
  const query = { keyRefs: [1], name: 't', ...all };
  const whole = lab.reader.points(query).points;
  assert.equal(whole.length, 500);
  const pages: Sent[] = [];
  for (let hasMore = true; hasMore;) {
    const page = lab.reader.points({ ...query, limit: 7, after: pages.at(-1) });
    pages.push(...page.points);
    hasMore = page.hasMore;
  }
  assert.deepEqual(pages, whole);
  const part = lab.reader.points({ ...query, fromMs: START_MS + 1_000, toMs: START_MS + 3_000 });
  assert.deepEqual(
    part.points.map(({ value }) => value),
    Array.from({ length: 20 }, (_, at) => at + 10),
  );
  const seconds = lab.reader.buckets({ ...query, spanMs: MINUTE_MS, limit: 1 });
  assert.equal(seconds.hasMore, false);
  assert.equal(seconds.points[0]?.count, 500);
});

test('what was not written is not in the position either', (t) => {
  const lab = new Lab(t);
  lab.send({ t: 1 });
  lab.writer.add([], 1);
  lab.checkpoint();
  lab.send({ t: 2 });
  lab.writer.add([], 2);
  assert.equal(lab.writer.next, 2);
  const { reader, writer } = lab.reopen();
  assert.equal(writer.next, 1);
  assert.equal(reader.points({ keyRefs: [1], name: 't', ...all }).points.length, 1);
});

test('a checkpoint that fails in the middle leaves all as it was', (t) => {
  const lab = new Lab(t);
  lab.send({ t: 1 });
  lab.checkpoint();
  lab.send({ t: 2 });
  lab.send({ t: 2 }, { keyRef: 2 });
  const steps = lab.writer.checkpoint();
  steps.next();
  // While it runs, queries see what was written before, and what waits in memory.
  const query = { keyRefs: [1], name: 't', ...all };
  assert.equal(lab.reader.points(query).points.length, 2);
  assert.throws(() => steps.throw(new Error('the disk is full')), /full/u);
  assert.equal(lab.reader.points(query).points.length, 1);
});

test('names and values of one device are joined over its keys', (t) => {
  const lab = new Lab(t);
  lab.send({ t: 1, on: true }, { atMs: START_MS });
  lab.send({ t: 3 }, { atMs: START_MS + 2, keyRef: 2 });
  lab.send({ x: 1 }, { topic: 'd/pump-1/telemetry/room' });
  const { series } = lab.reader.list([1, 2]);
  assert.deepEqual(
    series.map(({ name, kind, count, last }) => [name, kind, count, last.value]),
    [
      ['on', 'boolean', 1, 1],
      ['room/x', 'number', 1, 1],
      ['t', 'number', 2, 3],
    ],
  );
  assert.deepEqual(lab.reader.latest([1, 2], 't').values, [
    { name: 't', kind: 'number', timeMs: START_MS + 2, index: 1, value: 3 },
  ]);
  assert.deepEqual(lab.reader.list([3]), { series: [], passedOver: 0 });
});

test('a device that invents names fills its directory, and no more', (t) => {
  const lab = new Lab(t);
  for (let at = 0; at <= TOPICS_PER_DEVICE_MAX; at += 1) {
    lab.send({ t: at }, { topic: `d/pump-1/telemetry/${at}` });
  }
  const { series, passedOver } = lab.reader.list([1]);
  assert.equal(series.length, TOPICS_PER_DEVICE_MAX);
  assert.equal(passedOver, 1);
});

test('what expires is gone, what was rolled up of it stays as long as it is to', (t) => {
  const lab = new Lab(t);
  const count = 24 * 60;
  for (let at = 0; at < count; at += 1) {
    lab.send({ t: at }, { atMs: START_MS + at * MINUTE_MS });
    if (at % 100 === 0) lab.checkpoint();
  }
  lab.checkpoint();
  const fromMs = START_MS + 12 * HOUR_MS;
  const expired = lab.writer.directory(1)?.usage.expired({ fromMs });
  assert.ok(expired !== undefined && expired.before > 600 && expired.before <= 720);
  lab.writer.expire(1, expired, START_MS + 2 * HOUR_MS);
  const query = { keyRefs: [1], name: 't', ...all };
  const { points } = lab.reader.points(query);
  assert.deepEqual([points[0]?.value, points.length], [expired.before, count - expired.before]);
  assert.equal(lab.rows(0), count - expired.before);
  const hours = lab.reader.buckets({ ...query, spanMs: HOUR_MS }).points;
  assert.deepEqual([hours[0]?.timeMs, hours.length], [START_MS + 2 * HOUR_MS, 22]);
  assert.ok(hours.every((hour) => hour.count === 60));
  assert.equal(lab.writer.directory(1)?.usage.expired({ fromMs }), undefined);
  lab.reopen();
  assert.deepEqual(lab.reader.points(query).points, points);
});

test('what stood under a destroyed key is gone; the file shows neither names nor content', (t) => {
  const lab = new Lab(t);
  for (const keyRef of [1, 2])
    lab.send({ thermometer: 21.5 }, { keyRef, topic: 'd/pump-1/telemetry/kitchen' });
  lab.checkpoint();
  assert.ok(!/thermometer|kitchen|pump/u.test(lab.bytes()));
  lab.keys.delete(1);
  lab.writer.forget([1]);
  const query = { name: 'kitchen/thermometer', ...all };
  assert.equal(lab.reader.points({ ...query, keyRefs: [1] }).points.length, 0);
  assert.equal(lab.reader.points({ ...query, keyRefs: [2] }).points.length, 1);
  const database = new DatabaseSync(lab.path, { readOnly: true });
  assert.equal(
    database.prepare('SELECT count(*) AS n FROM chunk WHERE key_ref = 1').get()?.['n'],
    0,
  );
  database.close();
});

test('a chunk that was moved or changed does not open [E_CRYPTO_OPEN]', (t) => {
  const lab = new Lab(t);
  for (const keyRef of [1, 1, 2]) {
    lab.send({ t: 1 }, { keyRef });
    lab.checkpoint();
  }
  lab.close();
  const database = new DatabaseSync(lab.path);
  database.exec('UPDATE chunk SET body = (SELECT body FROM chunk WHERE id = 1) WHERE id = 2');
  database.exec('UPDATE chunk SET body = zeroblob(60) WHERE id = 3');
  database.close();
  lab.reopen();
  for (const keyRef of [1, 2]) {
    assert.throws(
      () => lab.reader.points({ keyRefs: [keyRef], name: 't', ...all }),
      (error) => error instanceof Fault && error.code === 'E_CRYPTO_OPEN',
    );
  }
});

test('no query computes more buckets than the limit', (t) => {
  const lab = new Lab(t);
  const query = { keyRefs: [1], name: 't', ...all, limit: 1 };
  for (let at = 0; at < BUCKETS_MAX; at += 1) lab.send({ t: 1, ts: START_MS + at * MINUTE_MS });
  assert.equal(lab.reader.buckets({ ...query, spanMs: MINUTE_MS }).hasMore, true);
  lab.send({ t: 1, ts: START_MS + BUCKETS_MAX * MINUTE_MS });
  assert.throws(() => lab.reader.buckets({ ...query, spanMs: MINUTE_MS }), RangeError);
  assert.ok(lab.reader.buckets({ ...query, spanMs: HOUR_MS }).hasMore);
});

test('the mean of the largest numbers is a number', (t) => {
  const lab = new Lab(t);
  for (let at = 0; at < 8; at += 1) {
    for (const v of [1.7e308, 1.7e308]) lab.send({ v, ts: START_MS + at * MINUTE_MS });
    lab.checkpoint();
  }
  const query = { ...all, keyRefs: [1], name: 'v', spanMs: HOUR_MS };
  const [hour] = lab.reader.buckets(query).points;
  assert.deepEqual([hour?.count, hour?.max, hour?.mean], [16, 1.7e308, 1.7e308]);
});
