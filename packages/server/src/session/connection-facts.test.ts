import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeDisconnect, encodeSubscribe } from '@holdfast/protocol/mqtt';
import { openBrokerLab } from './broker-lab.testing.ts';
import { EndedConnections } from './connection-facts.ts';
import { ENDED_CONNECTIONS_KEPT } from './limits.ts';

test('a connection and its session are shown while they last, and remembered when they end', async (t) => {
  const seen: unknown[] = [];
  const lab = openBrokerLab(t, {
    onPresence: ({ principal }, isConnected) => void seen.push([principal, isConnected]),
  });
  assert.equal(lab.table.connectionOf('pump-1'), undefined);
  const sinceMs = lab.clock.nowMs();
  const client = lab.connect('pump-1', { properties: { sessionExpiryS: 100 } });
  const subscriptions = [
    { filter: 'a', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const,
  ];
  client.write(encodeSubscribe({ packetId: 9, subscriptions, properties: {} }, 5));
  await client.received();
  const facts = lab.table.connectionOf('pump-1');
  assert.match(facts?.fingerprint ?? '', /^[0-9a-f]{64}$/u);
  assert.deepEqual(
    { ...facts, fingerprint: '', address: '' },
    {
      address: '',
      sinceMs,
      protocol: 'MQTT 5',
      transport: { transport: 'TLS' },
      fingerprint: '',
      keepAliveS: 60,
    },
  );
  assert.deepEqual(seen, [['pump-1', true]]);
  assert.deepEqual([...lab.table.connectedIds], ['pump-1']);

  lab.clock.advance(5_000);
  client.write(encodeDisconnect());
  await client.received();
  lab.publish('a');
  assert.equal(lab.table.connectionOf('pump-1'), undefined);
  assert.deepEqual(lab.table.sessionOf('pump-1'), {
    expiryS: 100,
    subscriptions: [{ filter: 'a', qos: 1 }],
    queued: 1,
  });
  assert.deepEqual(seen.slice(1), [['pump-1', false]]);
  const [ended] = lab.table.endedOf('pump-1', 5);
  assert.deepEqual(
    [ended?.sinceMs, ended?.untilMs, ended?.protocol, ended?.why],
    [sinceMs, sinceMs + 5_000, 'MQTT 5', 'The device said goodbye.'],
  );
  assert.deepEqual(lab.table.endedOf('pump-2', 5), []);
});

test('it is told why a connection ended', async (t) => {
  const lab = openBrokerLab(t);
  const first = lab.connect('pump-1');
  await first.received();
  const second = lab.connect('pump-1');
  await second.received();
  second.socket.destroy();
  await second.received();
  lab.registry.changeState('pump-1', { act: 'activate', by: 'pump-1', reason: 'x' });
  const third = lab.connect('pump-1');
  await third.received();
  lab.registry.changeState('pump-1', { act: 'quarantine', by: 'server', reason: 'clone' });
  await third.received();
  assert.deepEqual(
    lab.table.endedOf('pump-1', 5).map(({ why }) => why),
    [
      'The state of the device does not allow it to connect.',
      'The connection was lost, without a word of the device.',
      'A newer connection of the device took its place.',
    ],
  );
});

test('the oldest ended connections make room for new ones', () => {
  const ended = new EndedConnections();
  const add = (principal: string, untilMs: number): void =>
    ended.add({ principal, address: '', sinceMs: 0, untilMs, protocol: 'MQTT 5', why: '' });
  add('a', 1);
  for (let at = 1; at < ENDED_CONNECTIONS_KEPT; at += 1) add('b', at);
  add('c', 1);
  assert.deepEqual(ended.of('a', 5), []);
  assert.deepEqual(
    ended.of('b', 2).map(({ untilMs }) => untilMs),
    [ENDED_CONNECTIONS_KEPT - 1, ENDED_CONNECTIONS_KEPT - 2],
  );
  add('a', 2);
  assert.equal(ended.of('a', 5).length, 1);
  assert.equal(ended.of('c', 5).length, 1);
});
