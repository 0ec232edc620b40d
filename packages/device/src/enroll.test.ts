/** Enrollment against an EST server of our own that follows the contract. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type KeyObject, X509Certificate, createPublicKey, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import { formatClaim } from '@holdfast/protocol';
import { testFolder } from '../test-support/test-bundle.ts';
import {
  type Identity,
  anchorPinOf,
  certificateFor,
  certsOnly,
  issue,
  newKeys,
  pinsOf,
  testPki,
} from '../test-support/test-pki.ts';
import { DeviceError, type DeviceErrorCode } from './device-error.ts';
import { enroll } from './enroll.ts';

const SECRET = 'S'.repeat(43);
const PKI = testPki();

interface EstScript {
  server?: Identity;
  cacerts?: readonly Uint8Array[];
  certifiedKey?: KeyObject;
  keysStatus?: number;
  keys?: Record<string, unknown>;
  enrollStatus?: number;
  enrollBody?: string;
  omitsIssuer?: boolean;
}

interface EstServer {
  readonly script: EstScript;
  readonly port: number;
  readonly claim: string;
  /** What arrived: path and credential, and the key of each certificate request. */
  readonly seen: string[];
  readonly requestedKeys: string[];
  connectionCount: number;
}

async function startEst(t: TestContext, script: EstScript = {}, host = 'localhost') {
  const { server: identity = PKI.server } = script;
  const server = createServer({
    key: identity.keyPem,
    cert: identity.pem + PKI.issuer.pem,
    ca: PKI.root.pem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const anchorPin = anchorPinOf(PKI.root);
  const claim = formatClaim({ host, port, deviceId: 'thermostat-1', anchorPin, secret: SECRET });
  const est: EstServer = { script, port, claim, seen: [], requestedKeys: [], connectionCount: 0 };
  server.on('secureConnection', () => {
    est.connectionCount += 1;
  });
  server.on('tlsClientError', () => {});
  server.on('request', (request, response) => {
    const { authorization } = request.headers;
    est.seen.push(`${request.method} ${request.url} ${authorization ?? ''}`.trim());
    readBody(request)
      .then((body) => answer(est, request, body))
      .then(({ status, body }) => response.writeHead(status).end(body))
      .catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  return est;
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body;
}

function answer(est: EstServer, request: IncomingMessage, body: string) {
  const { script } = est;
  if (request.url === '/.well-known/est/cacerts') {
    return { status: 200, body: certsOnly(script.cacerts ?? [PKI.root.der, PKI.issuer.der]) };
  }
  if (request.url === '/.well-known/est/simpleenroll') {
    const { enrollStatus: status = 200, enrollBody } = script;
    return { status, body: enrollBody ?? certificateAnswer(est, body) };
  }
  const { socket } = request;
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (certificate?.subject !== 'CN=thermostat-1') return { status: 401, body: '' };
  return { status: script.keysStatus ?? 200, body: JSON.stringify(script.keys ?? keysAnswer(est)) };
}

function certificateAnswer({ script, requestedKeys }: EstServer, body: string): string {
  const request = Buffer.from(body, 'base64');
  const options = ['req', '-inform', 'DER', '-noout', '-verify', '-pubkey'];
  const pem = execFileSync('openssl', options, { input: request, encoding: 'utf8', stdio: 'pipe' });
  requestedKeys.push(pem);
  const der = certificateFor(script.certifiedKey ?? createPublicKey(pem), {
    name: 'thermostat-1',
    issuer: PKI.issuer,
    signer: PKI.issuer.privateKey,
    purpose: 'client',
  });
  return certsOnly(script.omitsIssuer === true ? [der] : [PKI.issuer.der, der]);
}

function keysAnswer({ port }: { port: number }): Record<string, unknown> {
  return {
    device: 'thermostat-1',
    tenant: 'default',
    kid: '1.1',
    payloadKey: 'a1'.repeat(32),
    commandKey: 'b2'.repeat(32),
    broker: `mqtts://localhost:${port}`,
    pins: pinsOf(PKI.server),
  };
}

const refusedWith = (code: DeviceErrorCode) => (error: unknown) => {
  assert.ok(error instanceof DeviceError, String(error));
  assert.equal(error.code, code, error.message);
  assert.ok(!JSON.stringify([error.message, error.fix]).includes(SECRET));
  return true;
};

test('a claim becomes a bundle with owner-only files', async (t) => {
  const est = await startEst(t);
  const out = join(testFolder(t), 'new', 'thermostat-1');
  const lines: string[] = [];
  const bundle = await enroll({ claim: est.claim, out, log: (line) => lines.push(line) });
  assert.equal(bundle.device, 'thermostat-1');
  assert.deepEqual(bundle.broker, { host: 'localhost', port: est.port });
  // Renewals go where the claim was redeemed.
  assert.deepEqual(bundle.enrollment, { host: 'localhost', port: est.port });
  assert.deepEqual(bundle.pins, [pinsOf(PKI.server)]);
  assert.deepEqual(readdirSync(out).toSorted(), [
    'ca.crt',
    'client.crt',
    'client.key',
    'command.key',
    'holdfast.json',
    'payload.key',
    'server.pin',
  ]);
  assert.equal(statSync(out).mode & 0o777, 0o700);
  for (const name of readdirSync(out)) {
    assert.equal(statSync(join(out, name)).mode & 0o777, 0o600, name);
  }
  assert.equal(readFileSync(join(out, 'payload.key'), 'utf8'), `${'a1'.repeat(32)}\n`);
  assert.equal(readFileSync(join(out, 'ca.crt'), 'utf8'), PKI.root.pem);
  const [spki, fingerprint] = readFileSync(join(out, 'server.pin'), 'utf8').split('\n');
  assert.equal(spki, `sha256//${pinsOf(PKI.server).spki}`);
  const expected = new X509Certificate(PKI.server.pem).fingerprint256;
  assert.equal(fingerprint, `SHA256 Fingerprint=${expected}`);
  assert.ok(!existsSync(`${out}.partial`));
  assert.ok(!lines.join().includes(SECRET));
});

test('the claim is sent once, by Basic, after the anchor, each call on its own connection', async (t) => {
  const est = await startEst(t);
  await enroll({ claim: est.claim, out: join(testFolder(t), 'out') });
  const credential = Buffer.from(`thermostat-1:${SECRET}`).toString('base64');
  assert.deepEqual(est.seen, [
    'GET /.well-known/est/cacerts',
    `POST /.well-known/est/simpleenroll Basic ${credential}`,
    'GET /v1/device/payload-keys',
  ]);
  assert.equal(est.connectionCount, 3);
});

test('issuers may come with the anchor instead of the certificate [RFC 7030 §4.2.3]', async (t) => {
  const est = await startEst(t, { omitsIssuer: true });
  const bundle = await enroll({ claim: est.claim, out: join(testFolder(t), 'out') });
  assert.equal(bundle.certificatePem.split('BEGIN CERTIFICATE').length, 3);
});

test('a server without the anchor of the claim never sees the claim [E_DEVICE_ANCHOR]', async (t) => {
  const other = testPki();
  const est = await startEst(t, { cacerts: [other.root.der, other.issuer.der] });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_ANCHOR'));
  assert.deepEqual(est.seen, ['GET /.well-known/est/cacerts']);
});

test('a server that shows the anchor but is not certified by it never sees the claim', async (t) => {
  const self = issue({ name: 'impostor', hosts: ['localhost'], purpose: 'server' });
  const est = await startEst(t, { server: self });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_SERVER'));
  assert.deepEqual(est.seen, ['GET /.well-known/est/cacerts']);
});

test('a server certified for another host name never sees the claim', async (t) => {
  const { issuer } = PKI;
  const elsewhere = issue({ name: 'other', issuer, hosts: ['other.example'], purpose: 'server' });
  const est = await startEst(t, { server: elsewhere });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_HOST_NAME'));
  assert.deepEqual(est.seen, ['GET /.well-known/est/cacerts']);
});

test('another device of the fleet cannot play the server: its certificate is for clients', async (t) => {
  const { issuer } = PKI;
  const device = issue({ name: 'evil', issuer, hosts: ['localhost'], purpose: 'client' });
  const est = await startEst(t, { server: device });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_SERVER'));
  assert.deepEqual(est.seen, ['GET /.well-known/est/cacerts']);
});

test('an expired server certificate asks for a look at the clock', async (t) => {
  const { issuer } = PKI;
  const notAfterMs = Date.now() - 60_000;
  const old = issue({ name: 'old', issuer, hosts: ['localhost'], purpose: 'server', notAfterMs });
  const est = await startEst(t, { server: old });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_CLOCK'));
});

test('the environment cannot switch the verification off', async (t) => {
  const self = issue({ name: 'impostor', hosts: ['localhost'], purpose: 'server' });
  const est = await startEst(t, { server: self });
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_SERVER'));
});

test('an address in the claim is verified too', async (t) => {
  const est = await startEst(t, {}, '127.0.0.1');
  await enroll({ claim: est.claim, out: join(testFolder(t), 'out') });
  assert.equal(est.seen.length, 3);
});

test('a certificate for another key is not taken', async (t) => {
  const est = await startEst(t, { certifiedKey: newKeys().publicKey });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_ENROLL'));
  assert.ok(!existsSync(out));
});

test('a refused claim says so, with the code of the server', async (t) => {
  const enrollBody = '{"error":{"code":"E_ENROLL_CLAIM_USED","message":"m","fix":"f"}}';
  const est = await startEst(t, { enrollStatus: 401, enrollBody });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), (error) => {
    assert.match(String(error), /HTTP 401, E_ENROLL_CLAIM_USED/u);
    return refusedWith('E_DEVICE_CLAIM_REFUSED')(error);
  });
});

test('an answer that is no certs-only message, or without end, is refused', async (t) => {
  for (const enrollBody of ['no base64!', 'A'.repeat(70_000)]) {
    const est = await startEst(t, { enrollBody });
    const out = join(testFolder(t), 'out');
    await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_ENROLL'));
  }
});

test('payload keys without their form, or of another device, are refused', async (t) => {
  const good = keysAnswer({ port: 8_883 });
  for (const wrong of [
    { device: 'thermostat-2' },
    { payloadKey: 'a1'.repeat(31) },
    { payloadKey: 'A1'.repeat(32) },
    { commandKey: good['payloadKey'] },
    { broker: 'mqtt://localhost:1883' },
    { broker: 'mqtts://localhost:0' },
    { broker: 'mqtts://localhost:65536' },
    { pins: {} },
    { pins: { certificate: 'xy' } },
    { pins: { ...pinsOf(PKI.server), spki: 'short' } },
    { kid: '../1' },
  ]) {
    const est = await startEst(t, { keys: { ...good, ...wrong } });
    const out = join(testFolder(t), 'out');
    await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_ENROLL'));
    assert.ok(!existsSync(out));
  }
});

test('after a failure between certificate and keys, the same claim goes on with the same key', async (t) => {
  const est = await startEst(t, { keysStatus: 503 });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_ENROLL'));
  assert.ok(existsSync(`${out}.partial/client.key`));
  est.script.keysStatus = 200;
  await enroll({ claim: est.claim, out });
  const [first, second] = est.requestedKeys;
  assert.equal(first, second);
  assert.equal(est.requestedKeys.length, 2);
  assert.ok(!existsSync(`${out}.partial`));
  assert.ok(!existsSync(`${out}/device`));
});

test('the key of an unfinished enrollment never gets a second identity', async (t) => {
  const est = await startEst(t, { keysStatus: 503 });
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim: est.claim, out }));
  const claim = est.claim.replace('thermostat-1', 'thermostat-2');
  await assert.rejects(enroll({ claim, out }), refusedWith('E_DEVICE_PARTIAL'));
  assert.equal(est.requestedKeys.length, 1);
});

