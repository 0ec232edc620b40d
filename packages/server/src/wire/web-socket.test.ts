/** WebSockets over real TLS, with the client of `ws`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type ClientOptions, WebSocket } from 'ws';
import { type WireLab, openBroker, openLab, tlsTo, until } from './lab.testing.ts';
import { WEB_SOCKET_MESSAGE_BYTES_MAX } from './limits.ts';
import { openHttps } from './listener.ts';
import type { PeerSocket } from './peer-socket.ts';
import type { OnWebSocket, WebSocketAnswer, WebSocketRequest } from './web-socket.ts';

interface WebLab extends WireLab {
  readonly url: string;
  readonly port: number;
  readonly requests: WebSocketRequest[];
  readonly streams: PeerSocket[];
  /** What the server received. */
  readonly received: Buffer[];
  closedCount: number;
}

async function openWeb(t: TestContext, refuseWith?: WebSocketAnswer): Promise<WebLab> {
  const wire = openLab();
  const requests: WebSocketRequest[] = [];
  const streams: PeerSocket[] = [];
  const received: Buffer[] = [];
  const onWebSocket: OnWebSocket = (request) => {
    requests.push(request);
    return (
      refuseWith ??
      ((stream) => {
        stream.on('data', (chunk) => received.push(chunk));
        stream.on('close', () => (lab.closedCount += 1));
        streams.push(stream);
      })
    );
  };
  const fetch = (): Response => new Response('page');
  const options = { ...wire.options, name: 'API', asksCertificate: true, onWebSocket };
  const listener = await openHttps(options, fetch);
  t.after(() => listener.close());
  const { port } = listener;
  const url = `wss://127.0.0.1:${port}/mqtt`;
  const lab: WebLab = { ...wire, url, port, requests, streams, received, closedCount: 0 };
  return lab;
}

function clientOf(lab: WebLab, options: ClientOptions = {}, url: string = lab.url): WebSocket {
  const client = new WebSocket(url, 'mqtt', {
    ...lab.anchor,
    perMessageDeflate: false,
    ...options,
  });
  client.on('error', () => {});
  return client;
}

async function openPair(
  lab: WebLab,
  options?: ClientOptions,
): Promise<{ client: WebSocket; stream: PeerSocket }> {
  const client = clientOf(lab, options);
  await once(client, 'open');
  await until('the stream', () => lab.streams.length > 0);
  const stream = lab.streams[0] ?? assert.fail('no stream');
  return { client, stream };
}

async function statusOf(client: WebSocket): Promise<number | undefined> {
  const [, response] = (await once(client, 'unexpected-response')) as [
    unknown,
    { statusCode: number },
  ];
  return response.statusCode;
}

test('what main needs to know of a client is there, with and without a certificate', async (t) => {
  const lab = await openWeb(t);
  const headers = { authorization: 'Bearer x', cookie: 'a=b' };
  const { client } = await openPair(lab, { headers, origin: 'https://console.example' });
  assert.equal(client.protocol, 'mqtt');
  assert.equal(client.extensions, '');
  const [person] = lab.requests;
  assert.equal(person?.headers.authorization, 'Bearer x');
  assert.equal(person?.headers.cookie, 'a=b');
  assert.equal(person?.headers.origin, 'https://console.example');
  assert.equal(person?.address, '127.0.0.1');
  assert.equal(person?.tls.getPeerX509Certificate(), undefined);
  const device = clientOf(lab, lab.device('pump-1'));
  await once(device, 'open');
  assert.match(lab.requests[1]?.tls.getPeerX509Certificate()?.subjectAltName ?? '', /pump-1/);
  assert.equal(lab.requests[1]?.tls.authorized, true);
});

