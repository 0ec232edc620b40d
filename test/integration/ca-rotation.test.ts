/** A rotation of the issuing authorities: no device notices, and the old ones end. */
import assert from 'node:assert/strict';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Device, connect, loadBundle, renew } from '@holdfast/device';
import {
  type InProcessServer,
  RawClient,
  mosquittoPub,
  pairTestApp,
  run,
  runningMs,
  signPayload,
  startInProcess,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

/** A device that publishes on and on, and knows whether it was ever disconnected. */
interface BusyDevice {
  readonly device: Device;
  readonly acknowledged: () => number;
  readonly lost: () => number;
  readonly stop: () => Promise<void>;
}

function startBusy(t: TestContext, bundle: string): BusyDevice {
  const device = connect({ bundle, random: () => 0.02 });
  let acknowledged = 0;
  let lost = 0;
  const over = new AbortController();
  device.onStatus(({ state }) => {
    if (state === 'offline' && !over.signal.aborted) lost += 1;
  });
  const publishing = (async () => {
    while (!over.signal.aborted) {
      await device.publish({ n: acknowledged });
      acknowledged += 1;
      await new Promise(setImmediate);
    }
  })();
  const stop = async (): Promise<void> => {
    over.abort();
    await publishing;
    await device.close();
  };
  t.after(() => device.close());
  return { device, acknowledged: () => acknowledged, lost: () => lost, stop };
}

async function publishByMosquitto(server: InProcessServer, bundle: string): Promise<string> {
  const ctr = Date.now();
  const { code, stderr } = await mosquittoPub({
    bundle,
    port: server.ports.broker,
    id: 'meter-1',
    topic: 'd/meter-1/telemetry/temp',
    payload: signPayload(bundle, { ctr, ts: ctr, temp: 21 }),
  });
  return code === 0 ? 'published' : stderr;
}

/** Issuing authorities among what the enrollment listener gives to everybody. RFC 7030 §4.1 */
async function caCertificateCount({ ports }: InProcessServer, anchorPem: string): Promise<number> {
  const url = `https://localhost:${ports.enroll}/.well-known/est/cacerts`;
  const { stdout } = await run(
    'bash',
    [
      '-c',
      `curl -sS --cacert <(cat) ${url} | base64 -d | ` +
        'openssl pkcs7 -inform DER -print_certs | grep -c "subject=.*devices"',
    ],
    { input: anchorPem },
  );
  return Number(stdout);
}

const issuerOf = (bundle: string): string =>
  new X509Certificate(readFileSync(join(bundle, 'client.crt'))).issuer;

test('three steps, and no device notices', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const { folder: pump, anchorPem } = await server.enroll('pump-1');
  const { folder: meter } = await server.enroll('meter-1');
  const idle = await RawClient.connect(loadBundle(pump));
  const busy = startBusy(t, meter);
  const goOn = async (): Promise<void> => {
    const before = busy.acknowledged();
    await waitFor('publishing to go on', () => busy.acknowledged() > before + 20);
    assert.equal(busy.lost(), 0, 'never disconnected');
  };
  await goOn();
  const { pins: pinsBefore } = await client.server();

  const prepared = await client.prepareAuthority({});
  assert.deepEqual(
    prepared.generations.map(({ number, state }) => `${number} ${state}`),
    ['1 issuing', '2 next'],
  );
  assert.equal(prepared.generations[0]?.inUse.certificates, 2);
  assert.equal(await caCertificateCount(server, anchorPem), 2);
  await goOn();
  const early = await server.enroll('early-1');
  assert.match(issuerOf(early.folder), /devices 1/u, 'the first generation still issues');

  const switched = await client.switchAuthority();
  assert.equal(switched.next, 'finish');
  await goOn();
  const { pins: pinsAfter } = await client.server();
  assert.equal(pinsAfter.spki, pinsBefore.spki, 'the key of the server stays');
  assert.notEqual(pinsAfter.certificate, pinsBefore.certificate);
  const late = await server.enroll('late-1');
  assert.match(issuerOf(late.folder), /devices 2/u);
  assert.equal(late.pins[0]?.certificate, pinsAfter.certificate, 'new devices get the new pins');

  // Devices of both generations come back at any time, and see the new server certificate.
  for (const { folder } of [early, late]) {
    const device = connect({ bundle: folder, random: () => 0.02 });
    await device.publish({ n: 1 });
    await device.close();
  }

  await assert.rejects(client.finishRotation({}), /3 certificates of it still count/u);
  await busy.stop();
  assert.equal(await publishByMosquitto(server, meter), 'published');
  assert.ok(!idle.socket.closed, 'the idle one was not disconnected either');
  for (const folder of [pump, meter, early.folder]) {
    await renew({ bundle: folder });
    assert.match(issuerOf(folder), /devices 2/u);
  }
  const [first] = (await client.authority()).generations;
  assert.equal(first?.inUse.certificates, 0);
  const finished = await client.finishRotation({});
  assert.deepEqual(
    finished.generations.map(({ number, state }) => `${number} ${state}`),
    ['1 ended', '2 issuing'],
  );
  assert.equal(finished.next, 'prepare');
  assert.equal(await publishByMosquitto(server, meter), 'published');
  assert.equal(await caCertificateCount(server, anchorPem), 1);

  const acts = new Set((await client.acts()).map(({ action }) => action));
  for (const action of ['ca.prepare', 'ca.switch', 'ca.finish']) assert.ok(acts.has(action));
});

