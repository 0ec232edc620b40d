/** Sessions: what outlives a connection, in both directions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  REASON,
  encodeAuth,
  encodeDisconnect,
  encodePingreq,
  encodePuback,
  encodePubcomp,
  encodePublish,
  encodePubrec,
  encodePubrel,
  encodeSubscribe,
  encodeUnsubscribe,
} from '@holdfast/protocol/mqtt';
import type { ServerPacket, Subscription } from '@holdfast/protocol/mqtt';
import { openBrokerLab } from './broker-lab.testing.ts';

const line = (filter: string, more: Partial<Subscription> = {}): Subscription => ({
  filter,
  qos: 2,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  ...more,
});
const subscribe = (...subscriptions: readonly Subscription[]): Uint8Array =>
  encodeSubscribe({ packetId: 9, subscriptions, properties: {} }, 5);
const short = (packets: readonly ServerPacket[]): string[] =>
  packets.map((packet) => {
    if (packet.type === 'publish') {
      const { packetId, dup, payload, qos } = packet;
      return `publish ${Buffer.from(payload).toString()} q${qos} id${packetId ?? '-'}${dup ? ' dup' : ''}`;
    }
    if (packet.type === 'connack') {
      return `connack ${packet.reasonCode} ${packet.sessionPresent ? 'present' : 'new'}`;
    }
    if (packet.type === 'disconnect') return `disconnect 0x${packet.reasonCode.toString(16)}`;
    return 'packetId' in packet ? `${packet.type} ${packet.packetId}` : packet.type;
  });
const expiring = { properties: { sessionExpiryS: 100 } };

test('a session is taken up again with what came meanwhile, in order [MQTT-3.1.2-5]', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', expiring);
  first.write(subscribe(line('a')));
  assert.deepEqual(short(await first.received()), ['connack 0 new', 'suback 9']);
  first.write(encodeDisconnect());
  await first.received();
  for (const text of ['1', '2', '3']) lab.publish('a', { payload: Buffer.from(text) });
  lab.publish('a', { payload: Buffer.from('lost'), qos: 0 });
  const second = lab.connect('pump-1', { cleanStart: false, ...expiring });
  assert.deepEqual(short(await second.received()), [
    'connack 0 present',
    'publish 1 q1 id1',
    'publish 2 q1 id2',
    'publish 3 q1 id3',
  ]);
  assert.ok(lab.memory.fetchedCount > 0, 'payloads of absent peers are not kept in memory');
});

test('a clean start begins with nothing, and ends the old session [MQTT-3.1.2-4]', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', expiring);
  first.write(subscribe(line('a')));
  await first.received();
  first.write(encodeDisconnect());
  await first.received();
  lab.publish('a');
  const second = lab.connect('pump-1', expiring);
  assert.deepEqual(short(await second.received()), ['connack 0 new']);
  assert.equal(lab.router.all.get('a')?.size, 0);
});

test('a session ends with its expiry, to the millisecond', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', expiring);
  await first.received();
  first.write(encodeDisconnect());
  await first.received();
  assert.equal(lab.table.sessionCount, 1);
  assert.equal(lab.memory.records.size, 1);
  lab.clock.ms += 99_000;
  lab.clock.advance(0);
  assert.equal(lab.table.sessionCount, 1);
  for (let n = 0; n < 3; n += 1) lab.clock.advance(1_000);
  assert.equal(lab.table.sessionCount, 0);
  assert.equal(lab.memory.records.size, 0, 'and is gone from the disk');
});

test('without an expiry nothing stays', async (t) => {
  const lab = openBrokerLab(t);
  const client = lab.connect('pump-1');
  client.write(subscribe(line('a')));
  await client.received();
  client.write(encodeDisconnect());
  await client.received();
  assert.equal(lab.table.sessionCount, 0);
  assert.equal(lab.router.all.get('a')?.size, 0);
  assert.equal(lab.memory.records.size, 0);
});

test('another connection takes the session over, and the old one is told [MQTT-3.1.4-3]', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', expiring);
  await first.received();
  const second = lab.connect('pump-1', { cleanStart: false, ...expiring });
  assert.deepEqual(short(await second.received()), ['connack 0 present']);
  assert.deepEqual(short(await first.received()), ['disconnect 0x8e']);
  assert.ok(first.isClosed());
});

test('what was not acknowledged is sent again, under its id and as a repetition [MQTT-4.4.0-1]', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', expiring);
  first.write(subscribe(line('a')));
  await first.received();
  lab.publish('a', { payload: Buffer.from('1'), qos: 1 });
  lab.publish('a', { payload: Buffer.from('2'), qos: 2 });
  lab.publish('a', { payload: Buffer.from('3'), qos: 2 });
  assert.deepEqual(short(await first.received()), [
    'publish 1 q1 id1',
    'publish 2 q2 id2',
    'publish 3 q2 id3',
  ]);
  first.write(encodePubrec(2));
  assert.deepEqual(short(await first.received()), ['pubrel 2']);
  first.socket.destroy();
  await first.received();
  const second = lab.connect('pump-1', { cleanStart: false, ...expiring });
  assert.deepEqual(short(await second.received()), [
    'connack 0 present',
    'publish 1 q1 id1 dup',
    'pubrel 2',
    'publish 3 q2 id3 dup',
  ]);
  second.write(encodePuback(1), encodePubcomp(2), encodePubrec(3), encodePubcomp(3));
  assert.deepEqual(short(await second.received()), ['pubrel 3']);
  assert.equal(lab.table.queuedCount, 0);
});

test('a restart finds sessions, subscriptions, what is in flight and what waits', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', { properties: { sessionExpiryS: 100, receiveMax: 1 } });
  first.write(subscribe(line('a')));
  await first.received();
  lab.publish('a', { payload: Buffer.from('1'), qos: 2 });
  lab.publish('a', { payload: Buffer.from('2'), qos: 1 });
  first.write(encodePublish('b', Buffer.from('in'), { qos: 2, packetId: 7 }, 5));
  assert.deepEqual(short(await first.received()), ['publish 1 q2 id1', 'pubrec 7']);

  const again = lab.restart();
  const second = again.connect('pump-1', { cleanStart: false, ...expiring });
  assert.deepEqual(short(await second.received()), [
    'connack 0 present',
    'publish 1 q2 id1 dup',
    'publish 2 q1 id2',
  ]);
  const before = again.memory.messages.size;
  second.write(encodePublish('b', Buffer.from('in'), { qos: 2, packetId: 7, dup: true }, 5));
  second.write(encodePubrel(7));
  assert.deepEqual(short(await second.received()), ['pubrec 7', 'pubcomp 7']);
  assert.equal(again.memory.messages.size, before, 'a repetition counts once [MQTT-4.3.3-10]');
  again.publish('a', { payload: Buffer.from('3') });
  assert.equal(short(await second.received()).length, 1, 'it is subscribed as before');
});

test('after a crash the journal is replayed, and what was routed before is left out', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', expiring);
  first.write(subscribe(line('a')));
  await first.received();
  first.write(encodeDisconnect());
  await first.received();
  lab.publish('a', { payload: Buffer.from('1') });
  const record = lab.memory.records.get('pump-1');
  lab.publish('a', { payload: Buffer.from('2') });
  assert.ok(record !== undefined);
  lab.memory.records.set('pump-1', record);

  const again = lab.restart();
  again.router.lastIndex = -1;
  for (const message of again.memory.messages.values()) again.router.route(message);
  const second = again.connect('pump-1', { cleanStart: false, ...expiring });
  assert.deepEqual(short(await second.received()), [
    'connack 0 present',
    'publish 1 q1 id1',
    'publish 2 q1 id2',
  ]);
});

test('no more is sent at a time than the peer takes [MQTT-3.3.4-9]', async (t) => {
  const lab = openBrokerLab(t);
  const client = lab.connect('pump-1', { properties: { receiveMax: 2 } });
  client.write(subscribe(line('a')));
  await client.received();
  for (let n = 1; n <= 4; n += 1) lab.publish('a', { payload: Buffer.from(`${n}`), qos: 1 });
  assert.equal((await client.received()).length, 2);
  client.write(encodePuback(1));
  assert.deepEqual(short(await client.received()), ['publish 3 q1 id3']);
  client.write(encodePuback(77));
  assert.deepEqual(await client.received(), [], 'an unknown id frees nothing');
});

test('the oldest make room when the queue is full: count at its limit, and one above', async (t) => {
  const limits = { queueCountMax: 3, inFlightMax: 1 };
  const { SESSION_LIMITS } = await import('./limits.ts');
  const lab = openBrokerLab(t, { limitsOf: () => ({ ...SESSION_LIMITS, ...limits }) });
  const first = lab.connect('pump-1', expiring);
  first.write(subscribe(line('a')));
  await first.received();
  first.write(encodeDisconnect());
  await first.received();
  for (let n = 1; n <= 3; n += 1) lab.publish('a', { payload: Buffer.from(`${n}`) });
  assert.deepEqual(lab.drops, []);
  lab.publish('a', { payload: Buffer.from('4') });
  assert.deepEqual(lab.drops, ['full']);
  const second = lab.connect('pump-1', { cleanStart: false, ...expiring });
  assert.deepEqual(short(await second.received()), ['connack 0 present', 'publish 2 q1 id1']);
});

test('the same for bytes', async (t) => {
  const { SESSION_LIMITS } = await import('./limits.ts');
  const lab = openBrokerLab(t, { limitsOf: () => ({ ...SESSION_LIMITS, queueBytesMax: 10 }) });
  const first = lab.connect('pump-1', expiring);
  first.write(subscribe(line('a')));
  await first.received();
  first.write(encodeDisconnect());
  await first.received();
  lab.publish('a', { payload: Buffer.alloc(4, '1') });
  lab.publish('a', { payload: Buffer.alloc(6, '2') });
  assert.deepEqual(lab.drops, []);
  lab.publish('a', { payload: Buffer.alloc(1, '3') });
  assert.deepEqual(lab.drops, ['full']);
  assert.equal(lab.table.queuedCount, 2);
});

test('a message that has ended is sent to nobody [MQTT-3.3.2-5]', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', expiring);
  first.write(subscribe(line('a')));
  await first.received();
  first.write(encodeDisconnect());
  await first.received();
  lab.publish('a', { payload: Buffer.from('old'), properties: { messageExpiryS: 10 } });
  lab.publish('a', { payload: Buffer.from('new'), properties: { messageExpiryS: 20 } });
  lab.clock.ms += 12_000;
  const second = lab.connect('pump-1', { cleanStart: false, ...expiring });
  const [, publish, ...rest] = await second.received();
  assert.deepEqual(rest, []);
  assert.ok(publish?.type === 'publish');
  assert.equal(publish.properties.messageExpiryS, 8, 'what is left of it [MQTT-3.3.2-6]');
});

test('an erased message is delivered to nobody, and holds nobody up', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1', expiring);
  first.write(subscribe(line('a')));
  await first.received();
  first.write(encodeDisconnect());
  await first.received();
  const { index } = lab.publish('a', { payload: Buffer.from('erased') });
  lab.publish('a', { payload: Buffer.from('kept') });
  lab.memory.messages.delete(index);
  const second = lab.connect('pump-1', { cleanStart: false, ...expiring });
  assert.deepEqual(short(await second.received()), ['connack 0 present', 'publish kept q1 id1']);
});

test('a revoked device has no session and no will any more', async (t) => {
  const lab = openBrokerLab(t);
  const will = { topic: 'w', payload: Buffer.from('bye'), qos: 1 as const, retain: false };
  const client = lab.connect('pump-1', { ...expiring, will: { ...will, properties: {} } });
  client.write(subscribe(line('a')));
  await client.received();
  const device = lab.registry.byId('pump-1');
  assert.ok(device !== undefined);
  lab.registry.changeState(device.id, { act: 'revoke', by: 'local', reason: 'stolen' });
  assert.deepEqual(short(await client.received()), ['disconnect 0x98']);
  assert.equal(lab.table.sessionCount, 0);
  assert.equal(lab.memory.records.size, 0);
  assert.equal(lab.memory.messages.size, 0);
});

test('a will goes when the peer breaks off, and not when it says goodbye [MQTT-3.1.2-8] [MQTT-3.14.4-3]', async (t) => {
  const lab = openBrokerLab(t);
  const will = {
    topic: 'w',
    payload: Buffer.from('bye'),
    qos: 1 as const,
    retain: false,
    properties: {},
  };
  const polite = lab.connect('pump-1', { will });
  await polite.received();
  polite.write(encodeDisconnect());
  await polite.received();
  assert.equal(lab.memory.messages.size, 0);
  const rude = lab.connect('pump-1', { will });
  await rude.received();
  rude.socket.destroy();
  await rude.received();
  assert.equal(lab.memory.messages.get(0)?.topic, 'w');
  const wishing = lab.connect('pump-1', { will });
  await wishing.received();
  wishing.write(encodeDisconnect({ reasonCode: REASON.disconnectWithWill }));
  await wishing.received();
  assert.equal(lab.memory.messages.size, 2, 'a peer can ask for it');
});

test('a will waits for its delay, and is not sent when the session goes on [MQTT-3.1.3-9]', async (t) => {
  const lab = openBrokerLab(t);
  const will = {
    topic: 'w',
    payload: Buffer.from('bye'),
    qos: 1 as const,
    retain: false,
    properties: { delayS: 5 },
  };
  const first = lab.connect('pump-1', { ...expiring, will });
  await first.received();
  first.socket.destroy();
  await first.received();
  lab.clock.advance(1_000);
  assert.equal(lab.memory.messages.size, 0);
  const second = lab.connect('pump-1', { ...expiring, cleanStart: false, will });
  await second.received();
  for (let n = 0; n < 10; n += 1) lab.clock.advance(1_000);
  assert.equal(lab.memory.messages.size, 0, 'it came back in time');
  second.socket.destroy();
  await second.received();
  for (let n = 0; n < 4; n += 1) lab.clock.advance(1_000);
  assert.equal(lab.memory.messages.size, 0);
  for (let n = 0; n < 2; n += 1) lab.clock.advance(1_000);
  assert.equal(lab.memory.messages.size, 1);
});

test('QoS 2 waits for the disk at each step that the peer relies on', async (t) => {
  const lab = openBrokerLab(t);
  const client = lab.connect('pump-1', expiring);
  client.write(subscribe(line('a')));
  await client.received();
  lab.memory.isHeld = true;
  const next = async (): Promise<string[]> => {
    const before = short(await client.received());
    assert.deepEqual(before, [], 'not before it is durable');
    for (const done of lab.memory.held.splice(0)) done();
    return short(await client.received());
  };
  lab.publish('a', { payload: Buffer.from('1'), qos: 2 });
  assert.deepEqual(await next(), ['publish 1 q2 id1']);
  client.write(encodePubrec(1));
  assert.deepEqual(await next(), ['pubrel 1']);
  client.write(encodePublish('b', Buffer.from('in'), { qos: 2, packetId: 7 }, 5));
  assert.deepEqual(short(await client.received()), ['pubrec 7'], 'the journal held it back');
  client.write(encodePubrel(7));
  assert.deepEqual(await next(), ['pubcomp 7']);
});

test('QoS 2 in both directions keeps its order, and an error frees its id (MQTT 5 [MQTT-4.3.3-1] [MQTT-4.3.3-9], MQTT 3.1.1 [MQTT-4.6.0-3] [MQTT-4.6.0-4])', async (t) => {
  const lab = openBrokerLab(t);
  const client = lab.connect('pump-1', expiring);
  client.write(subscribe(line('a')));
  await client.received();
  for (const payload of ['1', '2', '3']) {
    lab.publish('a', { payload: Buffer.from(payload), qos: 2 });
  }
  assert.deepEqual(short(await client.received()), [
    'publish 1 q2 id1',
    'publish 2 q2 id2',
    'publish 3 q2 id3',
  ]);
  client.write(encodePubrec(1, REASON.quotaExceeded), encodePubrec(3), encodePubrec(2));
  assert.deepEqual(short(await client.received()), ['pubrel 3', 'pubrel 2']);
  assert.equal(lab.table.queuedCount, 2, 'the one with an error has ended');
  client.write(encodePubcomp(3), encodePubcomp(2));
  const inbound = [7, 5, 6].map((packetId) =>
    encodePublish('b', Buffer.from('in'), { qos: 2, packetId }, 5),
  );
  client.write(...inbound);
  assert.deepEqual(short(await client.received()), ['pubrec 7', 'pubrec 5', 'pubrec 6']);
});

test(`no answer has a reason string or a user property, wanted or not (MQTT 5 [MQTT-3.1.2-29]
  [MQTT-3.2.2-19] [MQTT-3.2.2-20] [MQTT-3.4.2-2] [MQTT-3.4.2-3] [MQTT-3.5.2-2] [MQTT-3.5.2-3]
  [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] [MQTT-3.9.2-1] [MQTT-3.9.2-2]
  [MQTT-3.11.2-1] [MQTT-3.11.2-2] [MQTT-3.14.2-3] [MQTT-3.14.2-4] [MQTT-3.15.2-2]
  [MQTT-3.15.2-3])`, async (t) => {
  const authenticator = {
    begin: () => ({
      step: (data: Uint8Array | undefined) =>
        Promise.resolve({ type: data === undefined ? 'continue' : 'done', data } as const),
    }),
  };
  const lab = openBrokerLab(t, { authenticators: new Map([['two', authenticator]]) });
  const client = lab.connect('pump-1', {
    properties: { ...expiring.properties, authMethod: 'two', requestProblemInformation: true },
  });
  const answers = [...(await client.received())];
  const exchange = async (...packets: readonly Uint8Array[]): Promise<void> => {
    client.write(...packets);
    answers.push(...(await client.received()));
  };
  await exchange(
    encodeAuth({
      reasonCode: REASON.continueAuthentication,
      properties: { authMethod: 'two', authData: Buffer.from('x') },
    }),
  );
  await exchange(subscribe(line('a'), line('forbidden')));
  lab.publish('a', { payload: Buffer.from('1'), qos: 2 });
  await exchange(encodePublish('b', Buffer.from('in'), { qos: 1, packetId: 6 }, 5));
  await exchange(encodePublish('b', Buffer.from('in'), { qos: 2, packetId: 7 }, 5));
  await exchange(encodePubrel(7), encodePubrec(1));
  await exchange(encodeUnsubscribe({ packetId: 8, filters: ['a', 'none'], userProperties: [] }, 5));
  await exchange(
    encodePubcomp(1),
    encodePublish('b', Buffer.from('in'), { qos: 2, packetId: 9 }, 5),
  );
  await exchange(
    encodePingreq(),
    encodeSubscribe({ packetId: 9, subscriptions: [], properties: {} }, 5),
  );
  assert.deepEqual([...new Set(answers.map(({ type }) => type))].toSorted(), [
    'auth',
    'connack',
    'disconnect',
    'pingresp',
    'puback',
    'pubcomp',
    'publish',
    'pubrec',
    'pubrel',
    'suback',
    'unsuback',
  ]);
  for (const answer of answers) {
    const properties: object = 'properties' in answer ? answer.properties : {};
    assert.ok(!('reasonString' in properties), answer.type);
    assert.deepEqual(Reflect.get(properties, 'userProperties') ?? [], [], answer.type);
  }
});
