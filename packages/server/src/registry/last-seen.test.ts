import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type CancelTimer, type Clock, Secret, systemRandom } from '../kernel/index.ts';
import { SealedStore } from '../persistence/index.ts';
import { DeviceColumns } from './device-columns.ts';
import { LastSeen } from './last-seen.ts';
import { LAST_SEEN_FLUSH_BUCKETS, LAST_SEEN_FLUSH_MS } from './limits.ts';

const unsealKey = new Secret(systemRandom(32));

class HandClock implements Clock {
  ms = 1_000;
  timers: { readonly delayMs: number; readonly task: () => void }[] = [];
  nowMs = (): number => this.ms;
  monotonicMs = (): number => this.ms;
  after(delayMs: number, task: () => void): CancelTimer {
    const timer = { delayMs, task };
    this.timers.push(timer);
    return () => void (this.timers = this.timers.filter((one) => one !== timer));
  }
  /** Lets the next timer run. */
  tick(): void {
    const [next] = this.timers.splice(0, 1);
    next?.task();
  }
}

function openStore(t: TestContext): () => SealedStore {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-seen-'));
  const stores: SealedStore[] = [];
  t.after(() => {
    for (const store of stores) if (store.isOpen) store.close();
    rmSync(folder, { recursive: true });
  });
  return () => {
    stores.at(-1)?.close();
    stores.push(new SealedStore(join(folder, 'registry.db'), { unsealKey, random: systemRandom }));
    return stores.at(-1) as SealedStore;
  };
}

test('what was seen is there after a restart, once it was written', (t) => {
  const clock = new HandClock();
  const open = openStore(t);
  const seen = new LastSeen(open(), { clock, columns: new DeviceColumns() });
  assert.equal(seen.of('a'), undefined);
  seen.note('a');
  clock.ms = 2_000;
  seen.note('b');
  seen.note('a');
  assert.deepEqual([seen.of('a'), seen.of('b')], [2_000, 2_000]);
  assert.deepEqual(
    clock.timers.map(({ delayMs }) => delayMs),
    [LAST_SEEN_FLUSH_MS],
    'one timer, however many were seen',
  );
  clock.tick();
  assert.equal(clock.timers.length, 0, 'nothing is left to write');
  const again = new LastSeen(open(), { clock, columns: new DeviceColumns() });
  assert.deepEqual([again.of('a'), again.of('b'), again.of('c')], [2_000, 2_000, undefined]);
});

test('many are written in slices, and the rest when it is closed', (t) => {
  const clock = new HandClock();
  const open = openStore(t);
  const store = open();
  const generation = store.state.generation;
  const seen = new LastSeen(store, { clock, columns: new DeviceColumns() });
  const ids = Array.from({ length: 2_000 }, (_, at) => `device-${at}`);
  for (const id of ids) seen.note(id);
  clock.tick();
  assert.equal(clock.timers.length, 1, `more than ${LAST_SEEN_FLUSH_BUCKETS} records have changed`);
  seen.close();
  assert.equal(clock.timers.length, 0);
  assert.equal(store.state.generation, generation, 'it is no change of the registry');
  const again = new LastSeen(open(), { clock, columns: new DeviceColumns() });
  assert.ok(ids.every((id) => again.of(id) === 1_000));
});
