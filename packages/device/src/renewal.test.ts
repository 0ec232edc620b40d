/** Renewal against an EST server: what is asked, what is believed, and when. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { type EstScript, startEst } from '../test-support/est-server.ts';
import { signed } from '../test-support/scripted-broker.ts';
import { testFolder, writeTestBundle } from '../test-support/test-bundle.ts';
import { issue, newKeys, pinsOf, testPki } from '../test-support/test-pki.ts';
import { loadBundle } from './bundle.ts';
import { renewalDueMs } from './renewal-time.ts';
import { renew, requestRenewal } from './renewal.ts';

const PKI = testPki();
/** Of the right authority and for the right host: only the pin tells it from the real one. */
const TWIN = issue({ name: 'twin', issuer: PKI.issuer, hosts: ['localhost'], purpose: 'server' });

async function lab(t: TestContext, script: EstScript = {}) {
  const est = await startEst(t, PKI, script);
  const folder = join(testFolder(t), 'bundle');
  const options = { pki: PKI, port: 1, enrollmentPort: est.port };
  const bundle = writeTestBundle(folder, options);
  return { est, bundle, folder };
}

test('the request goes to simplereenroll, by the present certificate, with a new key', async (t) => {
  const { est, bundle } = await lab(t);
  const next = await requestRenewal(bundle);
  assert.deepEqual(est.seen, [
    {
      call: 'POST /.well-known/est/simplereenroll',
      fingerprint: bundle.certificate.fingerprint256,
    },
  ]);
  assert.ok(!next.signer.publicKey.equals(bundle.signer.publicKey));
  assert.ok(next.certificate.publicKey.equals(next.signer.publicKey));
  // The answer held the certificate alone; the issuer is that of the present one.
  assert.equal(next.certificatePem.split('BEGIN CERTIFICATE').length, 3);
});

test('an authority with new keys: the issuer comes with the answer, or is among the cacerts', async (t) => {
  const issuer = issue({ name: 'second issuer', issuer: PKI.root, isAuthority: true });
  for (const withIssuer of [true, false]) {
    const { est, bundle } = await lab(t, { issuer, withIssuer });
    const next = await requestRenewal(bundle);
    assert.ok(next.certificatePem.endsWith(issuer.pem));
    const calls = est.seen.map(({ call }) => call);
    const expected = ['POST /.well-known/est/simplereenroll'];
    if (!withIssuer) expected.push('GET /.well-known/est/cacerts');
    assert.deepEqual(calls, expected);
  }
});

test('a server that is not pinned never sees the request [E_DEVICE_PIN]', async (t) => {
  const { est, bundle } = await lab(t, { server: TWIN });
  await assert.rejects(requestRenewal(bundle), { code: 'E_DEVICE_PIN' });
  assert.deepEqual(est.seen, []);
});

test('certificates of another key, name or authority are not believed [E_DEVICE_RENEWAL]', async (t) => {
  const foreign = testPki();
  const scripts: EstScript[] = [
    { certifiedKey: newKeys().publicKey },
    { host: 'thermostat-2' },
    { issuer: foreign.issuer, withIssuer: true },
  ];
  for (const script of scripts) {
    const { bundle, folder } = await lab(t, script);
    await assert.rejects(requestRenewal(bundle), { code: 'E_DEVICE_RENEWAL' });
    assert.equal(loadBundle(folder).next, undefined);
  }
});

test('a refusal is told with its code, a server that is away as unreachable', async (t) => {
  const { est, bundle } = await lab(t, { status: 403 });
  await assert.rejects(requestRenewal(bundle), {
    code: 'E_DEVICE_RENEWAL',
    message: 'The server answered the renewal with HTTP 403, E_ENROLL_CLONE.',
  });
  assert.equal(est.requestedKeys.length, 1);
  const enrollment = { host: 'localhost', port: 1 };
  await assert.rejects(requestRenewal({ ...bundle, enrollment }), {
    code: 'E_DEVICE_UNREACHABLE',
  });
  await assert.rejects(requestRenewal({ ...bundle, enrollment: undefined }), {
    code: 'E_DEVICE_RENEWAL',
  });
});

test('by hand: the new certificate is the only one once the server has accepted it', async (t) => {
  const { est, bundle, folder } = await lab(t);
  // It answers, but not yet with what shows that it accepts the certificate.
  await assert.rejects(renew({ bundle: folder }), { code: 'E_DEVICE_RENEWAL' });
  const { next } = loadBundle(folder);
  assert.ok(next !== undefined);
  const set = { version: 1, pins: [pinsOf(PKI.server)], notBefore: 0 };
  est.script.pins = signed(bundle.commandKey, set);
  const renewed = await renew({ bundle: folder });
  assert.equal(renewed.certificate.fingerprint256, next.certificate.fingerprint256);
  assert.equal(renewed.next, undefined);
  assert.equal(est.requestedKeys.length, 1, 'the second call went on where the first stopped');
  assert.equal(est.seen.at(-1)?.fingerprint, next.certificate.fingerprint256);
});

test('renewal is due at two thirds of the life, spread by 5 %, and the same each time', () => {
  const lifeMs = 90 * 86_400_000;
  const shares: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    const certificate = {
      validFromDate: new Date(0),
      validToDate: new Date(lifeMs),
      serialNumber: n.toString(16),
    };
    const due = renewalDueMs('thermostat-1', certificate);
    assert.equal(renewalDueMs('thermostat-1', certificate), due);
    assert.notEqual(renewalDueMs('thermostat-2', certificate), due);
    shares.push(due / lifeMs);
  }
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  assert.ok(low >= (2 / 3) * 0.95 && high <= (2 / 3) * 1.05, `${low} to ${high}`);
  // They use the whole of the range: 200 devices leave no large part of it empty.
  assert.ok(low < (2 / 3) * 0.955 && high > (2 / 3) * 1.045, `${low} to ${high}`);
});

test('renewal is due within the life of any certificate', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 2 ** 40 }), fc.string(), (lifeMs, serial) => {
      const certificate = {
        validFromDate: new Date(0),
        validToDate: new Date(lifeMs),
        serialNumber: serial,
      };
      const due = renewalDueMs('d', certificate);
      assert.ok(due > 0 && due < lifeMs);
    }),
  );
});
