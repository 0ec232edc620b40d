/** When a new image is good, and when it has to go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../clock.ts';
import { type LocalCheck, commandCheck } from './local-check.ts';
import { type TrialDeps, runTrial } from './trial.ts';

/** Time passes only where somebody waits for it. */
class LeapingClock implements Clock {
  ms = 0;
  nowMs(): number {
    return this.ms;
  }
  monotonicMs(): number {
    return this.ms;
  }
  after(delayMs: number, task: () => void): () => void {
    let isOver = false;
    setImmediate(() => {
      if (isOver) return;
      this.ms += delayMs;
      task();
    });
    return () => {
      isOver = true;
    };
  }
}

const BOUNDS = { withinMs: 30_000, steadyMs: 5_000, offline: 'wait', offlineMs: 600_000 } as const;
const offline = (): Promise<void> => Promise.reject(new Error('no route'));
const online = (): Promise<void> => Promise.resolve();

function trial(change: Partial<TrialDeps>) {
  const clock = new LeapingClock();
  let waits = 0;
  const deps: TrialDeps = {
    clock,
    bounds: BOUNDS,
    checks: [],
    couldConnect: true,
    connect: online,
    isApproved: () => false,
    onWaiting: () => {
      waits += 1;
    },
    ...change,
  };
  return runTrial(deps).then((result) => ({ ...result, ms: clock.ms, waits }));
}

/** Fails as long as the clock is before this. */
function fromMs(clock: LeapingClock, ms: number): () => Promise<void> {
  return () => (clock.ms >= ms ? online() : offline());
}

test('an image that connects is good, but not before it was steady', async () => {
  assert.deepEqual(await trial({}), { result: 'good', ms: 5_000, waits: 0 });
});

test('one that connects late is good; a moment too late, it is not', async () => {
  const clock = new LeapingClock();
  const late = { clock, connect: fromMs(clock, 29_000) };
  assert.equal((await trial(late)).result, 'good');
  const tooLate = new LeapingClock();
  const result = await trial({ clock: tooLate, connect: fromMs(tooLate, 31_000) });
  assert.deepEqual(result.result, 'bad');
  assert.equal(tooLate.ms, 30_000);
});

test('why it is bad is said', async () => {
  const result = await trial({ connect: offline });
  assert.ok(result.result === 'bad');
  assert.equal(result.why, 'the server cannot be reached: no route, for 30 s');
});

test('a cable that was unplugged before is waited for', async () => {
  const clock = new LeapingClock();
  const result = await trial({ clock, couldConnect: false, connect: fromMs(clock, 300_000) });
  assert.equal(result.result, 'good');
  assert.ok(result.waits > 5, 'the supervisor is told that it waits');
  const never = await trial({ couldConnect: false, connect: offline });
  assert.deepEqual([never.result, never.ms], ['bad', 600_000]);
});

test('the policy "revert" waits for nothing', async () => {
  const bounds = { ...BOUNDS, offline: 'revert' } as const;
  const result = await trial({ bounds, couldConnect: false, connect: offline });
  assert.deepEqual([result.result, result.ms], ['bad', 30_000]);
});

test('a local check that fails is not waited for, with or without a server', async () => {
  const checks: LocalCheck[] = [{ name: 'sensor', withinMs: 1_000, run: offline }];
  for (const couldConnect of [true, false]) {
    const result = await trial({ checks, couldConnect });
    assert.ok(result.result === 'bad' && result.why.includes('"sensor"'));
    assert.equal(result.ms, 30_000);
  }
});

test('a check that hangs, and a server that does not answer, cost their time only', async () => {
  const hang = (): Promise<void> => new Promise(() => {});
  const checks: LocalCheck[] = [{ name: 'hangs', withinMs: 4_000, run: hang }];
  const result = await trial({ checks });
  assert.ok(result.result === 'bad' && result.why.includes('no answer in time'));
  assert.equal((await trial({ connect: hang })).ms, 30_000);
});

test('a person can confirm an image that does not reach the server', async () => {
  assert.equal((await trial({ connect: offline, isApproved: () => true })).result, 'good');
});

test('a command passes with the exit code 0 alone, and is killed when it hangs', async () => {
  const signal = AbortSignal.timeout(120_000);
  const check = (...command: [string, ...string[]]) =>
    commandCheck({ name: 'x', command, withinMs: 60_000 });
  await check('true').run(signal);
  await assert.rejects(check('sh', '-c', 'exit 3').run(signal), /exit code 3/u);
  await assert.rejects(check('/no/such/program').run(signal), /ENOENT/u);
  await assert.rejects(check('sleep', '600').run(AbortSignal.timeout(50)), { name: 'AbortError' });
});
