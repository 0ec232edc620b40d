import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalView } from '@holdfast/protocol/api';
import { fits, isDevice, isFiltered, parametersOf, placeOf, queryOf } from './refusal-filter.ts';

const REFUSAL: RefusalView = {
  index: 7,
  at: '2026-11-21T12:00:00.000Z',
  code: 'E_VERIFY_SIG',
  what: 'It does not match.',
  fix: 'Look at it.',
  detail: 'no match',
  principal: 'pump-1',
  address: '192.0.2.7',
  count: 1,
};
const NOTHING = { device: '', address: '', code: '' };

test('the address of the page is read and written back', () => {
  for (const text of [
    '',
    'device=pump-1&code=E_VERIFY_SIG',
    'address=2001%3Adb8%3A%3A1',
    'by=device&span=week',
  ]) {
    const place = placeOf(new URLSearchParams(text));
    assert.equal(parametersOf(place).toString(), text);
  }
});

test('what is no word of ours counts as not there', () => {
  const place = placeOf(new URLSearchParams('by=owner&span=year&page=2'));
  assert.deepEqual([place.shape, place.span], ['newest', 'day']);
});

test('only what is looked for is asked for', () => {
  assert.equal(queryOf(NOTHING, 100), 'limit=100');
  const query = queryOf({ ...NOTHING, address: '2001:db8::1', code: 'E_VERIFY_SIG' }, 10);
  assert.equal(query, 'limit=10&address=2001%3Adb8%3A%3A1&code=E_VERIFY_SIG');
});

test('one that has just come is shown when all of it fits', () => {
  assert.ok(fits(REFUSAL, NOTHING) && !isFiltered(NOTHING));
  assert.ok(fits(REFUSAL, { device: 'pump-1', address: '192.0.2.7', code: 'E_VERIFY_SIG' }));
  assert.ok(!fits(REFUSAL, { ...NOTHING, device: 'pump-2' }));
  assert.ok(!fits(REFUSAL, { ...NOTHING, address: '192.0.2.8' }));
  assert.ok(!fits(REFUSAL, { ...NOTHING, code: 'E_VERIFY_REPLAY' }));
  const { principal: _principal, ...rest } = REFUSAL;
  assert.ok(fits({ ...rest, claimed: 'pump-1' }, { ...NOTHING, device: 'pump-1' }));
});

test('a device is told from people, apps and the machine', () => {
  assert.ok(isDevice('pump-1'));
  for (const other of [undefined, '', 'person:ada', 'app:ada:1', 'local', 'server']) {
    assert.ok(!isDevice(other), other ?? 'nobody');
  }
});
