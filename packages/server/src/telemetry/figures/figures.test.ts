import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FIGURE_SPANS, FiguresSchema } from '@holdfast/protocol/api';
import {
  type CancelTimer,
  type Clock,
  Secret,
  createLog,
  systemRandom,
} from '../../kernel/index.ts';
import { SealedStore } from '../../persistence/index.ts';
import { Figures, type Traffic } from './figures.ts';
import { FIGURES_WRITE_MS, SAMPLE_MS } from './limits.ts';

const START_MS = Date.UTC(2026, 10, 21, 12);
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

class TestClock implements Clock {
  ms = START_MS;
  #timer: { readonly atMs: number; readonly task: () => void } | undefined;

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms - START_MS;
  }

  after(delayMs: number, task: () => void): CancelTimer {
    const timer = { atMs: this.ms + delayMs, task };
    this.#timer = timer;
    return () => {
      if (this.#timer === timer) this.#timer = undefined;
    };
  }

  /** Moves on by one span after the other, with time for what is to be done in between. */
  async pass(ms: number, stepMs: number): Promise<void> {
    for (let done = 0; done < ms; done += stepMs) {
      this.advance(stepMs);
      await new Promise(setImmediate);
    }
  }

  advance(ms: number): void {
    const endMs = this.ms + ms;
    for (let timer = this.#timer; timer !== undefined && timer.atMs <= endMs; timer = this.#timer) {
      this.#timer = undefined;
      this.ms = timer.atMs;
      timer.task();
    }
    this.ms = endMs;
  }
}

interface Counted {
  accepted: number;
  refused: Record<string, number>;
  connections: number;
  sessions: number;
}

function openLab(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-figures-'));
  const unsealKey = new Secret(systemRandom(32));
  const custody = { unsealKey, random: systemRandom };
  const clock = new TestClock();
  const open = (): SealedStore => new SealedStore(join(folder, 'registry.db'), custody, { clock });
  const lab = { clock, store: open(), counted: nothing(), logLines: [] as string[] };
  const log = createLog({ form: 'json', level: 'info', write: (line) => lab.logLines.push(line) });
  context.after(() => {
    if (lab.store.isOpen) lab.store.close();
    rmSync(folder, { recursive: true });
  });
  const figures = (): Figures =>
    new Figures({
      clock,
      log,
      store: lab.store,
      read: (): Traffic => structuredClone(lab.counted),
    });
  /** Ends the process without a word, and starts it again after a while. */
  const restart = (downMs: number): Figures => {
    lab.store.close();
    clock.advance(downMs);
    lab.store = open();
    lab.counted = nothing();
    return figures();
  };
  return Object.assign(lab, { figures, restart });
}

function nothing(): Counted {
  return { accepted: 0, refused: {}, connections: 0, sessions: 0 };
}

test('counts become messages a second, step by step, and say when nobody was looking', (t) => {
  const { clock, counted, figures: open } = openLab(t);
  const figures = open();
  figures.start();
  counted.accepted = 50;
  counted.refused['E_VERIFY_SIG'] = 5;
  counted.connections = 7;
  clock.advance(SAMPLE_MS);
  counted.accepted += 1_000;
  clock.advance(SAMPLE_MS);
  const { times, accepted, refused, byCode, connections } = figures.lines('hour');
  assert.equal(times.length, FIGURE_SPANS.hour.spanMs / SAMPLE_MS - 1);
  assert.equal(times.at(-1), clock.ms - SAMPLE_MS);
  assert.deepEqual(accepted.slice(-3), [null, 5, 100]);
  assert.deepEqual(refused.slice(-3), [null, 0.5, 0]);
  assert.deepEqual(connections.slice(-3), [null, 7, 7]);
  assert.deepEqual(
    byCode.map(({ code, total }) => ({ code, total })),
    [{ code: 'E_VERIFY_SIG', total: 5 }],
  );
  for (const span of ['hour', 'day', 'month'] as const) {
    FiguresSchema.parse(figures.lines(span));
  }
});