test('a partial folder that others can enter is not used', async (t) => {
  const est = await startEst(t);
  const out = join(testFolder(t), 'out');
  mkdirSync(`${out}.partial`, { mode: 0o755 });
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_MODE'));
  assert.deepEqual(est.seen, []);
});

test('an existing folder is never overwritten, and the claim not spent', async (t) => {
  const est = await startEst(t);
  const out = join(testFolder(t), 'out');
  mkdirSync(out);
  writeFileSync(join(out, 'mine'), randomBytes(8));
  await assert.rejects(enroll({ claim: est.claim, out }), refusedWith('E_DEVICE_EXISTS'));
  assert.deepEqual(readdirSync(out), ['mine']);
  assert.deepEqual(est.seen, []);
});

test('what is no claim is not repeated in the error', async (t) => {
  const out = join(testFolder(t), 'out');
  const claim = `holdfast-claim/1/localhost:1/x/${SECRET}/${SECRET}x`;
  await assert.rejects(enroll({ claim, out }), refusedWith('E_DEVICE_CLAIM_FORM'));
});

test('a server that is not there is unreachable', async (t) => {
  const est = await startEst(t);
  const claim = est.claim.replace(`:${est.port}/`, ':1/');
  const out = join(testFolder(t), 'out');
  await assert.rejects(enroll({ claim, out }), refusedWith('E_DEVICE_UNREACHABLE'));
});
