/** The session of an owner's page over real TLS, and what the page is told of devices. */
import assert from 'node:assert/strict';
import { createHash, createPrivateKey, sign, X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { isIP } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { AppIdentity } from '@holdfast/client';
import type { Bundle } from '@holdfast/device';
import { formatAppProof } from '@holdfast/protocol';
import {
  APP_SESSION_COOKIE,
  type LatestList,
  type OwnedCommandList,
  type OwnedDevice,
} from '@holdfast/protocol/api';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  type InProcessServer,
  RawClient,
  pairTestApp,
  signedPayload,
  startInProcess,
  subscribePacket,
  waitFor,
} from '@holdfast/testkit';

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly cookie?: string | undefined;
  /** The name by which the server is asked. */
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The certificate that the connection shows. */
  readonly shows?: { readonly certificatePem: string; readonly keyPem: string };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(server: InProcessServer, anchorPem: string, asked: Asked): Promise<Answer> {
  const { method = 'GET', path, body, cookie, host = 'localhost', shows } = asked;
  const client = shows && { cert: shows.certificatePem, key: shows.keyPem };
  const agent = new Agent({ ca: anchorPem, ...client });
  const headers = {
    'content-type': 'application/json',
    ...(cookie !== undefined && { cookie: `${APP_SESSION_COOKIE}=${cookie}` }),
    ...asked.headers,
  };
  return new Promise<Answer>((resolve, reject) => {
    const servername = isIP(host) === 0 ? 'localhost' : '';
    const options = { host, servername, port: server.ports.api, path, method, agent, headers };
    const sent = request(options, (answer) => {
      const { statusCode: status = 0, headers: told } = answer;
      text(answer).then((found) => resolve({ status, headers: told, body: found }), reject);
    });
    sent.on('error', reject);
    // Who asks for a WebSocket and is refused finds the connection closed.
    sent.on('upgrade', () => reject(new Error('upgraded')));
    sent.end(method === 'POST' ? JSON.stringify(body ?? {}) : undefined);
  }).finally(() => agent.destroy());
}

/** Begins a session as the page does, from one of the names of the server. */
async function beginSession(
  server: InProcessServer,
  identity: AppIdentity,
  host = 'localhost',
): Promise<Answer> {
  const path = '/v1/app/session';
  const post = { method: 'POST', host } as const;
  const given = await ask(server, identity.anchorPem, { ...post, path: `${path}/challenge` });
  const { challenge } = JSON.parse(given.body) as { challenge: string };
  const { raw } = new X509Certificate(identity.certificatePem);
  const proof = formatAppProof({
    origin: `https://${host}:${server.ports.api}`,
    challenge,
    certificate: createHash('sha256').update(raw).digest('hex'),
  });
  const key = createPrivateKey(identity.keyPem);
  const signature = sign('sha256', Buffer.from(proof), { key, dsaEncoding: 'ieee-p1363' });
  const body = {
    challenge,
    certificate: identity.certificatePem,
    signature: signature.toString('base64url'),
  };
  return ask(server, identity.anchorPem, { ...post, path, body });
}

function cookieOf({ headers, status, body }: Answer): string {
  assert.equal(status, 201, body);
  const [cookie = ''] = headers['set-cookie'] ?? [];
  return new RegExp(`^${APP_SESSION_COOKIE}=([^;]+)`, 'u').exec(cookie)?.[1] ?? assert.fail(cookie);
}

async function openHome(t: TestContext) {
  const server = await startInProcess(t);
  const bundle = await server.enroll('a-1', 'gateway');
  const { identity, client } = await pairTestApp(t, server, 'a-1');
  const cookie = cookieOf(await beginSession(server, identity));
  const { anchorPem } = identity;
  const asPage = (path: string, asked: Partial<Asked> = {}): Promise<Answer> =>
    ask(server, anchorPem, { cookie, ...asked, path });
  return { server, bundle, identity, client, anchorPem, asPage };
}

async function read<T>(answer: Promise<Answer>): Promise<T> {
  const { status, body } = await answer;
  assert.equal(status, 200, body);
  return JSON.parse(body) as T;
}

test('each name of the certificate is an origin of the page, and no other is', async (t) => {
  const { server, identity } = await openHome(t);
  for (const host of ['localhost', '127.0.0.1']) {
    cookieOf(await beginSession(server, identity, host));
  }
  const asked = { method: 'POST', path: '/v1/app/session', headers: { host: 'evil.example' } };
  const body = { challenge: 'A', certificate: 'x', signature: 'A'.repeat(86) };
  const refusal = await server.expectRefusal('E_OPERATE_UNAUTHENTICATED', () =>
    ask(server, identity.anchorPem, { ...asked, body }),
  );
  assert.match(refusal.detail, /^https:\/\/evil\.example is none of this server/u);
});

