import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type BundleSettings, formatSettings, readSettings } from './bundle-settings.ts';

const SPKI = `${'A'.repeat(43)}=`;
const SETTINGS: BundleSettings = {
  device: 'thermostat-1',
  tenant: 'default',
  kid: '1.1',
  broker: { host: 'localhost', port: 8_883 },
  enrollment: { host: '::1', port: 8_444 },
  pins: [{ spki: SPKI }],
  backupPins: [],
  pinsVersion: 0,
};

test('settings are read as they were written', () => {
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6());
  const peer = fc.record({ host, port: fc.integer({ min: 1, max: 65_535 }) });
  const pin = fc.constantFrom({ spki: SPKI }, { certificate: '0'.repeat(64) });
  const settings = fc.record({
    device: fc.constant('thermostat-1'),
    tenant: fc.constantFrom('default', 'a.b'),
    kid: fc.constantFrom('1.1', '2.17'),
    broker: peer,
    enrollment: fc.option(peer, { nil: undefined }),
    pins: fc.array(pin, { minLength: 1, maxLength: 8 }),
    backupPins: fc.array(pin, { maxLength: 8 }),
    pinsVersion: fc.maxSafeNat(),
  });
  fc.assert(
    fc.property(settings, (given) => {
      assert.deepEqual(
        structuredClone(readSettings(formatSettings(given))),
        structuredClone(given),
      );
    }),
  );
});

test('a bundle of before renewals and pin sets is read', () => {
  const { device, tenant, kid, pins } = SETTINGS;
  const old = { version: 1, device, tenant, kid, broker: 'mqtts://localhost:8883', pins };
  const text = JSON.stringify(old);
  assert.deepEqual(readSettings(text), { ...SETTINGS, enrollment: undefined });
});

test('a malformed part makes the whole malformed', () => {
  const good = JSON.parse(formatSettings(SETTINGS)) as Record<string, unknown>;
  assert.deepEqual(readSettings(JSON.stringify(good)), SETTINGS);
  const bad: Record<string, unknown>[] = [
    { version: 2 },
    { device: '' },
    { device: 'a/b' },
    { kid: 'x y' },
    { broker: 'https://localhost:8883' },
    { broker: 'mqtts://localhost:0' },
    { broker: 'mqtts://localhost:65536' },
    { enrollment: 'mqtts://localhost:8444' },
    { enrollment: 'https://user@localhost:8444' },
    { enrollment: 'https://localhost' },
    { enrollment: '' },
    { enrollment: 8_444 },
    { pins: [] },
    { backupPins: [] },
    { backupPins: [{}] },
    { backupPins: null },
    { pinsVersion: -1 },
    { pinsVersion: 1.5 },
    { pinsVersion: '1' },
  ];
  for (const change of bad) {
    const text = JSON.stringify({ ...good, ...change });
    assert.equal(readSettings(text), undefined, JSON.stringify(change));
  }
});
