/** What an owner learns of refusals: of the own device, of the own time, in kinds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REFUSALS_SUMMED_MAX, REFUSAL_SPANS_MS } from '@holdfast/protocol/api';
import { TestClock } from '../../kernel/clock.testing.ts';
import type { RefusalRecord } from '../../telemetry/index.ts';
import type { ApiDeps } from '../deps.ts';
import { FakeHistory } from '../lab.testing.ts';
import { OWNED_REFUSALS_LIFE_FACTOR, REFUSAL_SUMMARY_LIFE_MS } from '../limits.ts';
import { OwnedRefusalsReader } from './owned-refusals.ts';

const OWNED = new Set(['pump-1', 'pump-2']);

function openReader() {
  const clock = new TestClock();
  const refusals = new FakeHistory<RefusalRecord>();
  const owners = { ownerOf: (id: string) => (OWNED.has(id) ? 'ada' : undefined) };
  const reader = new OwnedRefusalsReader({
    clock,
    owners: owners as ApiDeps['owners'],
    histories: { refusals } as unknown as ApiDeps['histories'],
  });
  const refuse = (more: Partial<RefusalRecord>): void => {
    const index = refusals.items.length + 1;
    const common = { index, atMs: clock.ms, detail: 'no match', count: 1 };
    refusals.push({ ...common, code: 'E_VERIFY_SIG', principal: 'pump-1', ...more });
  };
  return { clock, refusals, reader, refuse };
}

test('refusals are told by kind, with the sums of floods, the newest kind first', async () => {
  const { clock, reader, refuse } = openReader();
  const startMs = clock.ms;
  refuse({ code: 'E_VERIFY_SIG_MISSING' });
  clock.ms += 1_000;
  refuse({ code: 'E_VERIFY_SIG', count: 40 });
  refuse({ principal: 'pump-2', code: 'E_AUTHORIZE_PUBLISH' });
  // Who only claims to be a device is not that device, and nobody else's is told.
  refuse({ principal: undefined, claimed: 'pump-1', code: 'E_SESSION_FOREIGN_CA' });
  refuse({ principal: 'pump-9', code: 'E_VERIFY_STALE' });
  clock.ms += 1_000;
  refuse({ code: 'E_VERIFY_REPLAY' });
  const { kinds } = await reader.of('pump-1', 0);
  assert.deepEqual(kinds, [
    { kind: 'repeated', count: 1, firstMs: clock.ms, lastMs: clock.ms },
    { kind: 'altered', count: 41, firstMs: startMs, lastMs: startMs + 1_000 },
  ]);
  const other = await reader.of('pump-2', 0);
  assert.deepEqual(
    other.kinds.map(({ kind }) => kind),
    ['not-permitted'],
  );
  assert.deepEqual((await reader.of('pump-9', 0)).kinds, []);
});

test('neither what came before the owner is told, nor what is older than a day', async () => {
  const { clock, reader, refuse } = openReader();
  const startMs = clock.ms;
  refuse({});
  clock.ms += 60_000;
  refuse({});
  const since = async (ms: number) => {
    const { sinceMs, kinds } = await reader.of('pump-1', ms);
    return { sinceMs, count: kinds[0]?.count ?? 0 };
  };
  const dayMs = REFUSAL_SPANS_MS.day;
  assert.deepEqual(await since(0), { sinceMs: clock.ms - dayMs, count: 2 });
  assert.deepEqual(await since(clock.ms), { sinceMs: clock.ms, count: 1 });
  assert.deepEqual(await since(clock.ms + 1), { sinceMs: clock.ms + 1, count: 0 });
  clock.ms = startMs + dayMs;
  assert.equal((await since(0)).count, 2);
  clock.ms += REFUSAL_SUMMARY_LIFE_MS;
  assert.equal((await since(0)).count, 1);
});

test('one look serves all owners, and for longer when it takes long', async () => {
  const { clock, refusals, reader, refuse } = openReader();
  refuse({});
  await Promise.all(['pump-1', 'pump-2', 'pump-9'].map((id) => reader.of(id, 0)));
  assert.equal(refusals.pages.length, 1);
  clock.ms += REFUSAL_SUMMARY_LIFE_MS - 1;
  await reader.of('pump-1', 0);
  assert.equal(refusals.pages.length, 1);
  clock.ms += 1;
  const tookMs = 100;
  refusals.read = (page) => {
    clock.ms += tookMs;
    return FakeHistory.prototype.read.call(refusals, page) as Promise<RefusalRecord[]>;
  };
  await reader.of('pump-1', 0);
  assert.equal(refusals.pages.length, 2);
  clock.ms += tookMs * OWNED_REFUSALS_LIFE_FACTOR - 1;
  await reader.of('pump-1', 0);
  assert.equal(refusals.pages.length, 2);
  clock.ms += 1;
  await reader.of('pump-1', 0);
  assert.equal(refusals.pages.length, 3);
});

test('a look that fails is told to those who wait, and made again for the next', async () => {
  const { refusals, reader, refuse } = openReader();
  refuse({});
  refusals.read = () => Promise.reject(new Error('no disk'));
  await assert.rejects(reader.of('pump-1', 0), /no disk/u);
  refusals.read = (page) => FakeHistory.prototype.read.call(refusals, page) as Promise<never[]>;
  assert.equal((await reader.of('pump-1', 0)).kinds.length, 1);
});

test('in a flood it is said from when on all is counted', async () => {
  const { clock, reader, refuse } = openReader();
  for (let i = 0; i < REFUSALS_SUMMED_MAX; i += 1) refuse({ principal: 'pump-9' });
  clock.ms += 1;
  refuse({});
  const { sinceMs, kinds } = await reader.of('pump-1', 0);
  assert.deepEqual([sinceMs, kinds[0]?.count], [clock.ms - 1, 1]);
});