test('a connection is whom its certificate names: the cookie of a page changes nothing', async (t) => {
  const { server, bundle, identity, asPage } = await openHome(t);
  assert.equal((await asPage('/v1/app/devices')).status, 200);
  const keyPem = bundle.privateKey.export({ format: 'pem', type: 'pkcs8' });
  const shows = { certificatePem: bundle.certificatePem, keyPem };
  assert.equal((await asPage('/v1/app/devices', { shows })).status, 401);
  // And an app goes on to need no cookie at all.
  const byCertificate = { shows: identity, cookie: undefined };
  assert.equal((await asPage('/v1/app/devices', byCertificate)).status, 200);
  const wrongCookie = { shows: identity, cookie: 'wrong' };
  assert.equal((await asPage('/v1/app/devices', wrongCookie)).status, 200);
  assert.equal((await asPage('/v1/app/devices', { cookie: 'wrong' })).status, 401);
  assert.equal((await asPage('/v1/devices')).status, 401);
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    'sec-websocket-protocol': 'mqtt',
    origin: `https://localhost:${server.ports.api}`,
  };
  await server.expectRefusal('E_OPERATE_UNAUTHENTICATED', () =>
    asPage('/mqtt', { headers }).catch(() => undefined),
  );
});

test('an app that has lost its rights is out by its cookie, and so is a reset device', async (t) => {
  const { server, asPage, identity } = await openHome(t);
  await server.client.resetDevice('a-1', 'sold');
  assert.equal((await asPage('/v1/app/devices/a-1')).status, 401, 'this cookie is void');
  const cookie = cookieOf(await beginSession(server, identity));
  const absent = await asPage('/v1/app/devices/x-1', { cookie });
  const lost = await asPage('/v1/app/devices/a-1', { cookie });
  assert.deepEqual([lost.status, lost.body], [404, absent.body]);
  const remove = { method: 'DELETE', cookie };
  assert.equal((await asPage(`/v1/app/apps/${identity.app}`, remove)).status, 204);
  assert.equal((await asPage('/v1/app/devices', { cookie })).status, 401);
  assert.equal((await beginSession(server, identity)).status, 401);
});

function publish(topic: string, payload: Uint8Array): Uint8Array {
  return encodePublish(topic, payload, { qos: 1, packetId: 7, retain: false });
}

async function sendAs(bundle: Bundle, topic: string, members: Record<string, unknown>) {
  const device = await RawClient.connect(bundle);
  device.send(publish(topic, signedPayload(bundle, members)));
  await device.expect('puback');
  await device.abort();
}

test('a page sees last values, presence and the commands of its owner, and none of before', async (t) => {
  const { server, bundle, asPage, identity, client } = await openHome(t);
  await sendAs(bundle, 'd/a-1/telemetry', { ctr: 1, temp: 21.5, label: 'x' });
  const latest = await waitFor('the value', async () => {
    const list = await read<LatestList>(asPage('/v1/app/readings/latest'));
    return list.latest[0];
  });
  assert.deepEqual([latest.device, latest.values[0]?.series], ['a-1', 'temp']);
  assert.equal(latest.values[0]?.value, 21.5);

  const device = await RawClient.connect(bundle);
  device.send(subscribePacket(1, [{ filter: 'd/a-1/cmd/+', qos: 1 }]));
  await device.expect('suback');
  const online = await read<OwnedDevice>(asPage('/v1/app/devices/a-1'));
  assert.equal(online.online, true);
  const sent = { method: 'POST', body: { name: 'start', body: { speed: 2 } } };
  assert.equal((await asPage('/v1/app/devices/a-1/commands', sent)).status, 202);
  await client.command('a-1', { name: 'stop', body: {} });
  await server.client.sendCommand('a-1', { name: 'secret', body: {} });
  const { payload } = await device.expect('publish');
  const { ctr } = JSON.parse(Buffer.from(payload).toString()) as { ctr: number };
  await device.abort();
  await sendAs(bundle, 'd/a-1/ack/start', { ctr: 2, of: ctr, ok: true });

  const list = await read<OwnedCommandList>(asPage('/v1/app/devices/a-1/commands'));
  assert.deepEqual(
    list.commands.map(({ name, isOwn, ack }) => [name, isOwn, ack !== undefined]),
    [
      ['stop', true, false],
      ['start', true, true],
    ],
    'what the operator has sent is not told',
  );
  assert.deepEqual(await client.commands('a-1'), list.commands);
  await waitFor('it to be away', async () => {
    const { online: isOnline, lastSeen } = await read<OwnedDevice>(asPage('/v1/app/devices/a-1'));
    return isOnline === false && lastSeen !== undefined;
  });

  // The next owner sees nothing of it, not even when the device was last there.
  await server.client.resetDevice('a-1', 'sold');
  const heir = await pairTestApp(t, server, 'a-1');
  const cookie = cookieOf(await beginSession(server, heir.identity));
  const commands = await read<OwnedCommandList>(asPage('/v1/app/devices/a-1/commands', { cookie }));
  assert.deepEqual(commands, { commands: [] });
  const fresh = await read<OwnedDevice>(asPage('/v1/app/devices/a-1', { cookie }));
  assert.deepEqual([fresh.online, fresh.lastSeen], [false, undefined]);
  const none = await read<LatestList>(asPage('/v1/app/readings/latest', { cookie }));
  assert.deepEqual(none.latest, []);
  // Somebody else's page is told nothing of it.
  const again = cookieOf(await beginSession(server, identity));
  const foreign = await asPage('/v1/app/devices/a-1/commands', { cookie: again });
  assert.equal(foreign.status, 404);
});
