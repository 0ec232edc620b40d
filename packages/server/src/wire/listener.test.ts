/** The listeners over real sockets: who gets a handshake, when, and what is recorded. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { type WireLab, closed, openBroker, openLab, tcpTo, tlsTo, until } from './lab.testing.ts';
import {
  FIRST_BYTES_MAX,
  HANDSHAKES_PER_NETWORK_MAX,
  HANDSHAKE_FAILURES_MAX,
  HANDSHAKE_TIMEOUT_MS,
  HANDSHAKE_WAIT_MS,
  HOLD_OFF_MS,
} from './limits.ts';
import { MemoryBudget } from './memory-budget.ts';

/** The first bytes of a ClientHello that never goes on. */
const BEGUN_HELLO = Buffer.from('160301020001', 'hex');

async function openSilent(port: number, count: number): Promise<ReturnType<typeof tcpTo>[]> {
  const sockets = Array.from({ length: count }, () => tcpTo(port));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

test('a device gets its handshake, and what it sends with it arrives', async (t) => {
  const lab = openLab();
  const { port, sockets } = await openBroker(t, lab);
  const client = await tlsTo({ ...lab.device('pump-1'), port });
  client?.write('hello');
  await until('the connection', () => sockets.length === 1);
  const [server] = sockets;
  const [chunk] = server === undefined ? [] : ((await once(server, 'data')) as [Buffer]);
  assert.equal(chunk?.toString(), 'hello');
  assert.equal(server?.authorized, true);
  assert.deepEqual(lab.admission.counts, {
    connections: 1,
    silent: 0,
    waiting: 0,
    handshakes: 0,
    turnedAway: 0,
  });
  client?.destroy();
  await until('its end', () => lab.admission.counts.connections === 0);
  assert.deepEqual(lab.codes(), []);
});

test('TLS 1.3 is spoken and nothing older, so there is no renegotiation', async (t) => {
  const lab = openLab();
  const { port } = await openBroker(t, lab);
  const device = { ...lab.device('pump-1'), port };
  const client = await tlsTo(device);
  assert.equal(client?.getProtocol(), 'TLSv1.3');
  const older = await tlsTo({ ...device, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
  assert.equal(older, undefined);
  await until('the refusal', () => lab.codes().includes('E_WIRE_HANDSHAKE'));
});

test('a ticket is good at every address of the listener', async (t) => {
  const lab = openLab();
  const { port, sockets } = await openBroker(t, lab);
  const device = { ...lab.device('pump-1'), port };
  const first = await tlsTo(device);
  const [session] = first === undefined ? [] : ((await once(first, 'session')) as [Buffer]);
  assert.equal(first?.isSessionReused(), false);
  for (const host of ['127.0.0.1', '::1']) {
    const again = await tlsTo({ ...device, host, ...(session && { session }) });
    assert.equal(again?.isSessionReused(), true, host);
  }
  await until('all of them', () => sockets.length === 3);
  const names = sockets.map((socket) => socket.getPeerX509Certificate()?.subjectAltName);
  assert.deepEqual(new Set(names).size, 1, 'a resumed session still knows its certificate');
  assert.match(names[0] ?? '', /pump-1/);
});

test('a free port is one that is free at every address', async (t) => {
  const lab = openLab();
  const { mock } = t.mock.method(Server.prototype, 'listen');
  const findTaken = function (this: Server): Server {
    const taken = Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
    setImmediate(() => this.emit('error', taken));
    return this;
  };
  mock.mockImplementationOnce(findTaken, 1);
  const { port } = await openBroker(t, lab);
  const isListening = mock.calls.map((call) => (call.this as Server).listening);
  assert.deepEqual(
    isListening,
    [false, false, true, true],
    'what it had of the other is free again',
  );
  assert.ok(await tlsTo({ ...lab.device('pump-1'), port }));
});

test('silent connections cost no handshake, are closed in time, and are on record', async (t) => {
  const lab = openLab();
  const { port } = await openBroker(t, lab);
  const sockets = await openSilent(port, 5);
  await until('them to arrive', () => lab.admission.counts.silent === 5);
  assert.equal(lab.admission.counts.handshakes, 0);
  lab.clock.advance(HANDSHAKE_TIMEOUT_MS - 1);
  assert.equal(lab.admission.counts.silent, 5);
  lab.clock.advance(1_000);
  await Promise.all(sockets.map(closed));
  assert.deepEqual(
    lab.codes(),
    Array.from({ length: 5 }, () => 'E_WIRE_TIMEOUT'),
  );
  assert.equal(lab.admission.counts.connections, 0);
});

test('when all places are taken, the oldest silent connection gives way', async (t) => {
  const lab = openLab({ limits: { total: 3, perNetwork: 3 } });
  const { port } = await openBroker(t, lab);
  const [oldest] = await openSilent(port, 3);
  await until('them to arrive', () => lab.admission.counts.silent === 3);
  const device = lab.device('pump-1');
  const devices = [await tlsTo({ ...device, port })];
  assert.ok(devices[0]);
  assert.ok(oldest !== undefined);
  await closed(oldest);
  assert.deepEqual(lab.codes(), ['E_WIRE_TIMEOUT']);
  devices.push(await tlsTo({ ...device, port }), await tlsTo({ ...device, port }));
  assert.ok(devices.every(Boolean));
  assert.equal(await tlsTo({ ...device, port }), undefined, 'nobody is silent any more');
  assert.deepEqual(lab.codes().at(-1), 'E_WIRE_CONNECTIONS');
});

test('what is no TLS is closed at once, and a ClientHello has an end', async (t) => {
  const lab = openLab();
  const { port } = await openBroker(t, lab);
  const plain = tcpTo(port);
  plain.write('GET / HTTP/1.1\r\n\r\n');
  await closed(plain);
  assert.deepEqual(lab.codes(), ['E_WIRE_HANDSHAKE']);
  // The turn of this one does not come as long as all places of its network are taken.
  const stalled = await openStalled(lab, port);
  const long = tcpTo(port);
  long.write(Buffer.concat([BEGUN_HELLO, Buffer.alloc(FIRST_BYTES_MAX - BEGUN_HELLO.length)]));
  await until('it to wait', () => lab.admission.counts.waiting === 1);
  long.write(Buffer.alloc(1));
  await closed(long);
  assert.deepEqual(lab.codes().at(-1), 'E_WIRE_HANDSHAKE');
  for (const socket of stalled) socket.destroy();
});

async function openStalled(lab: WireLab, port: number): Promise<ReturnType<typeof tcpTo>[]> {
  const sockets = await openSilent(port, HANDSHAKES_PER_NETWORK_MAX);
  for (const socket of sockets) socket.write(BEGUN_HELLO);
  await until('them to stall', () => {
    return lab.admission.counts.handshakes === HANDSHAKES_PER_NETWORK_MAX;
  });
  return sockets;
}

test('stalled handshakes give way to those who wait, who had not to connect again', async (t) => {
  const lab = openLab();
  const { port, sockets } = await openBroker(t, lab);
  const stalled = await openStalled(lab, port);
  const waiting = [lab.device('pump-1'), lab.device('pump-2')].map((device) =>
    tlsTo({ ...device, port }),
  );
  await until('them to wait', () => lab.admission.counts.waiting === 2);
  lab.clock.advance(3_000);
  assert.ok((await Promise.all(waiting)).every(Boolean));
  await until('the connections', () => sockets.length === 2);
  for (const socket of stalled) socket.destroy();
});

test('who waits in vain is told apart from who fails; who has gone costs nothing', async (t) => {
  const lab = openLab();
  const { port } = await openBroker(t, lab);
  const stalled = await openStalled(lab, port);
  const [gone, patient] = await openSilent(port, 2);
  assert.ok(gone !== undefined && patient !== undefined);
  for (const socket of [gone, patient]) socket.write(BEGUN_HELLO);
  await until('them to wait', () => lab.admission.counts.waiting === 2);
  gone.destroy();
  await until('one to go', () => lab.admission.counts.waiting === 1);
  lab.clock.advance(HANDSHAKE_WAIT_MS);
  await closed(patient);
  assert.deepEqual(
    lab.codes().filter((code) => code === 'E_WIRE_BUSY'),
    ['E_WIRE_BUSY'],
  );
  for (const socket of stalled) socket.destroy();
});

test('a network whose handshakes keep failing is held off, and reported', async (t) => {
  const lab = openLab();
  const { port } = await openBroker(t, lab);
  const fail = async (): Promise<void> => {
    const socket = tcpTo(port);
    socket.write('nonsense');
    await closed(socket);
  };
  for (let i = 1; i < HANDSHAKE_FAILURES_MAX; i += 1) await fail();
  assert.ok(!lab.codes().includes('E_WIRE_HELD_OFF'));
  await fail();
  assert.equal(lab.codes().at(-1), 'E_WIRE_HELD_OFF');
  const before = lab.reports.length;
  const device = { ...lab.device('pump-1'), port };
  assert.equal(await tlsTo(device), undefined);
  await closed(tcpTo(port));
  assert.equal(lab.reports.length, before, 'they are summed up');
  assert.equal(lab.admission.counts.turnedAway, 2);
  lab.clock.advance(HOLD_OFF_MS);
  assert.equal(lab.reports.length, before + 1);
  assert.match(lab.reports.at(-1)?.refusal.detail ?? '', /^broker: 2 connections turned away/);
  assert.ok(await tlsTo(device));
});

test('silence that ends early is a flood too', async (t) => {
  const lab = openLab();
  const { port } = await openBroker(t, lab);
  for (let i = 0; i < HANDSHAKE_FAILURES_MAX; i += 1) {
    const [socket] = await openSilent(port, 1);
    socket?.destroy();
  }
  await until('it to be recorded', () => lab.codes().includes('E_WIRE_HELD_OFF'));
  assert.deepEqual(lab.codes(), ['E_WIRE_HELD_OFF']);
});

test('refused certificates hold off, but not a site where others are connected', async (t) => {
  const lab = openLab();
  const isDevice = (socket: TLSSocket): boolean => socket.authorized;
  const { port, sockets } = await openBroker(t, lab, isDevice);
  const device = { ...lab.device('pump-1'), port };
  const others = 3;
  for (let i = 0; i < others; i += 1) await tlsTo(device);
  await until('them to be in', () => sockets.length === others);
  const fail = async (): Promise<void> => {
    const socket = await tlsTo({ ...lab.anchor, port });
    if (socket !== undefined) await closed(socket.resume());
  };
  for (let i = 1; i < HANDSHAKE_FAILURES_MAX + others; i += 1) await fail();
  assert.deepEqual(lab.codes(), []);
  await fail();
  assert.deepEqual(lab.codes(), ['E_WIRE_HELD_OFF']);
  assert.ok(sockets.every((socket) => !socket.destroyed));
});

test('short of memory, new connections are refused and the others stay', async (t) => {
  const use = { usedBytes: 0, budgetBytes: 1, heapUsedBytes: 0, heapBudgetBytes: 1 };
  const time = { ms: 0 };
  const memory = new MemoryBudget(
    { nowMs: () => 0, monotonicMs: () => time.ms, after: () => () => {} },
    () => use,
  );
  const lab = openLab({ memory });
  const { port, sockets } = await openBroker(t, lab);
  const device = { ...lab.device('pump-1'), port };
  const first = await tlsTo(device);
  await until('it', () => sockets.length === 1);
  use.usedBytes = 2;
  time.ms = 1_000;
  assert.equal(await tlsTo(device), undefined);
  assert.deepEqual(lab.codes(), ['E_WIRE_MEMORY']);
  assert.equal(first?.destroyed, false);
});

test('closing ends those who wait, too', async (t: TestContext) => {
  const lab = openLab();
  const { port } = await openBroker(t, lab);
  const sockets = await openSilent(port, 3);
  await until('them to arrive', () => lab.admission.counts.silent === 3);
  t.after(() => Promise.all(sockets.map(closed)));
});
