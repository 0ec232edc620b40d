import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type TLSSocket, connect } from 'node:tls';
import type { RefusalReport } from '../kernel/index.ts';
import { refuseBadRequests } from './bad-request.ts';
import { type WireLab, openLab } from './lab.testing.ts';

const IMPATIENT = { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 };

/** Connects to a server that soon ends a connection without a request; gives all that it answers. */
async function ask(t: TestContext, lab: WireLab, bytes: string): Promise<string> {
  const { certificateChain: cert, privateKey } = lab.options.identity;
  const key = privateKey.expose();
  const server = createServer({ cert, key, ...IMPATIENT }, (_, response) => response.end());
  refuseBadRequests(server, (report: RefusalReport) => lab.reports.push(report));
  t.after(() => server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ ...lab.anchor, port });
  socket.setEncoding('utf8').write(bytes);
  let answer = '';
  for await (const part of socket) answer += part;
  return answer;
}

test('bytes that are no request are answered and reported, also when they come too slowly', async (t) => {
  const lab = openLab();
  assert.match(await ask(t, lab, 'EHLO there\r\n\r\n'), /^HTTP\/1.1 400 /);
  assert.match(await ask(t, lab, 'GET / HT'), /^HTTP\/1.1 400 /);
  assert.deepEqual(lab.codes(), ['E_WIRE_REQUEST', 'E_WIRE_REQUEST']);
});

test('a connection on which nothing is asked ends without a word: browsers keep such ones', async (t) => {
  const lab = openLab();
  assert.equal(await ask(t, lab, ''), '');
  assert.deepEqual(lab.codes(), []);
});
