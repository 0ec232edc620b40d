/** Connections by way of a proxy, over real sockets: whose address counts, and for what. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Socket, connect as connectTcp } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { WebSocket } from 'ws';
import { type WireLab, closed, openBroker, openLab, tlsTo, until } from './lab.testing.ts';
import { HANDSHAKE_FAILURES_MAX, HANDSHAKE_TIMEOUT_MS } from './limits.ts';
import { openHttps } from './listener.ts';
import { peerAddress } from './peer-socket.ts';
import { Proxies } from './proxies.ts';
import { proxyHeader } from './proxy-header.testing.ts';

const PROXY = '127.0.0.9';
const [ONE, OTHER] = ['198.51.100.1', '198.51.100.2'] as const;

function openProxiedLab(deps: Parameters<typeof openLab>[0] = {}): WireLab {
  return openLab({ proxies: new Proxies([PROXY]), ...deps });
}

/** What a proxy opens, or somebody else, and says first. */
function tcpFrom(localAddress: string, port: number, first?: Buffer): Socket {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  if (first !== undefined) socket.write(first);
  return socket;
}

function tcpFor(client: string | undefined, port: number): Socket {
  return tcpFrom(PROXY, port, proxyHeader(client === undefined ? {} : { client }));
}

function tlsFor(client: string | undefined, lab: WireLab, port: number) {
  return tlsTo({ ...lab.device('pump-1'), socket: tcpFor(client, port) });
}

function last({ reports }: WireLab): [string | undefined, string | undefined] {
  const report = reports.at(-1);
  return [report?.refusal.code, report?.address];
}

test('the address is that of the client, and the listener lets it in as such', async (t) => {
  const lab = openProxiedLab();
  const { port, sockets } = await openBroker(t, lab);
  const seen: string[] = [];
  for (const client of [ONE, OTHER, '2001:db8:0:0:0:0:0:1', undefined]) {
    const socket = await tlsFor(client, lab, port);
    await until('the connection', () => sockets.length === seen.length + 1);
    const server = sockets.at(-1) ?? assert.fail('no connection');
    socket?.write('hello');
    const [chunk] = (await once(server, 'data')) as [Buffer];
    assert.equal(chunk.toString(), 'hello');
    seen.push(peerAddress(server));
  }
  assert.deepEqual(seen, [ONE, OTHER, '2001:db8::1', PROXY]);
  assert.ok(await tlsTo({ ...lab.device('pump-1'), port }), 'who comes directly needs no header');
  await until('it', () => sockets.length === 5);
  assert.equal(peerAddress(sockets[4] ?? assert.fail()), '127.0.0.1');
  assert.deepEqual(lab.codes(), []);
  assert.equal(lab.admission.counts.connections, 5);
  for (const socket of sockets) socket.destroy();
  await until('their end', () => lab.admission.counts.connections === 0);
});

test('who judges a peer is told the address of the client', async (t) => {
  const lab = openProxiedLab();
  const judged: string[] = [];
  const { port } = await openBroker(t, lab, (socket) => {
    judged.push(peerAddress(socket));
    return false;
  });
  const socket = await tlsFor(ONE, lab, port);
  if (socket !== undefined) await closed(socket.resume());
  assert.deepEqual(judged, [ONE]);
});

async function openWeb(t: TestContext, lab: WireLab) {
  const addresses: string[] = [];
  const listener = await openHttps(
    {
      ...lab.options,
      name: 'API',
      asksCertificate: true,
      onWebSocket: ({ address }) => {
        addresses.push(address);
        return (stream) => void addresses.push(peerAddress(stream));
      },
    },
    (_, { incoming }) => new Response(peerAddress(incoming.socket)),
  );
  t.after(() => listener.close());
  return { port: listener.port, addresses };
}

