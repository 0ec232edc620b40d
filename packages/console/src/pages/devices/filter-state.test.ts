import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceQuerySchema } from '@holdfast/protocol/api';
import {
  FIELD_LABELS,
  type Filter,
  ORDERS,
  chipsOf,
  filterOf,
  orderOf,
  searchOf,
  withField,
} from './filter-state.ts';

test('an address and a filter say the same', () => {
  const filter: Filter = { q: 'pump 1', state: 'active,claimed', group: '', tag: 'roof' };
  for (const { value: order } of ORDERS) {
    const search = searchOf(filter, order);
    assert.deepEqual([filterOf(search), orderOf(search)], [filter, order]);
    assert.equal(DeviceQuerySchema.safeParse(Object.fromEntries(search)).success, true);
  }
  assert.equal(searchOf({}, 'id asc').toString(), '');
});

test('what an address has beyond that is left out', () => {
  const search = new URLSearchParams('state=&q=&color=red&sort=color&order=up&group=');
  assert.deepEqual(filterOf(search), { group: '' });
  assert.equal(orderOf(search), 'id asc');
});

test('every field of the API can be shown and taken away', () => {
  const api = Object.keys(DeviceQuerySchema.shape).filter(
    (name) => !['limit', 'sort', 'order', 'after', 'count'].includes(name),
  );
  assert.deepEqual(Object.keys(FIELD_LABELS).sort(), api.sort());
  const filter = withField({ state: 'active' }, 'online', 'yes');
  assert.deepEqual(filter, { state: 'active', online: 'yes' });
  assert.deepEqual(withField(filter, 'state', undefined), { online: 'yes' });
});

test('a filter is told in words', () => {
  const texts = (filter: Filter): string[] =>
    chipsOf(filter, () => 'two days ago').map(({ text }) => text);
  assert.deepEqual(
    texts({ tag: 'roof,cold', state: 'active,claimed', q: 'x', group: ',north', seen: 'never' }),
    [
      'Search: “x”',
      'State: active or claimed',
      'Never seen',
      'Group: none or north',
      'Tag: roof and cold',
    ],
  );
  assert.deepEqual(texts({ seenBefore: '2026-11-19T00:00:00Z', owner: 'no', online: 'no' }), [
    'Not connected',
    'Not seen since two days ago',
    'Has no owner',
  ]);
});