test('longer spans hold the same counts in longer steps', (t) => {
  const { clock, counted, figures: open } = openLab(t);
  const figures = open();
  figures.start();
  for (let i = 0; i < 30 * 6; i += 1) {
    counted.accepted += 20;
    clock.advance(SAMPLE_MS);
  }
  assert.deepEqual(figures.lines('day').accepted.slice(-31), [
    null,
    ...Array.from({ length: 30 }, () => 2),
  ]);
  assert.deepEqual(figures.lines('month').accepted.slice(-3), [null, 2, 2]);
});

test('a ring keeps its span and forgets what is older', (t) => {
  const { clock, counted, figures: open } = openLab(t);
  const figures = open();
  figures.start();
  counted.accepted = 10;
  clock.advance(SAMPLE_MS);
  clock.advance(HOUR_MS - 2 * SAMPLE_MS);
  assert.equal(figures.lines('hour').accepted[0], 1);
  clock.advance(SAMPLE_MS);
  assert.equal(figures.lines('hour').accepted[0], 0);
  assert.equal(figures.lines('hour').accepted.length, 359);
});

test('of many codes the most frequent have a line, and the others one together', (t) => {
  const { clock, counted, figures: open } = openLab(t);
  const figures = open();
  figures.start();
  for (let i = 1; i <= 10; i += 1) counted.refused[`E_LAB_${i}`] = i * 10;
  clock.advance(SAMPLE_MS);
  const { byCode } = figures.lines('hour');
  assert.equal(byCode.length, 9);
  assert.equal(byCode[0]?.code, 'E_LAB_10');
  assert.deepEqual(byCode[8]?.perS.at(-1), 3);
  assert.deepEqual(
    { code: byCode[8]?.code, total: byCode[8]?.total },
    { code: 'other', total: 30 },
  );
});

test('after a crash a minute is missing at most, and the time without a server is a gap', async (t) => {
  const lab = openLab(t);
  const figures = lab.figures();
  figures.start();
  for (let ms = 0; ms < 10 * MINUTE_MS; ms += SAMPLE_MS) {
    lab.counted.accepted += 10;
    await lab.clock.pass(SAMPLE_MS, SAMPLE_MS);
  }
  // The last write was up to a minute ago: what came since is lost, and nothing before.
  for (let ms = 0; ms < FIGURES_WRITE_MS - SAMPLE_MS; ms += SAMPLE_MS) {
    lab.counted.accepted += 10;
    await lab.clock.pass(SAMPLE_MS, SAMPLE_MS);
  }
  const again = lab.restart(5 * MINUTE_MS);
  const { accepted } = again.lines('hour');
  const known = accepted.filter((value) => value !== null);
  assert.ok(known.every((value) => value === 1));
  assert.ok(known.length >= 60 && known.length <= 65, `${known.length} steps`);
  assert.deepEqual(
    accepted.slice(-29),
    Array.from({ length: 29 }, () => null),
  );
  again.start();
  lab.counted.accepted += 30;
  lab.clock.advance(SAMPLE_MS);
  assert.equal(again.lines('hour').accepted.at(-1), 3);
});

test('a stop writes what was counted since', (t) => {
  const lab = openLab(t);
  const figures = lab.figures();
  figures.start();
  lab.counted.accepted = 40;
  lab.clock.advance(4_000);
  figures.stop();
  const again = lab.restart(SAMPLE_MS);
  assert.deepEqual(again.lines('hour').accepted.slice(-1), [10]);
});

test('all records of a month fit the ring of records, and come back', (t) => {
  const lab = openLab(t);
  const figures = lab.figures();
  for (let i = 0; i < 40 * 96; i += 1) {
    lab.counted.accepted += 900;
    lab.clock.ms += 15 * MINUTE_MS;
    figures.sample();
    if (i % 50 === 0) figures.stop();
  }
  figures.stop();
  const before = figures.lines('month');
  const after = lab.restart(0).lines('month');
  assert.deepEqual(after, before);
  assert.ok(after.accepted.every((value) => value !== null));
});

