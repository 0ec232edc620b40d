/** The API behind the real listener: what depends on sockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type RequestOptions, request as httpsRequest } from 'node:https';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { parseTenantName } from '@holdfast/protocol';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { createAuthority, ensureServerCertificate, openAuthority } from '../pki/index.ts';
import { Admission, openHttps } from '../wire/index.ts';
import { type Lab, openLab, present } from './lab.testing.ts';
import { BODY_BYTES_MAX, STREAM_WAITING_BYTES_MAX } from './limits.ts';

interface ListeningLab extends Lab {
  readonly request: (options: RequestOptions) => ClientRequest;
}

async function openListeningLab(t: TestContext): Promise<ListeningLab> {
  const lab = openLab(t);
  const { clock } = lab;
  // OpenSSL judges certificates by the clock of the machine.
  clock.ms = Date.now();
  const making = { clock, random: systemRandom, tenant: present(parseTenantName('default')) };
  const authority = openAuthority(createAuthority(making), making);
  const server = ensureServerCertificate(undefined, { authority, names: ['localhost'], clock });
  const identity = {
    certificateChain: server.certChainPem,
    privateKey: server.keyPem,
    clientAnchors: authority.trustAnchorsPem,
  };
  const { report } = lab.deps;
  const options = { name: 'API', addresses: ['127.0.0.1'], port: 0, asksCertificate: false };
  const admission = new Admission({ clock: systemClock, report });
  const listener = await openHttps({ ...options, identity, admission }, lab.api.fetch);
  t.after(() => listener.close());
  const request = (options: RequestOptions): ClientRequest => {
    const outgoing = httpsRequest({
      host: '127.0.0.1',
      servername: 'localhost',
      port: listener.port,
      agent: false,
      ca: authority.anchorPem,
      ...options,
    });
    outgoing.setHeader('authorization', `Bearer ${lab.localToken}`);
    return outgoing;
  };
  return { ...lab, request };
}

async function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Lets the event loop turn until something holds. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!holds()) {
    assert.ok(performance.now() < endMs, `waited in vain for ${what}`);
    await new Promise(setImmediate);
  }
}

function pushReading(lab: Lab, payload: string): void {
  const facts = { atMs: lab.clock.ms, deviceId: 'dev-1', topic: 'd/dev-1/telemetry', kid: '1.1' };
  lab.readings.push({ index: 1, payload, ...facts });
}

async function openStream(lab: ListeningLab): Promise<IncomingMessage> {
  present(lab.registry.add({ id: 'dev-1', class: 'sensor' }));
  const response = await answerTo(lab.request({ path: '/v1/devices/dev-1/readings/stream' }).end());
  assert.equal(response.statusCode, 200);
  assert.equal(lab.readings.listeners.size, 1);
  return response;
}

test('a body in chunks is read up to the limit, and not beyond', async (t) => {
  const lab = await openListeningLab(t);
  const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
  const post = (text: string): ClientRequest => {
    const request = lab.request({ method: 'POST', path: '/v1/devices', headers });
    request.on('error', () => {});
    for (let at = 0; at < text.length; at += 10_000) request.write(text.slice(at, at + 10_000));
    return request.end();
  };
  const text = '{"id": "dev-1", "class": "sensor"}';
  const good = await answerTo(post(text.padEnd(BODY_BYTES_MAX)));
  assert.equal(good.statusCode, 201, await textOf(good));
  const tooLarge = await answerTo(post(text.padEnd(BODY_BYTES_MAX + 1)));
  assert.equal(tooLarge.statusCode, 413);
  assert.match(await textOf(tooLarge), /E_OPERATE_SIZE/);
});

test('the address of the caller is that of the socket, whatever a header says', async (t) => {
  const lab = await openListeningLab(t);
  const headers = { 'x-forwarded-for': '203.0.113.1', forwarded: 'for=203.0.113.1' };
  const response = await answerTo(lab.request({ path: '/nothing', headers }).end());
  assert.equal(response.statusCode, 404);
  assert.equal(response.headers['cache-control'], 'no-store');
  response.resume();
  assert.equal(lab.reports[0]?.address, '127.0.0.1');
});

test('a stream is there at once, and its end is noticed when the reader hangs up', async (t) => {
  const lab = await openListeningLab(t);
  const response = await openStream(lab);
  const [first] = (await once(response, 'data')) as [Uint8Array];
  assert.equal(Buffer.from(first).toString('utf8'), ': open\n\n');
  pushReading(lab, '{"n": 1}');
  const [second] = (await once(response, 'data')) as [Uint8Array];
  assert.match(Buffer.from(second).toString('utf8'), /^event: reading\nid: 1\n/);
  response.destroy();
  await until('the stream to end', () => lab.readings.listeners.size === 0);
  assert.equal(lab.clock.timerCount, 0);
});

test('a reader that does not read loses its connection', async (t) => {
  const lab = await openListeningLab(t);
  const response = await openStream(lab);
  response.on('error', () => {});
  response.pause();
  const socket = response.socket as TLSSocket;
  // The buffers of both sockets fill first.
  const pushesMax = (64 * STREAM_WAITING_BYTES_MAX) / 60_000;
  for (let i = 0; i < pushesMax && lab.readings.listeners.size > 0; i++) {
    pushReading(lab, 'x'.repeat(60_000));
    await new Promise(setImmediate);
  }
  assert.equal(lab.readings.listeners.size, 0);
  assert.equal(lab.clock.timerCount, 0);
  response.resume();
  await until('the connection to end', () => socket.destroyed);
});

test('HEAD of a stream is answered, and holds nothing', async (t) => {
  const lab = await openListeningLab(t);
  const response = await answerTo(
    lab.request({ method: 'HEAD', path: '/v1/refusals/stream' }).end(),
  );
  assert.equal(response.statusCode, 200);
  assert.equal(await textOf(response), '');
  assert.equal(lab.refusals.listeners.size, 0);
});

test('a person signs in over TLS, and the cookie works on the same origin', async (t) => {
  const lab = await openListeningLab(t);
  const session = await lab.signInFirst();
  const post = async (origin: string): Promise<number | undefined> => {
    const cookie = `__Host-holdfast=${session}`;
    const host = 'server.example:8443';
    const headers = { cookie, host, origin, 'content-type': 'application/json' };
    const request = lab.request({ method: 'POST', path: '/v1/tokens' });
    request.removeHeader('authorization');
    for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
    const response = await answerTo(request.end('{"label": "lab"}'));
    response.resume();
    return response.statusCode;
  };
  // The scheme that the API sees is https, though TLS ends before it.
  assert.equal(await post('https://server.example:8443'), 201);
  assert.equal(await post('http://server.example:8443'), 401);
  assert.equal(await post('https://evil.example'), 401);
});