test('HTTPS and WebSockets know the client, and what they report is under its address', async (t) => {
  const lab = openProxiedLab();
  const { port, addresses } = await openWeb(t, lab);
  const connected = async (client: string): Promise<TLSSocket> =>
    (await tlsTo({ ...lab.anchor, socket: tcpFor(client, port) })) ?? assert.fail('no TLS');
  const socket = await connected(ONE);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  assert.ok(text.endsWith(`\r\n\r\n${ONE}`), text);

  const tls = await connected(OTHER);
  const client = new WebSocket(`wss://127.0.0.1:${port}/mqtt`, 'mqtt', {
    createConnection: () => tls,
  });
  client.on('error', () => {});
  await once(client, 'open');
  await until('the stream', () => addresses.length === 2);
  assert.deepEqual(addresses, [OTHER, OTHER]);
  client.send('text');
  await until('the refusal', () => lab.reports.length === 1);
  assert.deepEqual(last(lab), ['E_WIRE_WEB_SOCKET', OTHER]);

  const rude = await connected(ONE);
  rude.write('EHLO there\r\n\r\n');
  await closed(rude.resume());
  assert.deepEqual(last(lab), ['E_WIRE_REQUEST', ONE]);
});

test('a handshake that fails is reported under the address of the client', async (t) => {
  const lab = openProxiedLab();
  const { port } = await openBroker(t, lab);
  const older = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const device = lab.device('pump-1');
  assert.equal(await tlsTo({ ...device, ...older, socket: tcpFor(ONE, port) }), undefined);
  await until('the refusal', () => lab.reports.length === 1);
  assert.deepEqual(last(lab), ['E_WIRE_HANDSHAKE', ONE]);
});

test('without a header nobody comes in from the address of a proxy, and it is not held off', async (t) => {
  const lab = openProxiedLab();
  const { port } = await openBroker(t, lab);
  const device = lab.device('pump-1');
  assert.equal(await tlsTo({ ...device, socket: tcpFrom(PROXY, port) }), undefined);
  assert.deepEqual(last(lab), ['E_WIRE_PROXY', PROXY]);
  assert.equal(lab.reports[0]?.refusal.detail, 'TLS begins without it');
  for (let i = 1; i <= HANDSHAKE_FAILURES_MAX; i += 1) {
    await closed(tcpFrom(PROXY, port, Buffer.from('nonsense')).resume());
  }
  assert.deepEqual(new Set(lab.codes()), new Set(['E_WIRE_PROXY']));
  assert.equal(lab.reports.length, HANDSHAKE_FAILURES_MAX + 1);
  assert.ok(await tlsFor(ONE, lab, port));
});

test('a header that somebody else sends is no TLS', async (t) => {
  const lab = openProxiedLab();
  const { port } = await openBroker(t, lab);
  const forged = tcpFrom('127.0.0.8', port, proxyHeader({ client: ONE }));
  assert.equal(await tlsTo({ ...lab.device('pump-1'), socket: forged }), undefined);
  assert.deepEqual(last(lab), ['E_WIRE_HANDSHAKE', '127.0.0.8']);
  assert.match(lab.reports[0]?.refusal.detail ?? '', /not named by --proxy-from/u);
});

test('a header has the time of a handshake, and what follows it the rest of that', async (t) => {
  const lab = openProxiedLab();
  const { port } = await openBroker(t, lab);
  const header = proxyHeader({ client: ONE });
  const sockets = [
    tcpFrom(PROXY, port),
    tcpFrom(PROXY, port, header.subarray(0, -1)),
    tcpFrom(PROXY, port, header),
  ];
  await until('them to arrive', () => lab.admission.counts.silent === 3);
  // What was written before is there when this is: one proxy, one loopback interface.
  await tlsFor(OTHER, lab, port);
  lab.clock.advance(HANDSHAKE_TIMEOUT_MS - 1);
  assert.equal(lab.admission.counts.silent, 3);
  lab.clock.advance(1_000);
  await Promise.all(sockets.map((socket) => closed(socket.resume())));
  const reports = lab.reports.map(({ refusal, address }) => `${refusal.code} ${address}`);
  assert.deepEqual(reports.sort(), [
    `E_WIRE_PROXY ${PROXY}`,
    `E_WIRE_PROXY ${PROXY}`,
    `E_WIRE_TIMEOUT ${ONE}`,
  ]);
});