test('a clock that was set back and forth leaves bounded, readable figures', (t) => {
  const { clock, counted, figures: open } = openLab(t);
  const figures = open();
  for (const jumpMs of [0, -3 * HOUR_MS, 400 * HOUR_MS, -400 * HOUR_MS]) {
    counted.accepted += 100;
    clock.ms += SAMPLE_MS + jumpMs;
    figures.sample();
  }
  for (const span of ['hour', 'day', 'month'] as const) FiguresSchema.parse(figures.lines(span));
});

test('a disk that fails is told once, and what waits is written later', async (t) => {
  const lab = openLab(t);
  let isFailing = true;
  const { clock } = lab;
  const figures = new Figures({
    clock,
    log: createLog({ form: 'json', level: 'info', write: (line) => lab.logLines.push(line) }),
    store: {
      collection: lab.store.collection.bind(lab.store),
      transaction: (task) => {
        if (isFailing) throw new Error('no space');
        return lab.store.transaction(task);
      },
    },
    read: () => structuredClone(lab.counted),
  });
  figures.start();
  lab.counted.accepted = 10;
  await clock.pass(3 * FIGURES_WRITE_MS, FIGURES_WRITE_MS);
  assert.equal(lab.logLines.filter((line) => line.includes('figures.write')).length, 1);
  isFailing = false;
  await clock.pass(FIGURES_WRITE_MS, FIGURES_WRITE_MS);
  figures.stop();
  const known = lab
    .restart(0)
    .lines('hour')
    .accepted.filter((value) => value !== null);
  assert.equal(known.length, 4 * (FIGURES_WRITE_MS / SAMPLE_MS));
});

test('rates are those of the last look, and refusals of this moment are in the hour', (t) => {
  const { clock, counted, figures: open } = openLab(t);
  const figures = open();
  assert.deepEqual(figures.rates, { acceptedPerS: 0, refusedPerS: 0 });
  figures.start();
  counted.accepted = 100;
  counted.refused['E_VERIFY_SIG'] = 20;
  clock.advance(SAMPLE_MS);
  assert.deepEqual(figures.rates, { acceptedPerS: 10, refusedPerS: 2 });
  counted.refused['E_VERIFY_SIG'] = 25;
  clock.ms += 1_000;
  assert.deepEqual([...figures.refusedInHour()], [['E_VERIFY_SIG', 25]]);
});

test('what was refused lately is told apart from the day before', (t) => {
  const { clock, counted, figures: open } = openLab(t);
  const figures = open();
  figures.start();
  counted.refused['E_VERIFY_SIG'] = 6;
  clock.advance(HOUR_MS);
  counted.refused['E_VERIFY_SIG'] = 106;
  clock.advance(MINUTE_MS);
  const { lately, before, beforeMs } = figures.refusedLately(10 * MINUTE_MS);
  assert.deepEqual({ lately, before }, { lately: 100, before: 6 });
  assert.ok(beforeMs > 50 * MINUTE_MS && beforeMs <= 52 * MINUTE_MS);
});

test('a timer that is late for long writes once', async (t) => {
  const lab = openLab(t);
  let writes = 0;
  const figures = new Figures({
    clock: lab.clock,
    log: createLog({ form: 'json', level: 'silent', write: () => {} }),
    store: {
      collection: lab.store.collection.bind(lab.store),
      transaction: (task) => {
        writes += 1;
        return lab.store.transaction(task);
      },
    },
    read: () => structuredClone(lab.counted),
  });
  figures.start();
  await lab.clock.pass(24 * HOUR_MS, 24 * HOUR_MS);
  assert.equal(writes, 1);
});
