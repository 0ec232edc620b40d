import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { type TLSSocket, connect } from 'node:tls';
import type { RefusalReport } from '../kernel/index.ts';
import { refuseBadRequests } from './bad-request.ts';
import { type WireLab, openLab, until } from './lab.testing.ts';

/** Sends bytes to a server that has time, unless they are late; gives all that it answers. */
async function ask(
  t: TestContext,
  lab: WireLab,
  { bytes, isLate = false }: { bytes: string; isLate?: boolean },
): Promise<string> {
  const { certificateChain: cert, privateKey } = lab.options.identity;
  const options = { cert, key: privateKey.expose(), connectionsCheckingInterval: 10 };
  const server = createServer(options, (_, response) => response.end());
  refuseBadRequests(server, (report: RefusalReport) => lab.reports.push(report));
  // Its patience ends when all is there: before, a pause of the machine would be the end of it.
  const loseTime = async (socket: TLSSocket): Promise<void> => {
    await until('the bytes', () => socket.bytesRead >= bytes.length);
    Object.assign(server, { headersTimeout: 1, requestTimeout: 1 });
  };
  if (isLate) server.on('secureConnection', (socket) => void loseTime(socket));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ ...lab.anchor, port });
  socket.setEncoding('utf8').write(bytes);
  let answer = '';
  for await (const part of socket) answer += part;
  return answer;
}

test('who is refused and runs out of time in the same moment is reported once', () => {
  const lab = openLab();
  const server = createServer();
  refuseBadRequests(server, (report: RefusalReport) => lab.reports.push(report));
  const socket = new PassThrough();
  const fail = (code: string) =>
    server.emit('clientError', Object.assign(new Error(code), { code }), socket);
  fail('HPE_INVALID_METHOD');
  fail('ERR_HTTP_REQUEST_TIMEOUT');
  assert.ok(socket.destroyed);
  assert.deepEqual(
    lab.reports.map(({ refusal }) => refusal.detail),
    ['HPE_INVALID_METHOD'],
  );
});

test('bytes that are no request are answered and reported, also when they come too slowly', async (t) => {
  const lab = openLab();
  assert.match(await ask(t, lab, { bytes: 'EHLO there\r\n\r\n' }), /^HTTP\/1.1 400 /);
  assert.match(await ask(t, lab, { bytes: 'GET / HT', isLate: true }), /^HTTP\/1.1 400 /);
  assert.deepEqual(lab.codes(), ['E_WIRE_REQUEST', 'E_WIRE_REQUEST']);
});

test('a connection on which nothing is asked ends without a word: browsers keep such ones', async (t) => {
  const lab = openLab();
  assert.equal(await ask(t, lab, { bytes: '', isLate: true }), '');
  assert.deepEqual(lab.codes(), []);
});
