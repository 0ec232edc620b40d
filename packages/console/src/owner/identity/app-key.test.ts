/** Goal: what the browser makes is what OpenSSL reads, and no script gets hold of the key. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate, createHash, createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import { certificateHash, certificateRequest, newAppKey, signText } from './app-key.ts';

/** What the program answers; its input is the request. */
function openssl(args: readonly string[], input: string): string {
  const { stdout, stderr, status } = spawnSync('openssl', args, { input, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

async function spkiOf({ publicKey }: CryptoKeyPair): Promise<Buffer> {
  return Buffer.from(await crypto.subtle.exportKey('spki', publicKey));
}

test('OpenSSL reads the request, and its signature verifies', async () => {
  // Many, as r and s are shorter or begin with a high bit now and then.
  for (let i = 0; i < 40; i += 1) {
    const keys = await newAppKey();
    const pem = await certificateRequest(keys);
    if (i > 0) {
      const verified = openssl(['req', '-verify', '-noout'], pem);
      assert.match(verified, /self-signature verify OK/u);
      continue;
    }
    const text = openssl(['req', '-verify', '-noout', '-text'], pem);
    assert.match(text, /Subject: *\n/u);
    assert.match(text, /ecdsa-with-SHA256/u);
    assert.match(text, /NIST CURVE: P-256/u);
    const shown = openssl(['req', '-pubkey', '-noout'], pem);
    const key = createPublicKey(shown).export({ format: 'der', type: 'spki' });
    assert.deepEqual(key, await spkiOf(keys));
  }
});

test('a proof verifies as ES256 with the raw form of the signature', async () => {
  const keys = await newAppKey();
  const signature = Buffer.from(await signText(keys.privateKey, 'a text — ü'), 'base64url');
  assert.equal(signature.length, 64);
  const key = createPublicKey({ key: await spkiOf(keys), format: 'der', type: 'spki' });
  const data = Buffer.from('a text — ü', 'utf8');
  assert.ok(verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature));
});

test('the key is given out in no form', async () => {
  const { privateKey } = await newAppKey();
  assert.equal(privateKey.extractable, false);
  assert.deepEqual(privateKey.usages, ['sign']);
  for (const form of ['pkcs8', 'jwk'] as const) {
    await assert.rejects(crypto.subtle.exportKey(form, privateKey), { name: 'InvalidAccessError' });
  }
});

test('the hash of a certificate is that of its DER, with more behind it or not', async () => {
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const pem = openssl([...made, '-keyout', '/dev/null', '-subj', '/CN=a'], '');
  const certificate = pem.slice(pem.indexOf('-----BEGIN'));
  const { raw } = new X509Certificate(certificate);
  const expected = createHash('sha256').update(raw).digest('hex');
  assert.equal(await certificateHash(certificate), expected);
  assert.equal(await certificateHash(`${certificate}\n${certificate}`), expected);
});
