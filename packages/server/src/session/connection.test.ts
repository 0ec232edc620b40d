/** What a session does while the stages behind it are slow, or its peer is: over memory, not TLS. */
import assert from 'node:assert/strict';
import { type Duplex, duplexPair } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { Refusal, refuse } from '@holdfast/protocol';
import {
  FrameSplitter,
  type ServerPacket,
  decodeFromServer,
  encodeConnect,
  encodeDisconnect,
  encodePingreq,
  encodePublish,
  encodeSubscribe,
} from '@holdfast/protocol/mqtt';
import type { OpenHandler, OutboundMessage, Receiver, SessionHandler } from './handler.ts';
import { type TestClock, openLab } from './lab.testing.ts';
import {
  CLOSE_TIMEOUT_MS,
  OUTBOUND_BYTES_MAX,
  SWEEP_INTERVAL_MS,
  UNACKNOWLEDGED_COUNT_MAX,
} from './limits.ts';
import { SessionTable } from './session-table.ts';

const KEEP_ALIVE_S = 10;

interface Bench {
  readonly clock: TestClock;
  readonly table: SessionTable;
  /** The peer's end of the connection. */
  readonly peer: Duplex;
  /** The session's end. */
  readonly socket: Duplex;
  /** Codes of the refusals so far. */
  readonly refusals: string[];
  /** Publishes that the handler has, with their `done`. */
  readonly publishes: { readonly topic: string; readonly done: () => void }[];
  readonly retained: OutboundMessage[];
  isHandlerClosed: boolean;
  /** Everything that the session sent since the last call. */
  received(): Promise<ServerPacket[]>;
}

/** A session whose handler does what the test says. */
function openBench(t: TestContext, openHandler?: OpenHandler): Bench {
  const lab = openLab(t);
  const { registry, gate, clock } = lab;
  const [socket, peer] = duplexPair();
  const splitter = new FrameSplitter({ packetBytesMax: 1_000_000 });
  const handlerFor = (receiver: Receiver): SessionHandler => ({
    publish: ({ topic }, done) => bench.publishes.push({ topic, done }),
    subscribe: (filter) =>
      filter === 'forbidden' ? refuse('E_AUTHORIZE_SUBSCRIBE', 'forbidden') : 'granted',
    deliverRetained: (_filter, qos) => {
      for (const message of bench.retained) receiver.deliver({ ...message, qos });
    },
    unsubscribe: () => {},
    close: () => {
      bench.isHandlerClosed = true;
    },
  });
  const refusals: string[] = [];
  const table = new SessionTable({
    clock,
    registry,
    gate,
    openHandler: openHandler ?? ((_peer, receiver) => Promise.resolve(handlerFor(receiver))),
    report: ({ refusal }) => refusals.push(refusal.code),
  });
  t.after(() => table.close());
  const bench: Bench = {
    clock,
    table,
    peer,
    socket,
    refusals,
    publishes: [],
    retained: [],
    isHandlerClosed: false,
    async received() {
      for (let n = 0; n < 5; n += 1) await turn();
      const chunk: unknown = peer.read();
      if (chunk instanceof Uint8Array) splitter.push(chunk);
      const packets: ServerPacket[] = [];
      while (splitter.next() === true) {
        const { first, buf, start, end } = splitter;
        const packet = decodeFromServer(first, buf, start, end);
        if (packet instanceof Refusal) assert.fail(packet.detail);
        packets.push(packet);
      }
      return packets;
    },
  };
  // The session uses nothing of a TLS socket that another duplex stream does not have.
  table.add(lab.admit(lab.enroll('pump-1').certificate), socket as unknown as TLSSocket);
  peer.write(
    encodeConnect({
      clientId: 'pump-1',
      cleanSession: true,
      keepAliveS: KEEP_ALIVE_S,
      will: undefined,
      userName: undefined,
      password: undefined,
    }),
  );
  return bench;
}

const publish = (packetId: number): Uint8Array =>
  encodePublish(`t/${packetId}`, new Uint8Array(0), { qos: 1, packetId });

const typesOf = (packets: readonly ServerPacket[]): string[] => packets.map(({ type }) => type);

test('SUBACK comes before the retained messages, which are marked [MQTT-3.3.1-8]', async (t) => {
  const bench = openBench(t);
  bench.retained.push({ topic: 'a', payload: Buffer.from('1'), qos: 1, retain: true });
  bench.peer.write(
    encodeSubscribe(7, [
      { filter: 'a', qos: 1 },
      { filter: 'forbidden', qos: 1 },
      { filter: '+', qos: 0 },
    ]),
  );
  const [connack, suback, first, second, ...more] = await bench.received();
  assert.equal(connack?.type, 'connack');
  assert.deepEqual(suback, { type: 'suback', packetId: 7, returnCodes: [1, 0x80, 0] });
  assert.ok(first?.type === 'publish' && second?.type === 'publish');
  assert.deepEqual([first.retain, first.qos, second.retain, second.qos], [true, 1, true, 0]);
  assert.deepEqual(more, [], 'a refused filter gets nothing');
});

