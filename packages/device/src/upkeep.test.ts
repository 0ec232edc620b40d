/** The timer of renewals: it waits for months, and looks at the clock on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../test-support/virtual-clock.ts';
import { UPKEEP_CHECK_MS_MAX } from './limits.ts';
import { Upkeep } from './upkeep.ts';

const DAY = 86_400_000;

/** Lets promises that are settled already take effect. */
async function settle(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await Promise.resolve();
}

function lab(options: { dueInMs: number; restMs?: number }) {
  const clock = new VirtualClock();
  const state = { dueMs: clock.nowMs() + options.dueInMs, runs: 0, fault: undefined as unknown };
  const pauses: number[] = [];
  const upkeep = new Upkeep({
    clock,
    random: () => 0.5,
    backOff: { firstMs: 1_000, capMs: 4_000, stableMs: Number.POSITIVE_INFINITY },
    dueMs: () => state.dueMs,
    restMs: () => options.restMs ?? 0,
    run: () => {
      state.runs += 1;
      if (state.fault !== undefined) return Promise.reject(state.fault);
      state.dueMs = clock.nowMs() + options.dueInMs;
      return Promise.resolve();
    },
    onFailure: (_, retryInMs) => pauses.push(retryInMs),
  });
  return { clock, state, pauses, upkeep };
}

test('what is due in months runs then, and not before: timers of Node end at 24.8 days', async () => {
  const { clock, state } = lab({ dueInMs: 60 * DAY });
  clock.advance(60 * DAY - 1);
  assert.equal(state.runs, 0);
  clock.advance(1);
  assert.equal(state.runs, 1);
  await settle();
  clock.advance(60 * DAY);
  assert.equal(state.runs, 2);
});

test('a clock that is set forward is noticed within an hour', () => {
  const { clock, state } = lab({ dueInMs: 60 * DAY });
  clock.advance(1);
  state.dueMs = clock.nowMs();
  clock.advance(UPKEEP_CHECK_MS_MAX - 2);
  assert.equal(state.runs, 0);
  clock.advance(1);
  assert.equal(state.runs, 1);
});

test('failures pause longer each time up to a cap, and a success starts anew', async () => {
  const { clock, state, pauses } = lab({ dueInMs: 10 });
  state.fault = new Error('no network');
  clock.advance(10);
  await settle();
  for (let n = 1; n < 5; n += 1) {
    clock.advance((pauses.at(-1) ?? 0) - 1);
    assert.equal(state.runs, n);
    clock.advance(1);
    await settle();
  }
  assert.deepEqual(pauses, [500, 1_000, 2_000, 2_000, 2_000]);
  state.fault = undefined;
  clock.advance(2_000);
  await settle();
  state.fault = new Error('again');
  clock.advance(10);
  await settle();
  assert.equal(pauses.at(-1), 500);
});

test('what stays due does not run without a rest', async () => {
  const { clock, state } = lab({ dueInMs: 0, restMs: 5_000 });
  clock.advance(0);
  await settle();
  assert.equal(state.runs, 1);
  clock.advance(4_999);
  await settle();
  assert.equal(state.runs, 1);
  clock.advance(1);
  await settle();
  assert.equal(state.runs, 2);
});

test('by hand it runs at once, once for all who ask, and rejects', async () => {
  const { state, upkeep } = lab({ dueInMs: DAY });
  await Promise.all([upkeep.runNow(), upkeep.runNow()]);
  assert.equal(state.runs, 1);
  const fault = new Error('no network');
  state.fault = fault;
  await assert.rejects(upkeep.runNow(), fault);
});

test('stopped, it runs no more and tells nothing', async () => {
  const { clock, state, pauses, upkeep } = lab({ dueInMs: 10 });
  state.fault = new Error('no network');
  const running = assert.rejects(upkeep.runNow());
  upkeep.stop();
  await running;
  assert.equal(clock.timerCount, 0);
  clock.advance(DAY);
  assert.equal(state.runs, 1);
  assert.deepEqual(pauses, []);
});