test('a header that ends too early is a refusal; a connection that only looks is none', async (t) => {
  const lab = openProxiedLab();
  const { port } = await openBroker(t, lab);
  const header = proxyHeader({ client: ONE });
  tcpFrom(PROXY, port).end();
  await until('nothing', () => lab.admission.counts.connections === 0);
  for (let end = 1; end < header.length; end += 1) {
    const socket = tcpFrom(PROXY, port, header.subarray(0, end));
    await closed(socket.resume().end());
    await until(`the refusal of ${end} bytes`, () => lab.reports.length === end);
    assert.deepEqual(last(lab), ['E_WIRE_PROXY', PROXY]);
    assert.equal(lab.reports.at(-1)?.refusal.detail, 'it ends within its header');
  }
  await until('their end', () => lab.admission.counts.connections === 0);
});

test('a check of the proxy ends cheaply, however often', async (t) => {
  const lab = openProxiedLab();
  const { port, sockets } = await openBroker(t, lab);
  for (let i = 0; i <= HANDSHAKE_FAILURES_MAX; i += 1) {
    await closed(tcpFor(undefined, port).resume().end());
  }
  await until('their end', () => lab.admission.counts.connections === 0);
  assert.deepEqual(lab.codes(), []);
  assert.ok(await tlsFor(undefined, lab, port));
  await until('it', () => sockets.length === 1);
});

test('one client of a proxy is held off, and the others are not', async (t) => {
  const lab = openProxiedLab();
  const { port } = await openBroker(t, lab);
  const fail = async (): Promise<void> => {
    const socket = tcpFor(ONE, port).resume();
    socket.write('nonsense');
    await closed(socket);
  };
  for (let i = 1; i < HANDSHAKE_FAILURES_MAX; i += 1) await fail();
  assert.ok(!lab.codes().includes('E_WIRE_HELD_OFF'));
  await fail();
  assert.deepEqual(last(lab), ['E_WIRE_HELD_OFF', ONE]);
  const before = lab.reports.length;
  assert.equal(await tlsFor(ONE, lab, port), undefined);
  assert.equal(lab.admission.counts.turnedAway, 1);
  assert.ok(await tlsFor(OTHER, lab, port));
  assert.ok(await tlsFor(undefined, lab, port));
  assert.equal(lab.reports.length, before, 'they are summed up');
  assert.equal(lab.admission.counts.connections, 2);
});

test('a proxy is not held off, even where its own network is', async (t) => {
  const lab = openProxiedLab();
  const { port } = await openBroker(t, lab);
  for (let i = 0; i < HANDSHAKE_FAILURES_MAX; i += 1) {
    const socket = tcpFor(PROXY, port).resume();
    socket.write('nonsense');
    await closed(socket);
  }
  assert.deepEqual(last(lab), ['E_WIRE_HELD_OFF', PROXY]);
  assert.equal(await tlsFor(PROXY, lab, port), undefined);
  assert.ok(await tlsFor(ONE, lab, port));
  assert.ok(await tlsFor(undefined, lab, port));
});

test('connections are counted by client, and what is refused leaves no trace', async (t) => {
  const lab = openProxiedLab({ limits: { total: 4, perNetwork: 2 } });
  const { port } = await openBroker(t, lab);
  const [first, second] = [await tlsFor(ONE, lab, port), await tlsFor(ONE, lab, port)];
  assert.ok(first && second);
  assert.equal(await tlsFor(ONE, lab, port), undefined);
  assert.deepEqual(last(lab), ['E_WIRE_CONNECTIONS', ONE]);
  assert.ok(await tlsFor(OTHER, lab, port));
  assert.equal(lab.admission.counts.connections, 3);
  first.destroy();
  await until('its place', () => lab.admission.counts.connections === 2);
  assert.ok(await tlsFor(ONE, lab, port));
  assert.deepEqual(lab.codes(), ['E_WIRE_CONNECTIONS']);
});