test('bytes go both ways, whatever frames they come in (MQTT 5 [MQTT-6.0.0-2], MQTT 3.1.1 [MQTT-6.0.0-2])', async (t) => {
  const lab = await openWeb(t);
  const { client, stream } = await openPair(lab);
  client.send(Buffer.from('ab'));
  client.send(Buffer.from('c'), { fin: false });
  client.send(Buffer.from('d'), { fin: true });
  client.send(Buffer.alloc(0));
  await until('all', () => Buffer.concat(lab.received).length === 4);
  assert.equal(Buffer.concat(lab.received).toString(), 'abcd');
  assert.equal(stream.write(Buffer.from('ef')), true);
  const [data, isBinary] = (await once(client, 'message')) as [Buffer, boolean];
  assert.deepEqual([data.toString(), isBinary], ['ef', true]);
  assert.equal(stream.remoteAddress, '127.0.0.1');
});

test('a frame of text ends the connection with 1003 [MQTT-6.0.0-1]', async (t) => {
  const lab = await openWeb(t);
  const { client, stream } = await openPair(lab);
  client.send('text');
  client.send(Buffer.from('later'));
  const [code] = (await once(client, 'close')) as [number];
  assert.equal(code, 1_003);
  await until('its end', () => lab.closedCount === 1);
  assert.equal(stream.writable, false);
  assert.deepEqual(lab.received, []);
  assert.deepEqual(lab.codes(), ['E_WIRE_WEB_SOCKET']);
});

test('without the subprotocol there is no WebSocket [MQTT-6.0.0-3]', async (t) => {
  const lab = await openWeb(t);
  for (const protocols of [[], ['mqttv3.1'], ['xmqtt', 'mqtt5']]) {
    const client = new WebSocket(lab.url, protocols, { ...lab.anchor });
    client.on('error', () => {});
    assert.equal(await statusOf(client), 400);
  }
  assert.deepEqual(new Set(lab.codes()), new Set(['E_WIRE_WEB_SOCKET']));
  assert.deepEqual(lab.requests, [], 'nobody was asked who it is');
  const client = new WebSocket(lab.url, ['other', 'mqtt'], { ...lab.anchor });
  await once(client, 'open');
  assert.equal(client.protocol, 'mqtt', '[MQTT-6.0.0-4]');
});

test('no other path is upgraded, and a page is served as before', async (t) => {
  const lab = await openWeb(t);
  const base = `wss://127.0.0.1:${lab.port}`;
  for (const path of ['/', '/mqtt/', '/v1/mqtt', '/MQTT']) {
    assert.equal(await statusOf(clientOf(lab, {}, base + path)), 404, path);
  }
  await once(clientOf(lab, {}, `${lab.url}?a=b`), 'open');
  const page = httpsRequest({ ...lab.anchor, port: lab.port, path: '/mqtt' }).end();
  const [response] = (await once(page, 'response')) as [{ statusCode: number; resume(): void }];
  response.resume();
  assert.equal(response.statusCode, 200);
});

test('a refusal is an HTTP status, and closes', async (t) => {
  for (const status of [401, 403, 429, 503] as const) {
    const lab = await openWeb(t, status);
    assert.equal(await statusOf(clientOf(lab)), status);
    await until('its end', () => lab.admission.counts.connections === 0);
    assert.deepEqual(lab.codes(), [], 'main has reported it');
  }
});

