/** Revocation as the device feels it, and as everybody else can learn of it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { type TLSSocket, connect as connectTls } from 'node:tls';
import type { Bundle } from '@holdfast/device';
import {
  type InProcessServer,
  connectPacket,
  run,
  runningMs,
  startInProcess,
  waitFor,
} from '@holdfast/testkit';
import { WebSocket } from 'ws';

/** From the decision until nothing of the device is open. */
const CLOSED_MS_MAX = 1_000;

interface Credential {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

function credentialOf({ folder, anchorPem: ca }: Bundle): Credential {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { ca, cert: read('client.crt'), key: read('client.key') };
}

/** Resolves when a connection is closed. */
function closing(socket: { once(event: 'close', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** An MQTT connection after its CONNACK. */
async function openMqtt(server: InProcessServer, bundle: Bundle): Promise<TLSSocket> {
  const { broker: port } = server.ports;
  const socket = connectTls({ host: 'localhost', port, ...credentialOf(bundle) });
  socket.on('error', () => {});
  socket.on('secureConnect', () => socket.write(connectPacket(bundle)));
  await new Promise((resolve) => {
    socket.once('data', resolve);
  });
  return socket;
}

/** The same over a WebSocket. */
async function openWebSocket(server: InProcessServer, bundle: Bundle): Promise<WebSocket> {
  const url = `wss://localhost:${server.ports.api}/mqtt`;
  const socket = new WebSocket(url, 'mqtt', { ...credentialOf(bundle) });
  socket.on('error', () => {});
  socket.on('open', () => socket.send(connectPacket(bundle)));
  await new Promise((resolve) => {
    socket.once('message', resolve);
  });
  return socket;
}

/** A request on a kept-alive connection: its status, and the socket it went over. */
function get(
  server: InProcessServer,
  options: RequestOptions,
): Promise<{ status: number | undefined; socket: TLSSocket }> {
  return new Promise((resolve, reject) => {
    const path = '/v1/device/payload-keys';
    const where = { host: 'localhost', port: server.ports.enroll, path };
    const asked = request({ ...where, ...options }, (response) => {
      const socket = response.socket as TLSSocket;
      response.resume().on('end', () => resolve({ status: response.statusCode, socket }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('everything that a revoked device has open is closed within a second', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('pump-1');
  const other = await server.enroll('pump-2');
  const agents: Agent[] = [];
  t.after(() => agents.forEach((agent) => agent.destroy()));
  const keepAlive = (owner: Bundle): RequestOptions => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ...credentialOf(owner) });
    agents.push(agent);
    return { agent };
  };
  const [mine, theirs] = [keepAlive(bundle), keepAlive(other)];
  const mqttClosed = closing(await openMqtt(server, bundle));
  const first = await get(server, mine);
  assert.equal(first.status, 200);
  const again = await get(server, mine);
  assert.equal(again.socket, first.socket, 'the connection is kept alive');
  // What is sent to the API's own port is judged in the same way, be it signed or not.
  const { api: port } = server.ports;
  const path = '/v1/d/pump-1/telemetry';
  const headers = { 'content-type': 'application/json' };
  // At once: what nobody uses for some seconds is closed without a revocation, too.
  const [bystander, idle, ingest] = await Promise.all([
    get(server, theirs),
    get(server, keepAlive(bundle)),
    get(server, { ...keepAlive(bundle), method: 'POST', port, path, headers }),
  ]);
  const sockets = [first.socket, idle.socket, ingest.socket];
  assert.ok(
    sockets.every((socket) => !socket.destroyed),
    'all are kept alive',
  );
  const closed = [mqttClosed, ...sockets.map(closing)];

  const revoke = () => server.client.revokeDevice('pump-1', 'stolen');
  const tookMs = await runningMs(() => Promise.all([revoke(), ...closed]));
  assert.ok(tookMs < CLOSED_MS_MAX, `${tookMs} ms`);
  assert.ok(!bystander.socket.destroyed, 'nobody else is cut off');
  assert.equal((await get(server, theirs)).socket, bystander.socket);
  await server.expectRefusal('E_SESSION_REVOKED', async () => {
    assert.equal((await get(server, mine)).status, 401, 'a new connection is of no use');
  });
});

test('a WebSocket of a revoked device is closed within a second', async (t) => {
  const server = await startInProcess(t);
  const bundle = await server.enroll('pump-1');
  const socket = await openWebSocket(server, bundle);
  const closed = closing(socket);
  const revoke = () => server.client.revokeDevice('pump-1', 'stolen');
  const tookMs = await runningMs(() => Promise.all([revoke(), closed]));
  assert.ok(tookMs < CLOSED_MS_MAX, `${tookMs} ms`);
});

test('others learn it from the places that the certificate names, also after a restart', async (t) => {
  const first = await startInProcess(t, { hosts: ['localhost'] });
  const bundle = await first.enroll('pump-1');
  const kept = await first.enroll('pump-2');
  const { folder } = bundle;
  const { ca, cert } = credentialOf(bundle);
  writeFileSync(join(folder, 'root.pem'), ca);
  writeFileSync(join(folder, 'kept.pem'), credentialOf(kept).cert);
  // The bundle holds the certificate and its issuer.
  const [, issuer = assert.fail('an issuer')] = cert.split(/(?<=-----END CERTIFICATE-----\n)/u);
  writeFileSync(join(folder, 'ca.pem'), issuer);
  const shell = async (script: string): Promise<string> => {
    const { stdout, stderr } = await run('bash', ['-c', script], { cwd: folder });
    return stdout + stderr;
  };
  const check = async (file: string): Promise<string> => {
    const places = await shell(
      `openssl x509 -in ${file} -noout -text | grep -o 'URI:https:.*' | cut -c5-`,
    );
    const [crl = '', ocsp = ''] = places.trim().split('\n');
    assert.match(crl, /\/crl\/devices-[0-9a-f]{8}-\d+\.crl$/u);
    return shell(
      `curl -sS --cacert root.pem -o list.crl '${crl}' &&
       openssl crl -inform DER -in list.crl -out list.pem &&
       openssl verify -crl_check -CAfile root.pem -untrusted ca.pem -CRLfile list.pem ${file}
       openssl ocsp -issuer ca.pem -cert ${file} -CAfile root.pem -url '${ocsp}'`,
    );
  };
  assert.match(await check('client.crt'), /client\.crt: OK[^]*client\.crt: good/u);
  await first.client.revokeDevice('pump-1', 'keyCompromise');
  const server = await first.restart();
  const told = await check('client.crt');
  assert.match(told, /certificate revoked/u);
  assert.match(told, /client\.crt: revoked/u);
  assert.match(told, /Reason: keyCompromise/u);
  assert.match(await check('kept.pem'), /kept\.pem: OK[^]*kept\.pem: good/u);

  const { der, count } = await server.client.crl();
  assert.equal(count, 1);
  writeFileSync(join(folder, 'published.crl'), Buffer.from(der, 'base64'));
  const complete = await shell(
    `openssl crl -inform DER -in published.crl -out published.pem &&
     openssl verify -crl_check -CAfile root.pem -untrusted ca.pem -CRLfile published.pem client.crt`,
  );
  assert.match(complete, /certificate revoked/u);
  await waitFor('the act', async () =>
    (await server.client.acts()).find(({ action }) => action === 'device.revoke'),
  );
});
