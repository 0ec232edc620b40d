import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { certificateRequest } from './certificate-request.ts';
import { keySigner } from './signer.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SIGNER = keySigner(privateKey);
/** What openssl prints, errors too: in some versions a failed verification shows nowhere else. */
function openssl(args: string[], input: Uint8Array): string {
  const { stdout, stderr } = spawnSync('openssl', args, { input, encoding: 'utf8' });
  return stdout + stderr;
}
const REQUEST = ['req', '-inform', 'DER', '-noout'];

test('openssl verifies the request and finds the subject and the key [RFC 2986 §4]', async () => {
  const request = await certificateRequest(SIGNER, 'thermostat-1');
  const text = openssl([...REQUEST, '-verify', '-text'], request);
  assert.match(text, /verify OK/u);
  assert.match(text, /Subject: CN\s?=\s?thermostat-1/u);
  assert.match(text, /Version: 1 \(0x0\)/u);
  assert.match(text, /Signature Algorithm: ecdsa-with-SHA256/u);
  const pem = openssl([...REQUEST, '-pubkey'], request);
  assert.equal(pem, publicKey.export({ format: 'pem', type: 'spki' }));
});

test('openssl does not verify a request of which one byte was changed', async () => {
  const request = Buffer.from(await certificateRequest(SIGNER, 'thermostat-1'));
  const at = request.indexOf('thermostat-1');
  request[at] = (request[at] ?? 0) ^ 1;
  assert.doesNotMatch(openssl([...REQUEST, '-verify'], request), /verify OK/u);
});

test('the longest device id makes a request that openssl can read', async () => {
  const id = 'x'.repeat(64);
  const text = openssl([...REQUEST, '-verify', '-subject'], await certificateRequest(SIGNER, id));
  assert.ok(text.includes(id) && text.includes('verify OK'));
});
