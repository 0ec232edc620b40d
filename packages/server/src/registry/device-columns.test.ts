import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DeviceColumns } from './device-columns.ts';
import { DEVICE_STATES, type Device } from './device-records.ts';

function device(id: string, more: Partial<Device> = {}): Device {
  return {
    id,
    class: 'sensor',
    group: '',
    state: 'registered',
    stateReason: '',
    stateBy: '',
    stateAtMs: 0,
    statesBefore: [],
    createdAtMs: 0,
    contentKeyRef: 1,
    formerContentKeyRefs: [],
    payloadKeyGeneration: 0,
    isPayloadKeyInUse: false,
    ...more,
  };
}

const idsOf = (devices: Iterable<Device>): string[] => [...devices].map(({ id }) => id);

test('gives the devices after an id in their order, as sorting them all would', () => {
  const id = fc.string({ minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.uniqueArray(id), fc.uniqueArray(id), id, (first, later, after) => {
      const columns = new DeviceColumns(first.map((one) => device(one)));
      for (const one of later) columns.set(device(one));
      const expected = [...new Set([...first, ...later])].sort((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(idsOf(columns.after('')), expected);
      assert.deepEqual(
        idsOf(columns.after(after)),
        expected.filter((one) => one > after),
      );
      assert.equal(columns.rankAfter(after), expected.filter((one) => one <= after).length);
    }),
  );
});

test('columns say of each device what its record says, through all that becomes of it', () => {
  const columns = new DeviceColumns();
  const ids = Array.from({ length: 3_000 }, (_, at) => `Device-${(at * 7) % 3_000}`);
  for (const id of ids) columns.set(device(id));
  const changed = device('Device-7', {
    class: 'gateway',
    state: 'suspended',
    group: 'north',
    tags: ['cold', 'roof'],
    stateAtMs: 7,
    boot: 'unproven',
  });
  columns.set(changed);
  columns.noteSeen('Device-7', 5);
  columns.noteOnline('Device-7', true);
  columns.noteSeen('nobody', 5);
  columns.noteRunning('Device-7', 'thermo@1.0.0');
  columns.noteRunning('nobody', 'thermo@1.0.0');
  assert.equal(columns.count, 3_000, 'a change is no new device');
  const slot = columns.slotOf('Device-7') ?? -1;
  assert.equal(columns.devices[slot], changed);
  assert.deepEqual(
    [
      columns.lowerIds[slot],
      DEVICE_STATES[columns.states[slot] ?? -1],
      columns.classes[slot],
      columns.boots[slot],
      columns.groupNames.values[columns.groups[slot] ?? -1],
      columns.tagSets.values[columns.tags[slot] ?? -1],
      columns.sinceMs[slot],
      columns.seenMs[slot],
      columns.online[slot],
      columns.runningTexts.values[columns.running[slot] ?? -1],
    ],
    ['device-7', 'suspended', 2, 2, 'north', ['cold', 'roof'], 7, 5, 1, 'thermo@1.0.0'],
  );
  columns.noteOnline('Device-7', false);
  assert.equal(columns.online[slot], 0);
  columns.noteRunning('Device-7', '');
  assert.equal(columns.running[slot], 0);
  assert.equal(columns.seenMs[columns.slotOf('Device-8') ?? -1], 0);
});
