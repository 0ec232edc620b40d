/** What simulated things measure: the same for the same seed, and such as a house has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KINDS, KIND_NAMES } from './kinds.ts';
import { Wander, activity, hourOfDay, outdoorCelsius, programmedCelsius } from './rhythm.ts';
import { SeededRandom } from './seeded-random.ts';
import { Thermostat } from './thermostat.ts';

const HOUR_MS = 3_600_000;
const MIDNIGHT_MS = Date.parse('2026-11-21T00:00:00Z');

function thermostat(seed = 'a'): Thermostat {
  return new Thermostat({ random: new SeededRandom(seed), zoneOffsetMs: 0 });
}

test('the hour of the day is that of the zone, before 1970 too', () => {
  assert.equal(hourOfDay(MIDNIGHT_MS + 90 * 60_000, 0), 1.5);
  assert.equal(hourOfDay(MIDNIGHT_MS, -5 * HOUR_MS), 19);
  assert.equal(hourOfDay(-HOUR_MS, 0), 23);
});

test('outside it is coldest at five and warmest at three, without a jump', () => {
  assert.equal(outdoorCelsius(5), 3);
  assert.equal(outdoorCelsius(15), 11);
  for (let hour = 0; hour < 24; hour += 0.1) {
    const step = Math.abs(outdoorCelsius((hour + 0.1) % 24) - outdoorCelsius(hour));
    assert.ok(step < 0.2, `${hour}`);
  }
});

test('a house is awake in the evening and asleep at night', () => {
  assert.ok(activity(19.5) > 0.9);
  assert.ok(activity(3) < 0.1);
  assert.ok(programmedCelsius(20) > programmedCelsius(3));
});

test('chance is the same for the same seed, and even', () => {
  const draw = (seed: string) => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 1_000 }, () => random.fraction());
  };
  assert.deepEqual(draw('1/sim-1'), draw('1/sim-1'));
  assert.notDeepEqual(draw('1/sim-1'), draw('1/sim-2'));
  const numbers = draw('1');
  assert.ok(numbers.every((one) => one >= 0 && one < 1));
  const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  assert.ok(Math.abs(mean - 0.5) < 0.05, `${mean}`);
});

test('what wanders stays around zero, however long the steps are', () => {
  for (const stepMs of [1_000, 60_000, 6 * HOUR_MS]) {
    const wander = new Wander(new SeededRandom('w'), { deviation: 2, memoryMs: 20 * 60_000 });
    const values = Array.from({ length: 20_000 }, () => wander.after(stepMs));
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    // Short steps see little of what is possible, so the bounds are wide.
    assert.ok(square < 16, `${stepMs} ms: ${square}`);
    assert.ok(Math.max(...values.map(Math.abs)) < 12);
  }
});

test('every kind gives the same readings for the same seed, and different ones for another', () => {
  for (const kind of KIND_NAMES) {
    const day = (seed: string) => {
      const thing = KINDS[kind].make({ random: new SeededRandom(seed), zoneOffsetMs: 0 });
      return Array.from({ length: 48 }, (_, at) => thing.measure(MIDNIGHT_MS + at * HOUR_MS));
    };
    assert.deepEqual(day('a'), day('a'), kind);
    assert.notDeepEqual(day('a'), day('b'), kind);
  }
});

test('whatever the seed and the times, readings are such as instruments show', () => {
  const stepsMs = fc.array(fc.integer({ min: 0, max: 6 * 86_400_000 }), { maxLength: 40 });
  fc.assert(
    fc.property(fc.string(), stepsMs, (seed, steps) => {
      const one = thermostat(seed);
      let timeMs = MIDNIGHT_MS;
      for (const step of steps) {
        timeMs += step;
        const { temperature, humidity, valve, battery, power } = one.measure(timeMs);
        assert.ok(temperature !== undefined && temperature > 5 && temperature < 35);
        assert.ok(humidity !== undefined && humidity >= 15 && humidity <= 95);
        assert.ok(valve !== undefined && valve >= 0 && valve <= 100);
        assert.ok(battery !== undefined && battery >= 4 && battery <= 100);
        assert.ok(power !== undefined && power >= 0 && power <= 2_000);
      }
    }),
    { numRuns: 50 },
  );
});

test('a room is warm in the evening and cooler before dawn', () => {
  const one = thermostat();
  const byHour = new Map<number, number>();
  for (let at = 0; at <= 30 * 12; at += 1) {
    const timeMs = MIDNIGHT_MS + at * 5 * 60_000;
    byHour.set(Math.floor(at / 12), one.measure(timeMs)['temperature'] ?? Number.NaN);
  }
  assert.ok((byHour.get(20) ?? 0) > (byHour.get(29) ?? 0) + 2, JSON.stringify([...byHour]));
});

test('a set point changes the curve within minutes, until the program goes on', () => {
  const [told, untold] = [thermostat(), thermostat()];
  const startMs = MIDNIGHT_MS + 10 * HOUR_MS;
  const at = (one: Thermostat, minutes: number) => one.measure(startMs + minutes * 60_000);
  for (const one of [told, untold]) at(one, 0);
  assert.deepEqual(told.obey('set', { target: 25 }), { ok: true });
  assert.equal(told.settings['setpoint'], 25);
  const [warm, cool] = [at(told, 15), at(untold, 15)];
  assert.equal(warm['setpoint'], 25);
  assert.ok((warm['temperature'] ?? 0) > (cool['temperature'] ?? 0) + 1.5);
  assert.notEqual(at(told, 8 * 60)['setpoint'], 25, 'in the evening the program counts again');
});

test('commands that make no sense are answered so, and change nothing', () => {
  const one = thermostat();
  one.measure(MIDNIGHT_MS);
  const before = one.settings;
  for (const body of [{}, { target: '21' }, { target: 4.9 }, { target: 30.1 }, { celsius: 21 }]) {
    assert.equal(one.obey('set', body).ok, false, JSON.stringify(body));
  }
  assert.match(one.obey('open', { target: 21 }).error ?? '', /no command/);
  assert.deepEqual(one.settings, before);
  assert.equal(one.obey('setpoint', { celsius: 5 }).ok, true);
  assert.equal(one.obey('set', { target: 30 }).ok, true);
  for (const kind of ['sensor', 'meter'] as const) {
    const thing = KINDS[kind].make({ random: new SeededRandom('x'), zoneOffsetMs: 0 });
    assert.equal(thing.obey('identify', {}).ok, true);
    assert.equal(thing.obey('set', { target: 21 }).ok, false);
  }
});