test('a message at the limit is taken, one byte more is not', async (t) => {
  const lab = await openWeb(t);
  const { client } = await openPair(lab);
  client.send(Buffer.alloc(WEB_SOCKET_MESSAGE_BYTES_MAX));
  await until('it', () => lab.received.length === 1);
  assert.equal(lab.received[0]?.length, WEB_SOCKET_MESSAGE_BYTES_MAX);
  client.send(Buffer.alloc(WEB_SOCKET_MESSAGE_BYTES_MAX + 1));
  const [code] = (await once(client, 'close')) as [number];
  assert.equal(code, 1_009);
  assert.equal(lab.reports[0]?.refusal.detail, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
});

test('a paused stream does not read, and goes on where it was', async (t) => {
  const lab = await openWeb(t);
  const { client, stream } = await openPair(lab);
  stream.pause();
  assert.equal(stream.isPaused(), true);
  const count = 40;
  const chunk = Buffer.alloc(WEB_SOCKET_MESSAGE_BYTES_MAX, 1);
  for (let i = 0; i < count; i += 1) client.send(chunk);
  for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
  assert.ok(lab.received.length < count / 2, `${lab.received.length} came`);
  stream.resume();
  await until('the rest', () => lab.received.length === count);
});

test('what a peer does not read is counted, and drain tells when it has', async (t) => {
  const lab = await openWeb(t);
  const { client, stream } = await openPair(lab);
  client.pause();
  let isTaken = true;
  for (let i = 0; i < 500 && isTaken; i += 1) {
    isTaken = stream.write(Buffer.alloc(WEB_SOCKET_MESSAGE_BYTES_MAX));
    for (let turn = 0; turn < 20 && stream.writableLength > 0; turn += 1) {
      await new Promise(setImmediate);
    }
    isTaken ||= stream.writableLength === 0;
  }
  assert.ok(stream.writableLength >= WEB_SOCKET_MESSAGE_BYTES_MAX);
  let isDrained = false;
  stream.on('drain', () => (isDrained = true));
  client.resume();
  await until('it to drain', () => isDrained);
  assert.equal(stream.writableLength, 0);
});

test('end closes after what was written, destroy at once', async (t) => {
  const lab = await openWeb(t);
  const { client, stream } = await openPair(lab);
  const messages: string[] = [];
  client.on('message', (data: Buffer) => messages.push(data.toString()));
  stream.write(Buffer.from('last'));
  stream.end();
  const [code] = (await once(client, 'close')) as [number];
  assert.deepEqual([code, messages], [1_000, ['last']]);
  const second = clientOf(lab);
  await once(second, 'open');
  await until('the stream', () => lab.streams.length === 2);
  lab.streams[1]?.destroy();
  const [broken] = (await once(second, 'close')) as [number];
  assert.equal(broken, 1_006);
  await until('both ends', () => lab.closedCount === 2);
});

test('a peer that breaks the rules of WebSockets is closed and reported', async (t) => {
  const lab = await openWeb(t);
  const { client } = await openPair(lab);
  const tls: unknown = Reflect.get(client, '_socket');
  // A frame of a client that is not masked. RFC 6455, section 5.1
  (tls as TLSSocket).write(Buffer.from('820161', 'hex'));
  await once(client, 'close');
  assert.deepEqual(lab.reports[0]?.refusal.detail, 'WS_ERR_EXPECTED_MASK');
});

test('without a handler for WebSockets an upgrade is no more than a request', async (t) => {
  const wire = openLab();
  const listener = await openHttps({ ...wire.options, asksCertificate: false }, () => {
    return new Response('page', { status: 418 });
  });
  t.after(() => listener.close());
  const client = new WebSocket(`wss://127.0.0.1:${listener.port}/mqtt`, 'mqtt', {
    ...wire.anchor,
  });
  client.on('error', () => {});
  assert.equal(await statusOf(client), 418);
});

test('a TLS socket is a stream as it is (MQTT 5 [MQTT-4.2.0-1], MQTT 3.1.1 [MQTT-7.1.1-1])', async (t) => {
  const lab = openLab();
  const { port, sockets } = await openBroker(t, lab);
  const client = await tlsTo({ ...lab.device('pump-1'), port });
  await until('it', () => sockets.length === 1);
  const stream: PeerSocket | undefined = sockets[0];
  const chunks: Buffer[] = [];
  stream?.on('data', (chunk) => chunks.push(chunk));
  client?.write('ab');
  await until('it', () => chunks.length === 1);
  stream?.pause();
  assert.equal(stream?.isPaused(), true);
});
