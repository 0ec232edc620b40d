import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEVICE_IDS_MAX, type DeviceList, type DeviceView } from '@holdfast/protocol/api';
import { patched } from './patch-devices.ts';
import {
  IDS_MAX,
  NOTHING,
  allShown,
  countOf,
  isFull,
  isSelected,
  selectionOf,
  toggled,
} from './selection.ts';

const shown = ['a', 'b', 'c'];

test('devices go in and out of a selection, also of all that match', () => {
  const one = toggled(NOTHING, 'a', shown);
  assert.deepEqual(selectionOf(one, {}), { ids: ['a'] });
  assert.equal(countOf(toggled(one, 'a', shown)), 0);
  const all = { kind: 'all', count: 5_000 } as const;
  assert.deepEqual([countOf(all), isSelected(all, 'z'), isFull(all)], [5_000, true, false]);
  assert.deepEqual(selectionOf(all, { state: 'active' }), { filter: { state: 'active' } });
  const rest = toggled(all, 'b', shown);
  assert.deepEqual(selectionOf(rest, {}), { ids: ['a', 'c'] }, 'only what one sees is meant then');
});

test('a request names no more than it can', () => {
  assert.equal(IDS_MAX, DEVICE_IDS_MAX);
  const many = Array.from({ length: DEVICE_IDS_MAX + 5 }, (_, at) => `d${at}`);
  const most = allShown(many);
  assert.deepEqual([countOf(most), isFull(most)], [DEVICE_IDS_MAX, true]);
  assert.equal(countOf(toggled(most, 'more', many)), DEVICE_IDS_MAX);
  assert.equal(isFull(toggled(most, 'd0', many)), false);
});

test('what did not change keeps its object', () => {
  const device = (id: string): DeviceView => ({
    id,
    class: 'sensor',
    group: '',
    state: 'active',
    stateReason: '',
    stateBy: '',
    createdAt: '2026-11-21T00:00:00Z',
  });
  const pages: DeviceList[] = [{ devices: [device('a')] }, { devices: [device('b')] }];
  const data = { pages };
  assert.equal(
    patched(data, (one) => one),
    data,
  );
  const after = patched(data, (one) => (one.id === 'b' ? { ...one, online: true } : one));
  assert.equal(after.pages[0], pages[0]);
  assert.equal(after.pages[1]?.devices[0]?.online, true);
  assert.equal(pages[1]?.devices[0]?.online, undefined);
});