test('retained messages come again when a filter is subscribed again [MQTT-3.8.4-3]', async (t) => {
  const bench = openBench(t);
  bench.retained.push({ topic: 'a', payload: Buffer.from('1'), qos: 1, retain: true });
  for (let n = 0; n < 2; n += 1) {
    bench.peer.write(encodeSubscribe(1, [{ filter: 'a', qos: 0 }]));
    const types = typesOf(await bench.received()).filter((type) => type !== 'connack');
    assert.deepEqual(types, ['suback', 'publish']);
  }
});

test(`reading stops at ${UNACKNOWLEDGED_COUNT_MAX} unacknowledged messages, not before`, async (t) => {
  const bench = openBench(t);
  const ids = Array.from({ length: UNACKNOWLEDGED_COUNT_MAX - 1 }, (_, i) => i + 1);
  bench.peer.write(Buffer.concat([...ids.map(publish), encodePingreq()]));
  assert.deepEqual(typesOf(await bench.received()), ['connack', 'pingresp']);
  assert.equal(bench.publishes.length, UNACKNOWLEDGED_COUNT_MAX - 1);

  const last = UNACKNOWLEDGED_COUNT_MAX;
  bench.peer.write(Buffer.concat([publish(last), publish(last + 1), encodePingreq()]));
  assert.deepEqual(await bench.received(), []);
  assert.equal(bench.publishes.length, UNACKNOWLEDGED_COUNT_MAX);

  bench.publishes[0]?.done();
  assert.deepEqual(await bench.received(), [{ type: 'puback', packetId: 1 }]);
  assert.equal(bench.publishes.length, UNACKNOWLEDGED_COUNT_MAX + 1);
  bench.publishes[1]?.done();
  assert.deepEqual(typesOf(await bench.received()), ['puback', 'pingresp']);
});

test('reading stops while the journal is behind', async (t) => {
  const bench = openBench(t);
  await bench.received();
  bench.table.setPressed(true);
  bench.peer.write(publish(1));
  await bench.received();
  assert.equal(bench.publishes.length, 0);
  bench.table.setPressed(false);
  await bench.received();
  assert.equal(bench.publishes.length, 1);
});

test('a peer that waits for us is not taken for silent', async (t) => {
  const bench = openBench(t);
  await bench.received();
  bench.table.setPressed(true);
  for (let second = 0; second < 10 * KEEP_ALIVE_S; second += 1) {
    bench.clock.advance(SWEEP_INTERVAL_MS);
  }
  assert.deepEqual(bench.refusals, []);
  bench.table.setPressed(false);
  for (let second = 0; second < 1.5 * KEEP_ALIVE_S; second += 1) {
    bench.clock.advance(SWEEP_INTERVAL_MS);
  }
  assert.deepEqual(bench.refusals, []);
  bench.clock.advance(SWEEP_INTERVAL_MS);
  assert.deepEqual(bench.refusals, ['E_SESSION_TIMEOUT']);
});

test('a peer that asks without reading the answers is closed [E_SESSION_SLOW]', async (t) => {
  const bench = openBench(t);
  await bench.received();
  const pings = Buffer.alloc(65_536, encodePingreq());
  let asked = 0;
  while (bench.refusals.length === 0 && asked < 10 * OUTBOUND_BYTES_MAX) {
    bench.peer.write(pings);
    asked += pings.length;
    for (let n = 0; n < 5; n += 1) await turn();
  }
  assert.deepEqual(bench.refusals, ['E_SESSION_SLOW']);
  assert.ok(asked > OUTBOUND_BYTES_MAX, 'not before the limit');
  assert.ok(asked < OUTBOUND_BYTES_MAX + 6 * pings.length, 'and soon after it');
  assert.ok(bench.socket.destroyed);
});

test('a peer that does not read its last words is closed all the same', async (t) => {
  const bench = openBench(t);
  await bench.received();
  bench.peer.write(Buffer.concat([Buffer.alloc(300_000, encodePingreq()), encodeDisconnect()]));
  for (let n = 0; n < 50; n += 1) await turn();
  assert.equal(bench.table.count, 0);
  bench.clock.advance(CLOSE_TIMEOUT_MS - 1);
  assert.equal(bench.socket.destroyed, false);
  bench.clock.advance(1);
  assert.ok(bench.socket.destroyed);
  assert.deepEqual(bench.refusals, []);
});

test('when the stages behind cannot be opened, CONNACK says so [MQTT-3.2.2-5]', async (t) => {
  const bench = openBench(t, () => Promise.reject(new Error('the log cannot be read')));
  const [connack, ...more] = await bench.received();
  assert.deepEqual(connack, { type: 'connack', sessionPresent: false, returnCode: 3 });
  assert.deepEqual(more, []);
  assert.deepEqual(bench.refusals, ['E_JOURNAL_UNAVAILABLE']);
  assert.ok(bench.socket.writableEnded);
});

test('a connection that ends while its stages open leaves nothing open', async (t) => {
  let open: (handler: SessionHandler) => void = () => assert.fail('it was not asked to open');
  const bench = openBench(t, () => new Promise((resolve) => (open = resolve)));
  await bench.received();
  bench.peer.destroy();
  bench.socket.destroy();
  await bench.received();
  let isClosed = false;
  const never = (): never => assert.fail('the connection has ended');
  open({
    publish: never,
    subscribe: never,
    deliverRetained: never,
    unsubscribe: never,
    close: () => (isClosed = true),
  });
  await bench.received();
  assert.ok(isClosed);
  assert.equal(bench.table.isConnected('pump-1'), false);
});
