/** Who is accepted as server: chain, host name and pin, each wrong alone, against a real listener. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startBroker } from '../test-support/scripted-broker.ts';
import { testFolder, writeTestBundle } from '../test-support/test-bundle.ts';
import { type Identity, issue, pinsOf, testPki } from '../test-support/test-pki.ts';
import { connectionError } from './connection-error.ts';
import { isPinned, readPins } from './pin.ts';
import { openPinnedSocket } from './pinned-socket.ts';

const PKI = testPki();
const FOREIGN = testPki();
/** Of the right authority and for the right host: only the pin tells it from the real one. */
const TWIN = issue({ name: 'twin', issuer: PKI.issuer, hosts: ['localhost'], purpose: 'server' });

interface Meeting {
  readonly server?: Identity;
  readonly chainPem?: string;
  readonly host?: string;
  readonly pins?: unknown;
  readonly anchorPem?: string;
}

/** Connects once and says what came of it, and how many bytes the server got to see. */
async function meet(t: TestContext, { server, chainPem, ...options }: Meeting) {
  const broker = await startBroker(t, PKI, {
    ...(server !== undefined && { server }),
    ...(chainPem !== undefined && { chainPem }),
  });
  const folder = join(testFolder(t), 'bundle');
  const bundle = writeTestBundle(folder, { pki: PKI, port: broker.port, ...options });
  let outcome = 'accepted';
  const target = { ...bundle, peer: bundle.broker, identity: bundle };
  const socket = openPinnedSocket(target, () => socket.end('hello'));
  socket.on('error', (cause) => {
    outcome = connectionError(cause, bundle.broker).code;
  });
  await new Promise((resolve) => {
    socket.on('close', resolve);
  });
  // The server hears of the end after the client; what was sent before has then arrived.
  await broker.idle();
  return { outcome, bytesReceived: broker.bytesReceived };
}

const ACCEPTED = { outcome: 'accepted', bytesReceived: 5 };
const refused = (outcome: string) => ({ outcome, bytesReceived: 0 });

test('the pinned server is accepted, by name and by address', async (t) => {
  assert.deepEqual(await meet(t, {}), ACCEPTED);
  assert.deepEqual(await meet(t, { host: '127.0.0.1' }), ACCEPTED);
});

test('either pin is enough: the certificate, or the key after a renewal [RFC 7469 §2.6]', async (t) => {
  const { certificate, spki } = pinsOf(PKI.server);
  assert.deepEqual(await meet(t, { pins: { certificate } }), ACCEPTED);
  assert.deepEqual(await meet(t, { pins: { spki } }), ACCEPTED);
  const { issuer } = PKI;
  const renewed = issue({
    name: 'renewed',
    issuer,
    hosts: ['localhost'],
    purpose: 'server',
    keys: PKI.server,
  });
  assert.deepEqual(await meet(t, { server: renewed }), ACCEPTED);
  assert.deepEqual(
    await meet(t, { server: renewed, pins: { certificate } }),
    refused('E_DEVICE_PIN'),
  );
});

test('a backup pin is as good as the first', async (t) => {
  const pins = [pinsOf(PKI.server), { spki: pinsOf(TWIN).spki }];
  assert.deepEqual(await meet(t, { server: TWIN, pins }), ACCEPTED);
});

test('a server with the right chain and name but another key gets no byte [E_DEVICE_PIN]', async (t) => {
  assert.deepEqual(await meet(t, { server: TWIN }), refused('E_DEVICE_PIN'));
});

test('a pin does not stand in for the chain [E_DEVICE_SERVER]', async (t) => {
  const { server, issuer } = FOREIGN;
  const pins = pinsOf(server);
  const meeting = { server, chainPem: issuer.pem, pins };
  assert.deepEqual(await meet(t, meeting), refused('E_DEVICE_SERVER'));
  assert.deepEqual(await meet(t, { anchorPem: FOREIGN.root.pem }), refused('E_DEVICE_SERVER'));
});

test('a pin does not stand in for the host name [E_DEVICE_HOST_NAME]', async (t) => {
  const { issuer } = PKI;
  const other = issue({ name: 'other', issuer, hosts: ['other.example'], purpose: 'server' });
  const meeting = { server: other, pins: pinsOf(other) };
  assert.deepEqual(await meet(t, meeting), refused('E_DEVICE_HOST_NAME'));
});

test('a device certificate is no server certificate, even when it is pinned', async (t) => {
  const { issuer } = PKI;
  const device = issue({ name: 'evil', issuer, hosts: ['localhost'], purpose: 'client' });
  const meeting = { server: device, pins: pinsOf(device) };
  assert.deepEqual(await meet(t, meeting), refused('E_DEVICE_SERVER'));
});

test('the environment cannot switch the verification off', async (t) => {
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  const { server, issuer } = FOREIGN;
  const meeting = { server, chainPem: issuer.pem, pins: pinsOf(server) };
  assert.deepEqual(await meet(t, meeting), refused('E_DEVICE_SERVER'));
});

test('pins compare whole hashes of the certificate and of its key, and never crosswise', () => {
  const certificate = new X509Certificate(PKI.server.pem);
  const own = pinsOf(PKI.server);
  const hexOfSpki = Buffer.from(own.spki, 'base64').toString('hex');
  assert.ok(isPinned(certificate, [own]));
  assert.ok(!isPinned(certificate, []));
  assert.ok(!isPinned(certificate, [{}]));
  assert.ok(!isPinned(certificate, [{ certificate: hexOfSpki }]));
  assert.ok(!isPinned(certificate, [pinsOf(TWIN)]));
  assert.deepEqual(readPins(own), [own]);
  assert.equal(readPins('x'), undefined);
});
