import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatClaim, parseClaim } from './claim.ts';

const pin = 'A'.repeat(43);
const claim = {
  host: 'localhost',
  port: 8444,
  deviceId: 'thermostat-1',
  anchorPin: pin,
  secret: pin,
};

test('a claim survives being written and read', () => {
  assert.deepEqual(parseClaim(formatClaim(claim)), claim);
  const v6 = { ...claim, host: '[::1]' };
  assert.deepEqual(parseClaim(` ${formatClaim(v6)}\n`), v6);
});

test('a damaged claim is none', () => {
  const text = formatClaim(claim);
  for (const bad of [
    '',
    text.slice(1),
    text.slice(0, -1),
    `${text}x`,
    text.replace(':8444', ':0'),
  ]) {
    assert.equal(parseClaim(bad), undefined, bad);
  }
  assert.equal(parseClaim(text.replace(':8444', ':65536')), undefined);
  assert.notEqual(parseClaim(text.replace(':8444', ':65535')), undefined);
});

test('any text gives a claim or nothing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseClaim(text);
    }),
  );
});
