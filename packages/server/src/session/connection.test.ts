/** What a connection does while the stages behind it are slow, or its peer is: over memory, not TLS. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { refuse } from '@holdfast/protocol';
import {
  type ServerPacket,
  encodeAuth,
  encodeConnect,
  encodeDisconnect,
  encodePingreq,
  encodePublish,
  encodeSubscribe,
} from '@holdfast/protocol/mqtt';
import { type BrokerLab, type LabClient, openBrokerLab } from './broker-lab.testing.ts';
import type { SessionHandler } from './handler.ts';
import {
  CLOSE_TIMEOUT_MS,
  CONNECTIONS_PER_DEVICE_MAX,
  CONNECT_TIMEOUT_MS,
  FLAPPING_COUNT_MAX,
  OUTBOUND_BYTES_MAX,
  RATE_PATIENCE_MS,
  RECEIVE_MAX,
  SLOW_TIMEOUT_MS,
  SUBSCRIPTIONS_MAX,
  SWEEP_INTERVAL_MS,
  TOPIC_ALIAS_MAX,
  UNSTORED_COUNT_MAX,
  UNSTORED_TOTAL_MAX,
} from './limits.ts';

const KEEP_ALIVE_S = 10;
const OPTIONS = { noLocal: false, retainAsPublished: false, retainHandling: 0 as const };

const publish = (packetId: number): Uint8Array =>
  encodePublish(`t/${packetId}`, new Uint8Array(0), { qos: 1, packetId }, 5);
const publish0 = (payloadBytes = 0): Uint8Array =>
  encodePublish('t', new Uint8Array(payloadBytes), { qos: 0 }, 5);
const subscribe = (filter: string, qos: 0 | 1 | 2 = 1): Uint8Array =>
  encodeSubscribe({ packetId: 7, subscriptions: [{ filter, qos, ...OPTIONS }], properties: {} }, 5);
const typesOf = (packets: readonly ServerPacket[]): string[] => packets.map(({ type }) => type);
const reasonsOf = (packets: readonly ServerPacket[]): string[] =>
  packets.map((packet) =>
    'reasonCode' in packet ? `${packet.type} 0x${packet.reasonCode.toString(16)}` : packet.type,
  );

async function connected(
  lab: BrokerLab,
  connect: Parameters<BrokerLab['connect']>[1] = {},
): Promise<LabClient> {
  const client = lab.connect('pump-1', { keepAliveS: KEEP_ALIVE_S, ...connect });
  assert.deepEqual(typesOf(await client.received()), ['connack']);
  return client;
}

function sweep(lab: BrokerLab, seconds: number): void {
  for (let n = 0; n < seconds; n += 1) lab.clock.advance(SWEEP_INTERVAL_MS);
}

test('SUBACK comes before the retained messages, which are marked [MQTT-3.3.1-8]', async (t) => {
  const lab = openBrokerLab(t);
  lab.publish('a', { retain: true });
  const client = await connected(lab);
  const subscriptions = [
    { filter: 'a', qos: 1 as const, ...OPTIONS },
    { filter: 'forbidden', qos: 1 as const, ...OPTIONS },
    { filter: '+', qos: 0 as const, ...OPTIONS },
  ];
  client.write(encodeSubscribe({ packetId: 7, subscriptions, properties: {} }, 5));
  const [suback, first, second, ...more] = await client.received();
  assert.ok(suback?.type === 'suback');
  assert.deepEqual(suback.reasonCodes, [1, 0x87, 0]);
  assert.ok(first?.type === 'publish' && second?.type === 'publish');
  assert.deepEqual([first.retain, first.qos, second.retain, second.qos], [true, 1, true, 0]);
  assert.deepEqual(more, [], 'a refused filter gets nothing');
  assert.deepEqual(lab.refusals, ['E_AUTHORIZE_SUBSCRIBE']);
});

test(`a session has ${SUBSCRIPTIONS_MAX} subscriptions, not one more`, async (t) => {
  const lab = openBrokerLab(t);
  const client = await connected(lab);
  for (let n = 0; n < SUBSCRIPTIONS_MAX; n += 1) client.write(subscribe(`f/${n}`));
  const granted = await client.received();
  assert.ok(granted.every((packet) => packet.type === 'suback' && packet.reasonCodes[0] === 1));
  client.write(subscribe('f/0'), subscribe('one more'));
  const [again, more] = await client.received();
  assert.ok(again?.type === 'suback' && again.reasonCodes[0] === 1, 'the same filter fits');
  assert.ok(more?.type === 'suback' && more.reasonCodes[0] === 0x97);
});

test(`reading stops at ${UNSTORED_COUNT_MAX} messages that wait for the disk, not before`, async (t) => {
  const lab = openBrokerLab(t);
  lab.holdsPublishes = true;
  const client = await connected(lab);
  const many = Array.from({ length: UNSTORED_COUNT_MAX - 1 }, () => publish0());
  client.write(Buffer.concat([...many, encodePingreq()]));
  assert.deepEqual(typesOf(await client.received()), ['pingresp']);
  client.write(Buffer.concat([publish0(), publish0(), encodePingreq()]));
  assert.deepEqual(await client.received(), []);
  assert.equal(lab.held.length, UNSTORED_COUNT_MAX);
  lab.held[0]?.done();
  assert.deepEqual(await client.received(), []);
  assert.equal(lab.held.length, UNSTORED_COUNT_MAX + 1);
  lab.held[1]?.done();
  assert.deepEqual(typesOf(await client.received()), ['pingresp']);
});

test('when many flood, each is read a little at a time', async (t) => {
  const lab = openBrokerLab(t);
  lab.holdsPublishes = true;
  const flood = Buffer.concat(Array.from({ length: UNSTORED_COUNT_MAX }, () => publish0()));
  const counts: number[] = [];
  for (let peer = 1; peer <= 20; peer += 1) {
    const client = lab.connect(`pump-${peer}`);
    assert.deepEqual(typesOf(await client.received()), ['connack']);
    const before = lab.held.length;
    client.write(flood);
    await client.received();
    counts.push(lab.held.length - before);
  }
  const shares = counts.map((_, at) => Math.floor(UNSTORED_TOTAL_MAX / (at + 1)));
  assert.deepEqual(
    counts,
    shares.map((share) => Math.min(UNSTORED_COUNT_MAX, share)),
  );
  assert.ok((counts.at(-1) ?? 0) < UNSTORED_COUNT_MAX);
  for (const { done } of lab.held.splice(0)) done();
  assert.ok(lab.held.length > 0, 'they go on once what waited is stored');
});

test(`${RECEIVE_MAX} unacknowledged messages are taken, one more ends it [MQTT-3.3.4-7]`, async (t) => {
  const lab = openBrokerLab(t);
  lab.holdsPublishes = true;
  const client = await connected(lab);
  const qos2 = (packetId: number): Uint8Array =>
    encodePublish('t', new Uint8Array(0), { qos: 2, packetId }, 5);
  lab.holdsPublishes = false;
  for (let id = 1; id <= RECEIVE_MAX; id += 1) client.write(qos2(id));
  const answers = await client.received();
  assert.equal(answers.length, RECEIVE_MAX);
  client.write(qos2(RECEIVE_MAX + 1));
  assert.deepEqual(reasonsOf(await client.received()), ['disconnect 0x93']);
});

test('reading stops while the journal is behind', async (t) => {
  const lab = openBrokerLab(t);
  lab.holdsPublishes = true;
  const client = await connected(lab);
  lab.table.setPressed(true);
  client.write(publish(1));
  await client.received();
  assert.equal(lab.held.length, 0);
  lab.table.setPressed(false);
  await client.received();
  assert.equal(lab.held.length, 1);
});

test('a silent peer is closed after one and a half keep-alives [MQTT-3.1.2-22]', async (t) => {
  const lab = openBrokerLab(t);
  const client = await connected(lab);
  lab.table.setPressed(true);
  sweep(lab, 10 * KEEP_ALIVE_S);
  assert.deepEqual(lab.refusals, [], 'a peer that waits for us is not silent');
  lab.table.setPressed(false);
  sweep(lab, 1.5 * KEEP_ALIVE_S);
  assert.deepEqual(lab.refusals, []);
  sweep(lab, 1);
  assert.deepEqual(lab.refusals, ['E_SESSION_TIMEOUT']);
  assert.deepEqual(reasonsOf(await client.received()), ['disconnect 0x8d']);
});

test('MQTT 5 clients are told a shorter keep-alive than an endless one [MQTT-3.1.2-21]', async (t) => {
  const lab = openBrokerLab(t);
  const client = lab.connect('pump-1', { keepAliveS: 0 });
  const [connack] = await client.received();
  assert.ok(connack?.type === 'connack');
  assert.equal(connack.properties.serverKeepAliveS, 3_600);
});

test('no CONNECT in time: closed without a word (MQTT 3.1.1 [MQTT-3.2.2-6])', async (t) => {
  const lab = openBrokerLab(t);
  const client = lab.dial('pump-1');
  sweep(lab, CONNECT_TIMEOUT_MS / 1_000);
  assert.deepEqual(lab.refusals, []);
  sweep(lab, 1);
  assert.deepEqual(lab.refusals, ['E_SESSION_TIMEOUT']);
  assert.deepEqual(await client.received(), []);
  assert.ok(client.isClosed());
});

test('a peer that asks without reading the answers is closed [E_SESSION_SLOW]', async (t) => {
  const lab = openBrokerLab(t);
  const client = await connected(lab);
  const pings = Buffer.alloc(65_536, encodePingreq());
  let asked = 0;
  while (lab.refusals.length === 0 && asked < 20 * OUTBOUND_BYTES_MAX) {
    client.peer.write(pings);
    asked += pings.length;
    for (let n = 0; n < 5; n += 1) await turn();
  }
  assert.deepEqual(lab.refusals, ['E_SESSION_SLOW']);
  assert.ok(asked > 2 * OUTBOUND_BYTES_MAX, 'not before the limit');
  assert.ok(asked < 2 * OUTBOUND_BYTES_MAX + 8 * pings.length, 'and soon after it');
});

test('a slow subscriber loses QoS 0, counted, and after a while its connection', async (t) => {
  const lab = openBrokerLab(t);
  const slow = await connected(lab);
  slow.write(subscribe('a', 0));
  await slow.received();
  const payload = Buffer.alloc(OUTBOUND_BYTES_MAX / 8);
  for (let n = 0; n < 8; n += 1) lab.publish('a', { payload, qos: 0 });
  assert.deepEqual(lab.drops, []);
  lab.publish('a', { payload, qos: 0 });
  assert.deepEqual(lab.drops, ['slow']);
  const other = lab.connect('pump-2');
  other.write(encodePingreq());
  assert.deepEqual(typesOf(await other.received()), ['connack', 'pingresp'], 'nobody else notices');
  sweep(lab, 1 + SLOW_TIMEOUT_MS / 1_000);
  assert.deepEqual(lab.refusals, []);
  sweep(lab, 1);
  assert.deepEqual(lab.refusals, ['E_SESSION_SLOW']);
});

test('a peer above its rate is delayed, and after a minute of it disconnected with 0x97', async (t) => {
  const rates = { messagesPerSecond: 1, messageBurst: 3, bytesPerSecond: 1e6, byteBurst: 1e6 };
  const lab = openBrokerLab(t, { ratesOf: () => rates });
  lab.holdsPublishes = true;
  const client = await connected(lab);
  client.write(Buffer.concat(Array.from({ length: 200 }, () => publish0())));
  await client.received();
  // Three at once, and the one that drew on credit.
  assert.equal(lab.held.length, 4);
  lab.clock.advance(1_000);
  await client.received();
  assert.equal(lab.held.length, 5);
  for (let second = 1; second < RATE_PATIENCE_MS / 1_000; second += 1) {
    lab.clock.advance(1_000);
    await client.received();
  }
  assert.deepEqual(lab.refusals, []);
  for (let second = 0; second < 2; second += 1) lab.clock.advance(1_000);
  assert.deepEqual(lab.refusals, ['E_SESSION_RATE']);
  assert.deepEqual(reasonsOf(await client.received()), ['disconnect 0x97']);
});

test('it is the same when its packets come in many chunks, each used up before the next', async (t) => {
  const rates = { messagesPerSecond: 1, messageBurst: 3, bytesPerSecond: 1e6, byteBurst: 1e6 };
  const lab = openBrokerLab(t, { ratesOf: () => rates });
  const client = await connected(lab, { keepAliveS: 1_000 });
  for (let second = 0; second <= RATE_PATIENCE_MS / 1_000; second += 1) {
    assert.deepEqual(lab.refusals, [], `${second} s`);
    client.write(publish0());
    client.write(publish0());
    await client.received();
    lab.clock.advance(1_000);
    await client.received();
  }
  for (let second = 0; second < 6; second += 1) lab.clock.advance(1_000);
  assert.deepEqual(lab.refusals, ['E_SESSION_RATE']);
});

test('a peer that slows down in time stays', async (t) => {
  const rates = { messagesPerSecond: 1, messageBurst: 1, bytesPerSecond: 1e6, byteBurst: 1e6 };
  const lab = openBrokerLab(t, { ratesOf: () => rates });
  const client = await connected(lab, { keepAliveS: 1_000 });
  for (let minute = 0; minute < 5; minute += 1) {
    client.write(Buffer.concat([publish0(), publish0(), publish0()]));
    await client.received();
    for (let second = 0; second < 30; second += 1) {
      lab.clock.advance(1_000);
      await turn();
    }
  }
  assert.deepEqual(lab.refusals, []);
});

test(`a device has ${CONNECTIONS_PER_DEVICE_MAX} connections, not one more`, (t) => {
  const lab = openBrokerLab(t);
  for (let n = 0; n < CONNECTIONS_PER_DEVICE_MAX; n += 1) lab.dial('pump-1');
  assert.deepEqual(lab.refusals, []);
  const more = lab.dial('pump-1');
  assert.deepEqual(lab.refusals, ['E_SESSION_LIMIT']);
  assert.ok(more.isClosed());
  assert.equal(lab.table.count, CONNECTIONS_PER_DEVICE_MAX);
});

test('a device that connects all the time is held off, and may come back', async (t) => {
  const lab = openBrokerLab(t);
  for (let n = 0; n < FLAPPING_COUNT_MAX; n += 1) {
    const client = lab.dial('pump-1');
    client.socket.destroy();
    await turn();
  }
  assert.deepEqual(lab.refusals, []);
  lab.dial('pump-1');
  assert.deepEqual(lab.refusals, ['E_SESSION_FLAPPING']);
  lab.dial('pump-2');
  assert.deepEqual(lab.refusals.length, 1, 'others are not');
  lab.clock.advance(5_000);
  lab.dial('pump-1');
  assert.deepEqual(lab.refusals.length, 1);
});

test('a peer that does not read its last words is closed all the same', async (t) => {
  const lab = openBrokerLab(t);
  const client = await connected(lab);
  client.write(Buffer.concat([Buffer.alloc(300_000, encodePingreq()), encodeDisconnect()]));
  for (let n = 0; n < 50; n += 1) await turn();
  assert.equal(lab.table.count, 0);
  lab.clock.advance(CLOSE_TIMEOUT_MS - 1);
  assert.equal(client.socket.destroyed, false);
  lab.clock.advance(1);
  assert.ok(client.socket.destroyed);
  assert.deepEqual(lab.refusals, []);
});

test('when the stages behind cannot be opened, CONNACK says so and it closes (MQTT 5 [MQTT-3.1.4-2], MQTT 3.1.1 [MQTT-3.2.2-5] [MQTT-4.8.0-2])', async (t) => {
  const openHandler = (): Promise<SessionHandler> => Promise.reject(new Error('no log'));
  const lab = openBrokerLab(t, { openHandler });
  const five = lab.connect('pump-1');
  assert.deepEqual(reasonsOf(await five.received()), ['connack 0x88']);
  const four = lab.connect('pump-2', { protocolLevel: 4 });
  assert.deepEqual(reasonsOf(await four.received()), ['connack 0x3']);
  assert.deepEqual(lab.refusals, ['E_JOURNAL_UNAVAILABLE', 'E_JOURNAL_UNAVAILABLE']);
  assert.ok(five.isClosed() && four.isClosed());
});

test('a connection that ends while its stages open leaves nothing open', async (t) => {
  let open: (handler: SessionHandler) => void = () => assert.fail('it was not asked to open');
  const openHandler = (): Promise<SessionHandler> => new Promise((resolve) => (open = resolve));
  const lab = openBrokerLab(t, { openHandler });
  const client = lab.connect('pump-1');
  await client.received();
  client.socket.destroy();
  await client.received();
  const never = (): never => assert.fail('the connection has ended');
  open({ publish: never, verifyWill: never, permitSubscription: never });
  await client.received();
  assert.equal(lab.table.isConnected('pump-1'), false);
  assert.equal(lab.table.sessionCount, 0);
});

test('a client id that is not the identity is refused, an empty one too [MQTT-3.1.3-8]', async (t) => {
  const lab = openBrokerLab(t);
  const connect = (clientId: string, protocolLevel: 4 | 5): Promise<ServerPacket[]> =>
    lab.connect('pump-1', { clientId, protocolLevel }).received();
  assert.deepEqual(reasonsOf(await connect('pump-2', 5)), ['connack 0x87']);
  assert.deepEqual(reasonsOf(await connect('', 5)), ['connack 0x85']);
  assert.deepEqual(reasonsOf(await connect('pump-2', 4)), ['connack 0x5']);
  assert.deepEqual(reasonsOf(await connect('', 4)), ['connack 0x2']);
  assert.deepEqual(new Set(lab.refusals), new Set(['E_SESSION_CLIENT_ID']));
});

test('a will that may not be published refuses the CONNECT', async (t) => {
  const lab = openBrokerLab(t);
  const will = { topic: 'forbidden', payload: Buffer.from('x'), qos: 0 as const, retain: false };
  const client = lab.connect('pump-1', { will: { ...will, properties: {} } });
  assert.deepEqual(reasonsOf(await client.received()), ['connack 0x87']);
});

test(`a topic alias stands for its topic up to ${TOPIC_ALIAS_MAX}, not beyond [MQTT-3.3.2-9]`, async (t) => {
  const lab = openBrokerLab(t);
  const client = await connected(lab);
  const aliased = (topic: string, topicAlias: number): Uint8Array =>
    encodePublish(topic, new Uint8Array(0), { qos: 0, topicAlias }, 5);
  client.write(aliased('a/b', TOPIC_ALIAS_MAX), aliased('', TOPIC_ALIAS_MAX));
  await client.received();
  const topics = [...lab.memory.messages.values()].map(({ topic }) => topic);
  assert.deepEqual(topics, ['a/b', 'a/b']);
  client.write(aliased('a/b', TOPIC_ALIAS_MAX + 1));
  assert.deepEqual(reasonsOf(await client.received()), ['disconnect 0x94']);
  const unknown = lab.connect('pump-1');
  await unknown.received();
  unknown.write(aliased('', 1));
  assert.deepEqual(reasonsOf(await unknown.received()), ['disconnect 0x82']);
});

test('the server sets topic aliases only as far as the peer allows [MQTT-3.1.2-26]', async (t) => {
  const lab = openBrokerLab(t);
  const client = await connected(lab, { properties: { topicAliasMax: 1 } });
  client.write(subscribe('#', 0));
  await client.received();
  for (const topic of ['a', 'a', 'b']) lab.publish(topic, { qos: 0 });
  const seen = (await client.received()).map((packet) =>
    packet.type === 'publish' ? [packet.topic, packet.properties.topicAlias] : packet.type,
  );
  assert.deepEqual(seen, [
    ['a', 1],
    ['', 1],
    ['b', undefined],
  ]);
});

test('a message that is larger than the peer takes is left out [MQTT-3.1.2-24] [MQTT-3.1.2-25]', async (t) => {
  const lab = openBrokerLab(t);
  const client = await connected(lab, { properties: { packetBytesMax: 40 } });
  client.write(subscribe('a'));
  await client.received();
  // First byte, length, topic with its length, packet id, property length, payload.
  const fits = 40 - 1 - 1 - 3 - 2 - 1;
  lab.publish('a', { payload: Buffer.alloc(fits) });
  lab.publish('a', { payload: Buffer.alloc(fits + 1) });
  lab.publish('a', { payload: Buffer.alloc(fits + 3), qos: 0 });
  assert.equal((await client.received()).length, 1);
  assert.deepEqual(lab.drops, ['too large', 'too large']);
});

test('a second factor: challenge and response before CONNACK, and again later [MQTT-4.12.0-2]', async (t) => {
  const step = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString();
  const authenticator = {
    begin: () => ({
      step: (data: Uint8Array | undefined) => {
        if (step(data) === 'hello') {
          return Promise.resolve({ type: 'continue' as const, data: Buffer.from('who?') });
        }
        return Promise.resolve(
          step(data) === 'me'
            ? { type: 'done' as const, data: Buffer.from('welcome') }
            : refuse('E_SESSION_PROTOCOL', 'wrong answer'),
        );
      },
    }),
  };
  const lab = openBrokerLab(t, { authenticators: new Map([['test', authenticator]]) });
  const auth = (reasonCode: number, text: string): Uint8Array =>
    encodeAuth({ reasonCode, properties: { authMethod: 'test', authData: Buffer.from(text) } });
  const hello = { authMethod: 'test', authData: Buffer.from('hello') };
  const client = lab.connect('pump-1', { properties: hello });
  assert.deepEqual(reasonsOf(await client.received()), ['auth 0x18']);
  client.write(auth(0x18, 'me'));
  const [connack] = await client.received();
  assert.ok(connack?.type === 'connack' && connack.reasonCode === 0);
  assert.equal(step(connack.properties.authData), 'welcome');
  client.write(auth(0x19, 'hello'));
  assert.deepEqual(reasonsOf(await client.received()), ['auth 0x18']);
  client.write(auth(0x18, 'me'));
  assert.deepEqual(reasonsOf(await client.received()), ['auth 0x0']);
  client.write(auth(0x19, 'somebody else'));
  assert.deepEqual(typesOf(await client.received()), ['disconnect'], '[MQTT-4.12.1-2]');

  const liar = lab.connect('pump-1', { properties: hello });
  await liar.received();
  liar.write(auth(0x18, 'not me'));
  assert.deepEqual(typesOf(await liar.received()), ['connack'], '[MQTT-4.12.0-4]');
  assert.ok(liar.isClosed());
  const unknown = lab.connect('pump-1', { properties: { authMethod: 'another' } });
  assert.deepEqual(reasonsOf(await unknown.received()), ['connack 0x8c']);
  const none = await connected(lab);
  none.write(auth(0x18, 'me'));
  assert.deepEqual(reasonsOf(await none.received()), ['disconnect 0x82']);
});

test('what comes before CONNECT is answered with nothing [MQTT-3.1.0-1]', async (t) => {
  const lab = openBrokerLab(t);
  const client = lab.dial('pump-1');
  client.write(encodePingreq());
  assert.deepEqual(await client.received(), []);
  assert.ok(client.isClosed());
});

test('a second CONNECT ends it [MQTT-3.1.0-2]', async (t) => {
  const lab = openBrokerLab(t);
  const client = await connected(lab);
  client.write(
    encodeConnect({
      protocolLevel: 5,
      clientId: 'pump-1',
      cleanStart: true,
      keepAliveS: 0,
      will: undefined,
      userName: undefined,
      password: undefined,
      properties: {},
    }),
  );
  assert.deepEqual(reasonsOf(await client.received()), ['disconnect 0x82']);
});

test('who connects again goes on where its rate stood', async (t) => {
  const rates = { messagesPerSecond: 1, messageBurst: 3, bytesPerSecond: 1e6, byteBurst: 1e6 };
  const lab = openBrokerLab(t, { ratesOf: () => rates });
  lab.holdsPublishes = true;
  const first = await connected(lab);
  first.write(publish0(), publish0(), publish0());
  await first.received();
  first.write(encodeDisconnect());
  await first.received();
  const second = await connected(lab);
  second.write(Buffer.concat([publish0(), publish0(), publish0()]));
  await second.received();
  assert.equal(lab.held.length, 4, 'one on credit, then it has to wait');
});
