import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UpdateReport } from '@holdfast/firmware';
import { type DeviceId, Refusal, parseDeviceId } from '@holdfast/protocol';
import { adoptHardware } from './adopt-hardware.ts';

const DAY_MS = 86_400_000;

function setUp(hardware: string | undefined) {
  const id = parseDeviceId('pump-1');
  if (id instanceof Refusal) throw new Error(id.detail);
  const events: unknown[] = [];
  const clock = { ms: 0, nowMs: () => clock.ms };
  const device = { id, hardware };
  let tell: (device: DeviceId, report: UpdateReport) => void = () => {};
  adoptHardware({
    clock,
    registry: {
      byId: (() => device) as never,
      setHardware: (_ids, told) => void (device.hardware = told),
    },
    updates: {
      reports: {
        onReport: (listener) => {
          tell = listener;
          return () => {};
        },
      },
    },
    recordEvent: (event: unknown) => Promise.resolve(void events.push(event)),
  });
  const report = (told: string): void => tell(id, { release: '', state: 'idle', hardware: told });
  return { device, events, clock, report };
}

test('the first word of a device counts, and no later one', () => {
  const { device, events, report } = setUp(undefined);
  report('thermo-a');
  report('thermo-b');
  assert.equal(device.hardware, 'thermo-a');
  assert.equal(events.length, 1);
});

test('a device that tells something else each time is one event a day', () => {
  const { events, clock, report } = setUp('thermo-a');
  for (let at = 0; at < 100; at += 1) report(`made-up-${at}`);
  assert.equal(events.length, 1);
  clock.ms += DAY_MS - 1;
  report('made-up');
  assert.equal(events.length, 1);
  clock.ms += 1;
  report('made-up');
  assert.equal(events.length, 2);
});
