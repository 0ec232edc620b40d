/** Who is simulated and when they are away; what of a server counts as simulated. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceView } from '@holdfast/protocol/api';
import fc from 'fast-check';
import { nextOutage, timesBetween } from './outages.ts';
import { MISDEEDS, deviceIdOf, planFleet, simulatedName, takeCensus } from './plan.ts';
import { SeededRandom } from './seeded-random.ts';

function device(id: string, rest: Partial<DeviceView> = {}): DeviceView {
  const { group = 'simulated', state = 'active' } = rest;
  return {
    id,
    class: 'sensor',
    group,
    state,
    stateReason: '',
    stateBy: '',
    createdAt: '2026-11-21T00:00:00.000Z',
    ...rest,
  };
}

test('a plan has as many devices as asked for, with ids that read back', () => {
  const plan = planFleet({ run: 3, kind: 'meter', count: 1_000, misbehave: 0 });
  assert.equal(plan.length, 1_000);
  assert.equal(plan[0]?.id, 'sim-3-meter-0001');
  assert.equal(plan[999]?.id, 'sim-3-meter-1000');
  assert.equal(new Set(plan.map(({ id }) => id)).size, 1_000);
  assert.deepEqual(simulatedName('sim-3-meter-1000'), { run: 3, kind: 'meter', number: 1_000 });
  for (const id of [
    'sim-0-meter-0001',
    'sim-3-meter-001',
    'sim-3-0001',
    'pump-1',
    'xsim-1-a-0001',
  ]) {
    assert.equal(simulatedName(id), undefined, id);
  }
});

test('misdeeds go in turn, and never to more devices than asked for', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (count, seed) => {
      const misbehave = seed % (count + 1);
      const plan = planFleet({ run: 1, kind: 'sensor', count, misbehave });
      const misdeeds = plan.flatMap(({ misdeed }) => misdeed ?? []);
      assert.deepEqual(
        misdeeds,
        Array.from({ length: misbehave }, (_, at) => MISDEEDS[at % MISDEEDS.length]),
      );
    }),
  );
});

test('the same command line gives the same plan; fewer devices are the first of them', () => {
  const plan = (count: number) => planFleet({ run: 1, kind: 'sensor', count, misbehave: 0 });
  assert.deepEqual(plan(20), plan(20));
  assert.deepEqual(plan(5), plan(20).slice(0, 5));
});

test('only what has the id and the group of a simulation counts as simulated', () => {
  const id = deviceIdOf({ run: 2, kind: 'sensor', number: 7 });
  const census = takeCensus(
    [
      device(id),
      device('sim-2-sensor-0008', { group: '' }),
      device('sim-2-sensor-0009', { group: '' }),
      device('sim-5-sensor-0001', { state: 'retired' }),
      device('pump-1', { group: 'north' }),
      device('pump-2', { state: 'retired' }),
      device('lamp', { group: 'simulated' }),
    ],
    (one) => one === 'sim-2-sensor-0008',
  );
  assert.deepEqual(
    census.simulated.map((one) => one.id),
    [id, 'sim-2-sensor-0008'],
  );
  assert.equal(census.realCount, 3);
  assert.equal(census.lastRun, 5, 'a retired id is never given again');
  assert.deepEqual(
    takeCensus([], () => false),
    { simulated: [], realCount: 0, lastRun: 0 },
  );
});

test('outages are mostly short, sometimes long, and the same for the same seed', () => {
  const draw = () => {
    const random = new SeededRandom('o');
    return Array.from({ length: 2_000 }, () => nextOutage(random));
  };
  const outages = draw();
  assert.deepEqual(outages, draw());
  const long = outages.filter(({ lengthMs }) => lengthMs >= 120_000);
  assert.ok(long.length > 200 && long.length < 400, `${long.length}`);
  assert.ok(outages.every(({ inMs, lengthMs }) => inMs >= 5_000 && lengthMs >= 2_000));
  assert.ok(outages.every(({ lengthMs }) => lengthMs <= 480_000));
});

test('what was measured in between lies between, in order, and is bounded', () => {
  const bounds = { periodMs: 10_000, countMax: 60 };
  assert.deepEqual(timesBetween(0, 40_000, bounds), [10_000, 20_000, 30_000]);
  assert.deepEqual(timesBetween(0, 40_001, bounds), [10_000, 20_000, 30_000, 40_000]);
  assert.deepEqual(timesBetween(0, 10_000, bounds), []);
  assert.deepEqual(timesBetween(5, 5, bounds), []);
  assert.deepEqual(timesBetween(10, 5, bounds), []);
  const many = timesBetween(0, 86_400_000, bounds);
  assert.equal(many.length, 59);
  assert.ok(many.every((time, at) => time > (many[at - 1] ?? 0) && time < 86_400_000));
});
