/** Files over a real connection: mutual TLS, pinned, kept, cut, stopped. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Server, createServer } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testFolder, writeTestBundle } from '../../test-support/test-bundle.ts';
import { issue, testPki } from '../../test-support/test-pki.ts';
import { systemClock } from '../clock.ts';
import { boundedGet } from './bounded-get.ts';
import { PinnedFetch } from './pinned-fetch.ts';

const PKI = testPki();
const TWIN = issue({ name: 'twin', issuer: PKI.issuer, hosts: ['localhost'], purpose: 'server' });

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(t: TestContext, handler: Handler, server = PKI.server) {
  const listener: Server = createServer(
    {
      key: server.keyPem,
      cert: server.pem + PKI.issuer.pem,
      ca: PKI.root.pem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
    },
    handler,
  );
  let connections = 0;
  listener.on('secureConnection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => {
    listener.listen(0, 'localhost', resolve);
  });
  t.after(() => {
    listener.closeAllConnections();
    listener.close();
  });
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const bundle = writeTestBundle(join(testFolder(t), 'bundle'), { pki: PKI, port });
  const peer = { host: 'localhost', port };
  const fetch = new PinnedFetch(() => ({ ...bundle, peer, identity: bundle }));
  t.after(() => fetch.close());
  return { fetch, connections: () => connections };
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(body)).toString();
}

test('asks with Range and ETag, and one connection is enough', async (t) => {
  const { fetch, connections } = await serve(t, ({ headers, url }, response) => {
    response.writeHead(206, { etag: '"abc"', 'content-range': 'bytes 3-5/6' });
    const shown = [url, headers.range, headers['if-range'], headers['if-none-match']];
    response.end(JSON.stringify(shown));
  });
  const asked = { path: '/x', from: 3, ifRange: '"abc"', ifNoneMatch: '"d"' };
  for (let round = 0; round < 3; round += 1) {
    const { body, dateMs, ...answer } = await fetch.get(asked);
    assert.deepEqual(answer, { status: 206, etag: '"abc"', contentRange: 'bytes 3-5/6' });
    assert.equal(await text(body), '["/x","bytes=3-","\\"abc\\"","\\"d\\""]');
    assert.ok(Math.abs((dateMs ?? 0) - Date.now()) < 60_000);
  }
  assert.equal(connections(), 1);
});

test('a redirect is an answer like any other', async (t) => {
  let asked = 0;
  const { fetch } = await serve(t, (_request, response) => {
    asked += 1;
    response.writeHead(302, { location: '/elsewhere' });
    response.end();
  });
  assert.equal((await fetch.get({ path: '/x' })).status, 302);
  assert.equal(asked, 1);
});

test('a server that is not pinned sees no request', async (t) => {
  let asked = 0;
  const { fetch } = await serve(t, () => (asked += 1), TWIN);
  await assert.rejects(fetch.get({ path: '/x' }), { code: 'E_DEVICE_PIN' });
  assert.equal(asked, 0);
});

test('a cut in the middle of a body is a named error, and the next request works', async (t) => {
  let isFirst = true;
  const { fetch } = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 10 });
    if (isFirst) response.write('12345', () => response.destroy());
    else response.end('1234567890');
    isFirst = false;
  });
  const { body } = await fetch.get({ path: '/x' });
  await assert.rejects(text(body), { code: 'E_DEVICE_CONNECTION' });
  assert.equal(await text((await fetch.get({ path: '/x' })).body), '1234567890');
});

test('a kept connection that the server ended meanwhile costs nothing', async (t) => {
  const seen = new WeakSet();
  const { fetch, connections } = await serve(t, ({ socket }, response) => {
    if (seen.has(socket)) socket.destroy();
    else response.end('here');
    seen.add(socket);
  });
  for (const expected of [1, 2, 3]) {
    assert.equal(await text((await fetch.get({ path: '/x' })).body), 'here');
    assert.equal(connections(), expected);
  }
});

test('nobody there', async (t) => {
  const bundle = writeTestBundle(join(testFolder(t), 'bundle'), { pki: PKI, port: 1 });
  const fetch = new PinnedFetch(() => ({
    ...bundle,
    peer: { host: 'localhost', port: 1 },
    identity: bundle,
  }));
  await assert.rejects(fetch.get({ path: '/x' }), { code: 'E_DEVICE_UNREACHABLE' });
});

test('an abort ends the request before and after the answer, with its reason', async (t) => {
  const { fetch } = await serve(t, ({ url }, response) => {
    if (url === '/body') response.write('12345');
  });
  const before = new AbortController();
  const waiting = fetch.get({ path: '/silent', signal: before.signal });
  before.abort(new Error('too late'));
  await assert.rejects(waiting, { message: 'too late' });
  const after = new AbortController();
  const { body } = await fetch.get({ path: '/body', signal: after.signal });
  const reading = text(body);
  after.abort(new Error('too slow'));
  await assert.rejects(reading, { message: 'too slow' });
});

test('a body that is too long ends the connection, not the process', async (t) => {
  const { fetch } = await serve(t, (_request, response) => {
    response.write(Buffer.alloc(100_000));
    response.on('error', () => undefined);
  });
  const deps = { fetch, clock: systemClock };
  const { body } = await boundedGet(deps, { path: '/x' }, 50_000);
  await assert.rejects(text(body), { code: 'E_DEVICE_UPDATE_TOO_LARGE' });
});
