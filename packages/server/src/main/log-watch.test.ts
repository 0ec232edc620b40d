import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import type { ServerEvent } from '../audit/index.ts';
import { Secret, createLog, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { TestClock } from '../session/lab.testing.ts';
import { CLOCK_JUMP_MS, CLOCK_WATCH_INTERVAL_MS, MARK_INTERVAL_MS } from './limits.ts';
import type { NewestAct } from './log-facts.ts';
import { watchClock, watchLog } from './log-watch.ts';

/** A clock whose time of day can be set, as an operator sets that of a machine. */
class SettableClock extends TestClock {
  shiftMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.shiftMs;
  }
}

function openWatch(t: TestContext, newest?: NewestAct, isCleanStop = true) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-watch-'));
  const unsealKey = new Secret(systemRandom(32));
  const store = new SealedStore(join(folder, 'registry.db'), { unsealKey, random: systemRandom });
  t.after(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const clock = new SettableClock();
  const events: ServerEvent[] = [];
  const checkpoints = { newest: 'first' };
  store.state.release(() => checkpoints.newest);
  const log = createLog({ form: 'json', level: 'silent', write: () => {} });
  const context = { clock, log, onUndo: () => {} };
  const recordEvent = (event: ServerEvent): Promise<void> => {
    events.push(event);
    return Promise.resolve();
  };
  const lastRun = { newest, isCleanStop, accepted: [], generation: 0 };
  const watch = watchLog(context, { store }, { recordEvent, lastRun });
  return { store, clock, events, checkpoints, watch };
}

function entryAt(atMs: number): NewestAct {
  return { index: 41, entry: { topic: 'server.stop', atMs } };
}

test('a jump of the clock is told from 2 s on, in both directions', () => {
  const clock = new SettableClock();
  const jumps: number[] = [];
  const cancel = watchClock(clock, (byMs) => jumps.push(byMs));
  for (const byMs of [0, CLOCK_JUMP_MS, -CLOCK_JUMP_MS, CLOCK_JUMP_MS + 1, -3_600_000]) {
    clock.shiftMs += byMs;
    clock.advance(CLOCK_WATCH_INTERVAL_MS);
  }
  assert.deepEqual(jumps, [CLOCK_JUMP_MS + 1, -3_600_000]);
  cancel();
  clock.shiftMs += 1e6;
  clock.advance(10 * CLOCK_WATCH_INTERVAL_MS);
  assert.equal(jumps.length, 2);
});

test('the registry is marked on the log only after it was changed', (t) => {
  const { store, clock, events, checkpoints, watch } = openWatch(t);
  clock.advance(5 * MARK_INTERVAL_MS);
  assert.deepEqual(events, []);
  store.collection('thing', z.number()).write('pump', 1);
  clock.advance(MARK_INTERVAL_MS - 1);
  assert.deepEqual(events, []);
  clock.advance(1);
  clock.advance(5 * MARK_INTERVAL_MS);
  assert.deepEqual(events, [{ name: 'registry.mark' }]);
  checkpoints.newest = 'last';
  watch.stop();
  assert.equal(store.state.generation, 1, 'a mark is no change');
});

test('an unclean stop and a clock that was set back since are noticed at the start', (t) => {
  const { nowMs } = { nowMs: new SettableClock().nowMs() };
  assert.deepEqual(openWatch(t, entryAt(nowMs + CLOCK_JUMP_MS)).events, []);
  const [jump] = openWatch(t, entryAt(nowMs + CLOCK_JUMP_MS + 1)).events;
  assert.equal(jump?.name, 'clock.jump');
  const [unclean] = openWatch(t, entryAt(nowMs), false).events;
  assert.deepEqual(unclean, {
    name: 'server.unclean-stop',
    facts: { lastEntry: 41, lastAtMs: nowMs },
  });
  assert.deepEqual(openWatch(t).events, [], 'a new log has no last run');
});
