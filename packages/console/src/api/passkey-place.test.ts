import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passkeyObstacle } from './passkey-place.ts';

const here = { origin: 'https://iot.example.org', knowsPasskeys: true };

test('passkeys need a host name, the right address and a browser of today', () => {
  const methods = { passkeyHost: 'iot.example.org', origin: 'https://iot.example.org' };
  assert.equal(passkeyObstacle(methods, here), '');
  assert.match(passkeyObstacle({ origin: 'https://192.0.2.1' }, here), /--host NAME/u);
  const elsewhere = { ...here, origin: 'https://192.0.2.1:8443' };
  assert.match(passkeyObstacle(methods, elsewhere), /at https:\/\/iot\.example\.org only/u);
  assert.match(passkeyObstacle(methods, { ...here, knowsPasskeys: false }), /too old/u);
});
