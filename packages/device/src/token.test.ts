/** Keys in a PKCS #11 token: SoftHSM2 through pkcs11js, and TLS through libp11's engine. */
import assert from 'node:assert/strict';
import { createHmac, createSecretKey, randomBytes, verify } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Refusal, parseSignedJson } from '@holdfast/protocol';
import { type SoftToken, softToken, whyNoTokens } from '@holdfast/testkit';
import { startEst } from '../test-support/est-server.ts';
import { startBroker } from '../test-support/scripted-broker.ts';
import { testFolder, writeTestBundle } from '../test-support/test-bundle.ts';
import { certificateFor, pemOf, testPki } from '../test-support/test-pki.ts';
import { loadBundle } from './bundle.ts';
import { certificateRequest } from './certificate-request.ts';
import { connect } from './device.ts';
import { CK, loadPkcs11, resultOf } from './pkcs11-port.ts';
import { parseKeyUri, uriOfPem } from './pkcs11-uri.ts';
import { TokenSession } from './token-session.ts';
import { type Token, openToken } from './token.ts';

const PKI = testPki();
const ENGINES = ['x86_64', 'aarch64'].map((cpu) => `/usr/lib/${cpu}-linux-gnu/engines-3/pkcs11.so`);
const noEngine = ENGINES.some((path) => existsSync(path))
  ? undefined
  : 'libengine-pkcs11-openssl is not installed';
const skip = whyNoTokens() ?? noEngine ?? false;
const REFUSED = { code: 'E_DEVICE_TOKEN' };

/** Writes a bundle whose keys are in the token. */
function tokenBundle(
  t: TestContext,
  token: Token,
  ports: { port: number; enrollmentPort: number },
): string {
  const folder = join(testFolder(t), 'bundle');
  writeTestBundle(folder, { pki: PKI, ...ports });
  const text = token.plan();
  const der = certificateFor(token.make(text).signer.publicKey, {
    name: 'thermostat-1',
    issuer: PKI.issuer,
    signer: PKI.issuer.privateKey,
    purpose: 'client',
    hosts: ['thermostat-1'],
  });
  const macKey = createSecretKey(randomBytes(32));
  writeFileSync(join(folder, 'client.key'), text);
  writeFileSync(join(folder, 'client.crt'), pemOf(der) + PKI.issuer.pem);
  writeFileSync(join(folder, 'payload.key'), `${token.importMacKey(macKey)}\n`);
  return folder;
}

async function attributeError(place: SoftToken, kind: number): Promise<(number | undefined)[]> {
  const pkcs11 = await loadPkcs11(place.module);
  const [slot] = pkcs11.C_GetSlotList(true);
  const session = pkcs11.C_OpenSession(slot ?? Buffer.alloc(8), CK.CKF_SERIAL_SESSION);
  pkcs11.C_FindObjectsInit(session, [{ type: CK.CKA_CLASS, value: kind }]);
  const results: (number | undefined)[] = [];
  for (;;) {
    const object = pkcs11.C_FindObjects(session) ?? undefined;
    if (object === undefined) break;
    try {
      pkcs11.C_GetAttributeValue(session, object, [{ type: CK.CKA_VALUE }]);
      results.push(0);
    } catch (error) {
      results.push(resultOf(error));
    }
  }
  pkcs11.C_FindObjectsFinal(session);
  return results;
}

