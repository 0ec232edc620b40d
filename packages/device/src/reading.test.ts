import assert from 'node:assert/strict';
import { createHmac, createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import { copyReading, deviceTopic, readingSigner } from './reading.ts';

test('a signed reading carries counter and time, and verifies', () => {
  const key = createSecretKey(Buffer.alloc(32, 7));
  const payload = readingSigner(key)({ temp: 23.5 }, { ctr: 8, ts: 1_800_000_000_000 });
  const parsed = parseSignedJson(payload);
  assert.ok(!(parsed instanceof Refusal));
  assert.equal(parsed.counter, 8);
  assert.equal(parsed.timeMs, 1_800_000_000_000);
  const expected = createHmac('sha256', key).update(parsed.signedBytes).digest();
  assert.deepEqual(Buffer.from(parsed.signature), expected);
  const text = '{"ctr": 8, "temp": 23.5, "ts": 1800000000000}';
  assert.equal(Buffer.from(parsed.signedBytes).toString(), text);
});

test('a reading is a copy: what the caller changes later is not sent', () => {
  const original = { values: [1, 2] };
  const { reading } = copyReading(original);
  original.values.push(3);
  assert.deepEqual(reading, { values: [1, 2] });
});

test('what signed JSON cannot carry is refused at once [E_DEVICE_READING]', () => {
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  for (const bad of [
    { ctr: 1 },
    { ts: 1 },
    { sig: 'x' },
    { at: new Date() },
    { value: Number.NaN },
    { value: undefined },
    { run: () => 0 },
    { text: 'x'.repeat(65_536) },
    cycle,
    [1],
    new Map([['a', 1]]),
    new Date(),
  ]) {
    assert.throws(() => copyReading(bad), { code: 'E_DEVICE_READING' });
  }
  assert.doesNotThrow(() => copyReading({}));
});

test('a device publishes telemetry, state and acknowledgements, below its own root', () => {
  for (const topic of ['telemetry', 'telemetry/room/1', 'state', 'ack/setpoint']) {
    assert.equal(deviceTopic('t-1', topic), `d/t-1/${topic}`);
  }
  for (const bad of [
    '',
    'telemetry/',
    'telemetry2',
    'state/x',
    'ack',
    'cmd/x',
    'telemetry/#',
    'telemetry/+/x',
    'telemetry/\0',
    `telemetry/${'x'.repeat(1_024)}`,
  ]) {
    assert.throws(() => deviceTopic('t-1', bad), { code: 'E_DEVICE_READING' }, bad);
  }
});