test('a forced end closes connections at once, and lets nothing old in again', async (t) => {
  let server = await startInProcess(t);
  const { folder: pump } = await server.enroll('pump-1');
  const old = join(temporaryFolder(t), 'pump-1');
  cpSync(pump, old, { recursive: true });
  const client = await RawClient.connect(loadBundle(pump));
  await server.client.prepareAuthority({});
  await server.client.switchAuthority();
  const tookMs = await runningMs(async () => {
    const status = await server.client.finishRotation({ force: 'the issuing key leaked' });
    await client.closed();
    assert.equal(status.generations[0]?.state, 'ended');
  });
  assert.ok(tookMs < 1_000, 'closed within a second');
  const { certificates } = await server.client.device('pump-1');
  assert.deepEqual(
    certificates.map(({ status: one }) => one),
    ['revoked'],
  );
  const comeBack = async () => (await RawClient.open(loadBundle(old))).closed();
  await server.expectRefusal('E_SESSION_FOREIGN_CA', comeBack);
  server = await server.restart();
  await server.expectRefusal('E_SESSION_FOREIGN_CA', comeBack);
  const [act] = await server.client.acts();
  assert.equal(act?.action, 'server.start');
});

test('a forced end closes what apps have open, and lets none of them in again', async (t) => {
  const server = await startInProcess(t);
  await server.enroll('pump-1');
  const { identity } = await pairTestApp(t, server, 'pump-1');
  const { hostname: host, port } = new URL(identity.broker);
  const app = {
    device: identity.app,
    broker: { host, port: Number(port) },
    anchorPem: identity.anchorPem,
    certificatePem: identity.certificatePem,
    privateKey: createPrivateKey(identity.keyPem),
  };
  const client = await RawClient.connect(app);
  await server.client.prepareAuthority({});
  const { generations } = await server.client.switchAuthority();
  assert.deepEqual(generations[0]?.inUse.apps, 1);
  const tookMs = await runningMs(async () => {
    await server.client.finishRotation({ force: 'the issuing key leaked' });
    await client.closed();
  });
  assert.ok(tookMs < 1_000, 'closed within a second');
  await server.expectRefusal('E_SESSION_FOREIGN_CA', async () =>
    (await RawClient.open(app)).closed(),
  );
});
