/** What a simulation shows of itself, and what it counts of the server's refusals. */
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { paintFor } from '../paint.ts';
import { signedReading, tampered } from './misdeeds.ts';
import { RefusalTally } from './refusal-tally.ts';
import { type Figures, figuresJson, lineText, removalCommand, screenText } from './screen.ts';
import { spanOption } from './span-option.ts';
import { readWish } from './wish.ts';

const paint = paintFor({ write: () => {}, isTty: false, hasColor: false, columns: 80, rows: 24 });
const SPAN = { name: 'for', min: 1_000, max: 86_400_000, example: '10m' };

function tally(): RefusalTally {
  const one = new RefusalTally((id) => id.startsWith('sim-'));
  one.add({ code: 'E_VERIFY_SIG', count: 1, principal: 'sim-1-sensor-0002' });
  one.add({ code: 'E_VERIFY_REPLAY', count: 40, principal: 'sim-1-sensor-0001' });
  one.add({ code: 'E_VERIFY_SIG', count: 2, principal: 'sim-1-sensor-0002' });
  one.add({ code: 'E_ENROLL_CLAIM', count: 9, principal: 'pump-1' });
  one.add({ code: 'E_ENROLL_CLAIM', count: 9 });
  return one;
}

function figures(rest: Partial<Figures> = {}): Figures {
  return {
    devices: 200,
    connected: 197,
    readingsPerSecond: 19.96,
    acknowledged: 2_412,
    keptBefore: 0,
    passedOver: 0,
    commands: 0,
    reconnects: 0,
    runningMs: 125_000,
    refused: tally().kinds,
    ...rest,
  };
}

const facts = {
  kind: 'sensor',
  console: 'https://localhost:8443/devices',
  removal: removalCommand('./try'),
  misbehaving: [{ id: 'sim-1-sensor-0001', kind: 'sensor', misdeed: 'replay' }],
} as const;

test('refusals are counted as the server counts them, ours alone, the most frequent first', () => {
  assert.equal(tally().total, 43);
  assert.deepEqual(
    tally().kinds.map(({ code, count }) => [code, count]),
    [
      ['E_VERIFY_REPLAY', 40],
      ['E_VERIFY_SIG', 3],
    ],
  );
});

test('the screen says how it stands, who misbehaves how, and how to end it', () => {
  const text = screenText(figures(), facts, paint);
  assert.match(text, /^Simulating 200 × sensor for 2 min 5 s/);
  assert.match(text, /connected +197 of 200, 3 away/);
  assert.match(text, /readings +20\.0 a second, 2,412 so far\n/);
  assert.match(text, /refused +43, as the server counts/);
  assert.match(text, /E_VERIFY_REPLAY +40 × +sim-1-sensor-0001 sends old messages again/);
  assert.match(text, /Ctrl-C stops it.*holdfast simulate remove --data .\/try\n/);
  const calm = screenText(figures({ refused: [], connected: 200 }), facts, paint);
  assert.match(calm, /refused +nothing yet/);
  assert.match(calm, /connected +200 of 200\n/);
});

test('trouble is said, and what is in it cannot move the cursor', () => {
  const trouble = { count: 3, example: 'sim-1-sensor-0003: \u001B[2Jno' };
  const text = screenText(figures({ trouble, passedOver: 12, keptBefore: 5 }), facts, paint);
  assert.match(text, /trouble +3 cannot go on: sim-1-sensor-0003: \\u\{1b\}\[2Jno/);
  assert.match(text, /5 of them measured before; 12 passed over/);
});

test('a line, and JSON, say the same', () => {
  assert.equal(
    lineText(figures()),
    '197 of 200 connected; 20.0 readings/s, 2,412 so far; 0 commands; ' +
      'refused E_VERIFY_REPLAY 40, E_VERIFY_SIG 3\n',
  );
  assert.match(lineText(figures({ refused: [] })), /nothing refused/);
  const json = figuresJson(figures(), '2026-11-21T04:00:00.000Z');
  assert.deepEqual(json['refused'], { E_VERIFY_REPLAY: 40, E_VERIFY_SIG: 3 });
  assert.equal(json['readingsPerSecond'], 20);
});

test('tampering changes what is said, and neither the signature nor the form', () => {
  const payloadKey = createSecretKey(Buffer.alloc(32, 7));
  const payload = signedReading({ payloadKey }, { battery: 97.1, ctr: 5, temperature: 9 });
  const [before, after] = [payload, tampered(payload)].map((one) => one.toString('utf8'));
  assert.equal(after, before?.replace('97.1', '17.1'));
  assert.notEqual(after, before);
});

test('spans are read within their bounds, both ends included', () => {
  assert.equal(spanOption('1s', SPAN), 1_000);
  assert.equal(spanOption('90m', SPAN), 5_400_000);
  assert.equal(spanOption('1d', SPAN), 86_400_000);
  for (const text of ['0s', '25h', '10', 'm', '-1h', '1w', '1.5h', '']) {
    assert.throws(() => spanOption(text, SPAN), /--for takes a time of 1s to 1d/, text);
  }
});

test('the command line is read, and what cannot be is explained', () => {
  const wish = readWish({});
  assert.deepEqual(
    [wish.kind, wish.count, wish.misbehave, wish.periodMs, wish.hasOutages, wish.seed],
    ['thermostat', 50, 0, 10_000, true, '1'],
  );
  assert.equal(readWish({ rate: '60' }).periodMs, 1_000);
  const fast = readWish({ devices: '200', 'readings-per-second': '5000' });
  assert.deepEqual([fast.periodMs, fast.hasOutages], [40, false]);
  assert.equal(readWish({ devices: '100', 'readings-per-second': '5000' }).periodMs, 20);
  assert.throws(
    () => readWish({ devices: '99', 'readings-per-second': '5000' }),
    /99 devices may not send 5000 readings a second/,
  );
  assert.throws(() => readWish({ rate: '1', 'readings-per-second': '1' }), /only one can count/);
  assert.throws(() => readWish({ devices: '5', misbehave: '6' }), /--misbehave takes.*0 to 5/);
  assert.throws(() => readWish({ devices: '2001' }), /--devices takes.*1 to 2000/);
  assert.throws(() => readWish({ devices: '0' }), /--devices/);
  assert.throws(() => readWish({ class: 'thermostats' }), /There is no "thermostats"/);
  for (const devices of ['1', '2000']) {
    assert.equal(readWish({ devices, misbehave: devices }).misbehave, Number(devices));
  }
  for (const backfill of ['10m', '6d']) assert.ok(readWish({ backfill }).backfillMs);
  for (const backfill of ['9m', '145h']) {
    assert.throws(() => readWish({ backfill }), /--backfill takes/);
  }
  for (const rate of ['1', '3000']) assert.ok(readWish({ rate }).periodMs);
  for (const rate of ['0', '3001']) assert.throws(() => readWish({ rate }), /--rate takes/);
});
