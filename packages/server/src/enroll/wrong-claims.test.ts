import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabClock } from './lab.testing.ts';
import {
  WRONG_DELAY_MS,
  WRONG_KEYS_MAX,
  WRONG_PER_ADDRESS_MAX,
  WRONG_PER_DEVICE_MAX,
  WRONG_WAITING_MAX,
  WRONG_WINDOW_MS,
} from './limits.ts';
import { WrongClaims } from './wrong-claims.ts';

/** Counts `count` attempts; gives how many of them were limited. */
function limited(
  wrongClaims: WrongClaims,
  {
    count,
    address,
    device,
  }: { count: number; address: (n: number) => string; device: (n: number) => string },
): number {
  const results = Array.from({ length: count }, (_, n) =>
    wrongClaims.count({ address: address(n), deviceId: device(n) }),
  );
  for (const result of results) assert.ok([undefined, 'E_ENROLL_RATE'].includes(result?.code));
  return results.filter((result) => result !== undefined).length;
}

test('one address may be wrong so often in a window, and not once more', () => {
  const clock = new LabClock();
  const wrongClaims = new WrongClaims({ clock });
  const attack = { address: () => '192.0.2.1', device: (n: number) => `d${n}` };
  assert.equal(limited(wrongClaims, { count: WRONG_PER_ADDRESS_MAX, ...attack }), 0);
  assert.equal(limited(wrongClaims, { count: 1, ...attack }), 1);
  const other = { address: () => '192.0.2.2', device: () => 'x' };
  assert.equal(limited(wrongClaims, { count: 1, ...other }), 0);
  clock.ms += WRONG_WINDOW_MS - 1;
  assert.equal(limited(wrongClaims, { count: 1, ...attack }), 1);
  clock.ms += 1;
  assert.equal(limited(wrongClaims, { count: 1, ...attack }), 0);
});

test('addresses of one IPv6 network count as one', () => {
  const wrongClaims = new WrongClaims({ clock: new LabClock() });
  const device = (n: number) => `d${n}`;
  const from = (network: string) => ({ address: (n: number) => `${network}::${n + 1}`, device });
  const attack = from('2001:db8:1:2');
  assert.equal(limited(wrongClaims, { count: WRONG_PER_ADDRESS_MAX, ...attack }), 0);
  const next = { address: () => '2001:db8:1:2:3:4:5:6', device: () => 'x' };
  assert.equal(limited(wrongClaims, { count: 1, ...next }), 1);
  const neighbor = { ...from('2001:db8:1:3'), device: (n: number) => `neighbor-${n}` };
  assert.equal(limited(wrongClaims, { count: WRONG_PER_ADDRESS_MAX, ...neighbor }), 0);
});

test('one device may be tried wrongly so often, from however many addresses', () => {
  const wrongClaims = new WrongClaims({ clock: new LabClock() });
  const attack = { address: (n: number) => `192.0.2.${n}`, device: () => 'thermostat-1' };
  assert.equal(limited(wrongClaims, { count: WRONG_PER_DEVICE_MAX, ...attack }), 0);
  assert.equal(limited(wrongClaims, { count: 3, ...attack }), 3);
});

test('what is counted is bounded: the oldest window gives way', () => {
  const wrongClaims = new WrongClaims({ clock: new LabClock() });
  const first = { address: () => 'first', device: (n: number) => `first-${n}` };
  assert.equal(limited(wrongClaims, { count: WRONG_PER_ADDRESS_MAX, ...first }), 0);
  const many = { address: (n: number) => `a${n}`, device: (n: number) => `b${n}` };
  limited(wrongClaims, { count: WRONG_KEYS_MAX - 1, ...many });
  assert.equal(limited(wrongClaims, { count: 1, ...first }), 1);
  const more = { address: () => 'one more', device: () => 'one more' };
  limited(wrongClaims, { count: 1, ...more });
  assert.equal(limited(wrongClaims, { count: 1, ...first }), 0);
});

test('answers wait, but only so many at a time', async () => {
  const clock = new LabClock();
  const wrongClaims = new WrongClaims({ clock });
  await Promise.all(Array.from({ length: WRONG_WAITING_MAX + 5 }, () => wrongClaims.wait()));
  assert.deepEqual(
    clock.delaysMs,
    Array.from({ length: WRONG_WAITING_MAX }, () => WRONG_DELAY_MS),
  );
  await wrongClaims.wait();
  assert.equal(clock.delaysMs.length, WRONG_WAITING_MAX + 1);
});
