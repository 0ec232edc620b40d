import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEVICE_SORTS } from '@holdfast/protocol/api';
import fc from 'fast-check';
import { type Device, DeviceColumns } from '../registry/index.ts';
import { type PageWish, devicePage } from './device-page.ts';

interface Row {
  readonly id: string;
  readonly stateAtMs: number;
  readonly seenMs: number | undefined;
  readonly isOnline: boolean;
  readonly isMeant: boolean;
}

const row: fc.Arbitrary<Row> = fc.record({
  id: fc.stringMatching(/^[a-zA-Z0-9][a-z0-9._-]{0,3}$/u),
  stateAtMs: fc.nat(3),
  seenMs: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  isOnline: fc.boolean(),
  isMeant: fc.boolean(),
});

function deviceOf({ id, stateAtMs }: Row): Device {
  return {
    id,
    class: 'sensor',
    group: '',
    state: 'active',
    stateReason: '',
    stateBy: '',
    stateAtMs,
    statesBefore: [],
    createdAtMs: 0,
    contentKeyRef: 1,
    formerContentKeyRefs: [],
    payloadKeyGeneration: 0,
    isPayloadKeyInUse: false,
  };
}

test('all pages together are all that match, each once and in the order that was asked for', () => {
  const wish = fc.record({
    sort: fc.constantFrom(...DEVICE_SORTS),
    order: fc.constantFrom('asc' as const, 'desc' as const),
    limit: fc.integer({ min: 1, max: 4 }),
    counts: fc.boolean(),
  });
  const rows = fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 20 });
  fc.assert(
    fc.property(rows, wish, (all, { sort, order, limit, counts }) => {
      const sorted = all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      const columns = new DeviceColumns(all.map(deviceOf));
      const byId = new Map(all.map((one) => [one.id, one]));
      for (const { id, seenMs, isOnline } of all) {
        if (seenMs !== undefined) columns.noteSeen(id, seenMs);
        columns.noteOnline(id, isOnline);
      }
      const page = (after: string | undefined): ReturnType<typeof devicePage> => {
        const asked: PageWish = { sort, order, limit, counts, after };
        return devicePage(asked, {
          columns,
          isMeant: (slot) => byId.get(columns.devices[slot]?.id ?? '')?.isMeant === true,
        });
      };
      const found: string[] = [];
      let after: string | undefined;
      do {
        const { devices, next, count } = page(after);
        assert.ok(devices.length <= limit);
        assert.equal(count, counts ? all.filter(({ isMeant }) => isMeant).length : undefined);
        found.push(...devices.map(({ id }) => id));
        after = next;
      } while (after !== undefined);
      const keyOf = ({ stateAtMs, seenMs, isOnline }: Row): number =>
        sort === 'id' ? 0 : sort === 'since' ? stateAtMs : isOnline ? Infinity : (seenMs ?? 0);
      const expected = sorted
        .filter(({ isMeant }) => isMeant)
        .sort((a, b) => (keyOf(a) === keyOf(b) ? 0 : keyOf(a) - keyOf(b)))
        .map(({ id }) => id);
      assert.deepEqual(found, order === 'asc' ? expected : expected.toReversed());
    }),
    { numRuns: 500 },
  );
});
