/** Every order of events, with a crash at any point, keeps what a rollout promises. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { FakeWorld, RELEASE, idsOf, planOf } from './lab.testing.ts';
import { EMPTY_TALLY, type Tally, membersOf, wantedOf } from './rollout-records.ts';
import type { Rollout } from './rollouts.ts';
import { reachOf } from './stages.ts';

const COUNT = 24;
const REPORTS = ['downloading', 'staged', 'trial', 'confirmed', 'failed', 'reverted'] as const;

type Op =
  | { readonly kind: 'report'; readonly device: number; readonly state: (typeof REPORTS)[number] }
  | { readonly kind: 'act'; readonly act: 'pause' | 'resume' | 'abort' }
  | { readonly kind: 'pass'; readonly seconds: number }
  | { readonly kind: 'crash'; readonly isDuringAssign: boolean }
  | { readonly kind: 'join' }
  | { readonly kind: 'finding'; readonly device: number }
  | { readonly kind: 'disk'; readonly isFailing: boolean };

const device = fc.nat({ max: COUNT - 1 });
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('report'),
      device,
      state: fc.constantFrom(...REPORTS),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('pass'), seconds: fc.integer({ min: 1, max: 70 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('act'),
      act: fc.constantFrom('pause', 'resume', 'resume'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('crash'), isDuringAssign: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('join') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('finding'), device }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disk'), isFailing: fc.boolean() }) },
);

const plan = planOf({
  stages: [
    { select: { percent: 5 } },
    { select: { count: 6 } },
    { select: { percent: 60 } },
    { select: { percent: 100 } },
  ],
  pauseOn: { failures: 0.3, unconfirmedMs: 120_000 },
  inProgressMax: 5,
});

/** What holds at every moment. */
function check({ head, devices }: Rollout, seen: Map<string, string>, stageBefore: number): void {
  const tallies = head.plan.stages.map((): Record<keyof Tally, number> => ({ ...EMPTY_TALLY }));
  const beyond: Record<keyof Tally, number> = { ...EMPTY_TALLY };
  for (const record of devices.values()) {
    const tally = record.stage < 0 ? beyond : tallies[record.stage];
    assert.ok(tally);
    tally[record.state] += 1;
    tally.overdue += Number(record.isOverdue);
    tally.silent += Number(record.isSilent);
    tally.owed += Number(record.isOwed);
    const before = seen.get(record.device) ?? '';
    const isOffered = record.state === 'offered';
    if (isOffered) assert.equal(head.state === 'running' || head.state === 'finished', true);
    if (isOffered) assert.ok(!['confirmed', 'failed', 'reverted'].includes(before), before);
    seen.set(record.device, record.state);
  }
  assert.deepEqual(head.tallies, tallies, 'the counts add up');
  assert.deepEqual(head.beyond, beyond);
  assert.ok(head.stage >= stageBefore, 'stages only open');
  for (const [at, stage] of head.plan.stages.entries()) {
    const reached = head.tallies.slice(0, at + 1).reduce((sum, one) => sum + membersOf(one), 0);
    assert.ok(reached <= (reachOf(stage, devices.size) ?? 0), `stage ${at + 1} reaches ${reached}`);
  }
}

it('keeps its promises through reports, people, broken disks and crashes in any order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { maxLength: 60 }), fc.boolean(), async (ops, aborts) => {
      const world = new FakeWorld(idsOf(COUNT));
      const id = await world.start(plan);
      const seen = new Map<string, string>();
      let stage = 0;
      const look = (): void => {
        const rollout = world.rollout(id);
        check(rollout, seen, stage);
        ({ stage } = rollout.head);
      };
      const watch = (name: string, release: string | undefined): void => {
        if (release !== RELEASE) return;
        const { head, devices } = world.rollout(id);
        const state = devices.get(name)?.state ?? '';
        const isFree = head.state === 'running' || head.state === 'finished';
        assert.ok(state !== 'offered' || isFree, `${head.state} offers`);
        assert.ok(
          !['waiting', 'failed', 'reverted', 'withdrawn', 'skipped'].includes(state),
          state,
        );
      };
      world.beforeAssign = watch;
      const abort: Op = { kind: 'act', act: 'abort' };
      const all = aborts ? [...ops, abort, ...ops.slice(0, 10)] : ops;
      for (const one of all) {
        if (one.kind === 'crash' && world.disk.isFailing) {
          // What was never stored is forgotten; what was told to the director never is.
          seen.clear();
          stage = 0;
        }
        await carryOut(world, id, one, watch);
        look();
      }
      world.disk.isFailing = false;
      world.beforeAssign = watch;
      await world.advance(5);
      look();
      const { head, devices } = world.rollout(id);
      for (const record of devices.values()) {
        assert.equal(record.isOwed, false, `${record.device} is ${record.state}`);
        if (!record.wasOffered) continue;
        assert.equal(world.named.get(record.device), wantedOf(head, record), record.state);
      }
    }),
    { numRuns: 150 },
  );
});

async function carryOut(
  world: FakeWorld,
  id: string,
  one: Op,
  watch: FakeWorld['beforeAssign'],
): Promise<void> {
  switch (one.kind) {
    case 'report':
      if (world.named.get(`t-${one.device}`) === RELEASE)
        world.report(`t-${one.device}`, one.state);
      break;
    case 'pass':
      return world.advance(one.seconds);
    case 'act':
      try {
        world.rollouts.act(id, one.act, { by: 'person:ada', reason: 'so it is' });
      } catch (error) {
        assert.match(String(error), /the disk fails/);
      }
      break;
    case 'crash': {
      const never = new Promise<void>(() => {});
      if (one.isDuringAssign) world.beforeAssign = () => never;
      await world.advance(1);
      world.crash();
      world.beforeAssign = watch;
      world.disk.isFailing = false;
      world.open();
      break;
    }
    case 'join':
      world.add(`late-${world.fleet.size}`);
      break;
    case 'finding':
      world.rollouts.finding(`t-${one.device}`, { code: 'F_TEST', severity: 'high' });
      break;
    case 'disk':
      world.disk.isFailing = one.isFailing;
  }
}