test('keys in a token sign, connect and renew, and are never seen', { skip }, async (t) => {
  const place = softToken(t, 'device token');
  const { module, label, pin } = place;
  const token = await openToken({ module, label, pin: () => pin });

  await t.test('a request for a certificate is signed in the token', async () => {
    const { signer } = token.make(token.plan());
    for (let n = 1; n < 40; n += 1) {
      const data = randomBytes(n);
      const key = { key: signer.publicKey, dsaEncoding: 'der' } as const;
      assert.ok(verify('sha256', data, key, await signer.sign(data)));
    }
    assert.ok((await certificateRequest(signer, 'thermostat-1')).length > 200);
  });

  await t.test('a planned key is made once, and found again by its text', () => {
    const text = token.plan();
    assert.throws(() => token.open(text), REFUSED);
    const { publicKey } = token.make(text).signer;
    assert.ok(token.make(text).signer.publicKey.equals(publicKey));
    assert.ok(token.open(text).signer.publicKey.equals(publicKey));
    token.remove(text);
    assert.throws(() => token.open(text), REFUSED);
  });

  await t.test('payloads are signed in the token as they are outside', () => {
    const key = createSecretKey(randomBytes(32));
    const text = token.importMacKey(key);
    assert.match(text, /^pkcs11:token=device%20token;.*;type=secret-key$/u);
    for (const size of [1, 63, 64, 65, 65_536]) {
      const data = randomBytes(size);
      const expected = createHmac('sha256', key).update(data).digest();
      assert.deepEqual(Buffer.from(token.macKey(text).hmacSha256(data)), expected);
    }
  });

  await t.test('no key can be read from the token, not even by its user', async () => {
    const CKR_ATTRIBUTE_SENSITIVE = 0x11;
    for (const kind of [CK.CKO_PRIVATE_KEY, CK.CKO_SECRET_KEY]) {
      const results = await attributeError(place, kind);
      assert.ok(results.length > 0);
      assert.deepEqual([...new Set(results)], [CKR_ATTRIBUTE_SENSITIVE]);
    }
  });

  await t.test('TLS 1.3 and signed readings: no key is in the files', async (t) => {
    const broker = await startBroker(t, PKI);
    const folder = tokenBundle(t, token, { port: broker.port, enrollmentPort: 1 });
    const files = ['client.key', 'payload.key'].map((name) => readFileSync(join(folder, name)));
    assert.ok(!Buffer.concat(files).toString('latin1').includes('PRIVATE KEY'));
    assert.throws(() => loadBundle(folder), { code: 'E_DEVICE_TOKEN' });
    const device = connect({ bundle: folder, token });
    t.after(() => device.close());
    await device.publish({ temp: 23.5 });
    const [publish] = broker.publishes();
    const parsed = parseSignedJson(publish?.payload ?? new Uint8Array());
    assert.ok(!(parsed instanceof Refusal));
    const mac = token.macKey(readFileSync(join(folder, 'payload.key'), 'utf8'));
    assert.deepEqual(mac.hmacSha256(parsed.signedBytes), Buffer.from(parsed.signature));
    const { certificate } = loadBundle(folder, { token });
    assert.equal(broker.connections[0]?.fingerprint, certificate.fingerprint256);
  });

  await t.test('a renewal makes its new key in the token, and destroys the old one', async (t) => {
    const broker = await startBroker(t, PKI);
    const est = await startEst(t, PKI);
    const ports = { port: broker.port, enrollmentPort: est.port };
    const folder = tokenBundle(t, token, ports);
    const before = readFileSync(join(folder, 'client.key'), 'utf8');
    const device = connect({ bundle: folder, token });
    t.after(() => device.close());
    const renewed = new Promise<void>((resolve) => {
      device.onUpkeep(({ type }) => {
        if (type === 'renewed') resolve();
      });
    });
    await device.publish({ n: 1 });
    await device.renewNow();
    await renewed;
    await device.publish({ n: 2 });
    const after = readFileSync(join(folder, 'client.key'), 'utf8');
    assert.notEqual(after, before);
    assert.notEqual(parseKeyUri(uriOfPem(after) ?? ''), undefined);
    assert.throws(() => token.open(before), REFUSED);
    const { certificate } = loadBundle(folder, { token });
    assert.equal(broker.connections[1]?.fingerprint, certificate.fingerprint256);
  });

  await t.test('a bundle of files is none of a token, nor one of another token', (t) => {
    const folder = join(testFolder(t), 'bundle');
    writeTestBundle(folder, { pki: PKI, port: 1 });
    assert.throws(() => loadBundle(folder, { token }), REFUSED);
    const elsewhere = tokenBundle(t, token, { port: 1, enrollmentPort: 1 });
    const key = join(elsewhere, 'payload.key');
    writeFileSync(key, readFileSync(key, 'utf8').replace('device%20token', 'other'));
    assert.throws(() => loadBundle(elsewhere, { token }), REFUSED);
  });

  await t.test('what is missing is told with its way out', async () => {
    const open = (options: object) => openToken({ module, label, pin: () => pin, ...options });
    await assert.rejects(open({ module: '/nowhere.so' }), REFUSED);
    await assert.rejects(open({ label: 'other' }), REFUSED);
    await assert.rejects(open({ engine: '/nowhere.so' }), (error: Error & { fix?: string }) => {
      return error.fix?.includes('libengine-pkcs11-openssl') === true;
    });
  });
});

test('a login that fails says why, and never the PIN', () => {
  const loginError = (code: number) => {
    const pkcs11 = {
      C_GetSlotList: () => [Buffer.alloc(8)],
      C_GetTokenInfo: () => ({ label: 'x'.padEnd(32) }),
      C_OpenSession: () => Buffer.alloc(8),
      C_Login: () => {
        throw Object.assign(new Error('CKR'), { code });
      },
    };
    // Only what a login uses is there.
    const port = pkcs11 as unknown as Parameters<typeof TokenSession.open>[0];
    try {
      TokenSession.open(port, { label: 'x', pin: '7391' });
      return '';
    } catch (error) {
      assert.ok(error instanceof Error);
      assert.ok(!JSON.stringify([error.message, error]).includes('7391'));
      return error.message;
    }
  };
  assert.equal(loginError(CK.CKR_PIN_INCORRECT), 'The PIN of the token x is wrong (0xa0).');
  assert.equal(loginError(0xa4), 'The token x refuses us (0xa4).');
  assert.equal(loginError(CK.CKR_USER_ALREADY_LOGGED_IN), '');
});
