/** The second factor on the wire: MQTT 5 enhanced authentication, against a scripted broker. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { parseSignedJson, Refusal } from '@holdfast/protocol';
import { deviceLab } from '../test-support/device-lab.ts';
import { scramServer } from '../test-support/scram-server.ts';
import type { BrokerScript } from '../test-support/scripted-broker.ts';
import { signed } from '../test-support/scripted-broker.ts';
import { testPki } from '../test-support/test-pki.ts';
import { IN_FLIGHT_MAX } from './limits.ts';

const PKI = testPki();
const KEY = `hfk_${'k'.repeat(43)}`;

function lab(t: TestContext, broker: BrokerScript = {}) {
  return deviceLab(t, PKI, { apiKey: KEY, broker: { scram: scramServer(KEY), ...broker } });
}

test('a device with an API key proves it by SCRAM, and then works as without', async (t) => {
  const { broker, bundle, clock, device, next } = await lab(t);
  const commands: unknown[] = [];
  device.onCommand(({ name }) => void commands.push(name));
  await next('online');
  const connect = await broker.packet('connect');
  assert.equal(connect.protocolLevel, 5);
  assert.equal(connect.clientId, 'thermostat-1');
  assert.equal(connect.properties.authMethod, 'SCRAM-SHA-256');
  assert.equal(connect.password, undefined);
  await device.publish({ temp: 23.5 });
  const [publish] = broker.publishes();
  assert.ok(publish !== undefined);
  const parsed = parseSignedJson(publish.payload);
  assert.ok(!(parsed instanceof Refusal) && !('export' in parsed));
  await broker.packet('subscribe');
  const payload = signed(bundle.commandKey, { cmd: 'set', ctr: 1, ts: clock.nowMs() });
  broker.connections[0]?.command({ name: 'set', payload, packetId: 9 });
  await broker.packet('puback', ({ packetId }) => packetId === 9);
  assert.deepEqual(commands, ['set']);
  await device.close();
  await broker.packet('disconnect');
});

test('the key crosses no wire', async (t) => {
  const { broker, device } = await lab(t);
  await device.publish({ n: 1 });
  const seen = JSON.stringify(broker.connections[0]?.packets, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  );
  assert.ok(seen.includes('n,,n=thermostat-1,r='));
  assert.ok(!seen.includes(KEY) && !seen.includes(KEY.slice(4)));
});

test('a wrong key is refused by the server, a wrong server by the device', async (t) => {
  const other = KEY.replace('k', 'x');
  const refused = await lab(t, { scram: scramServer(other) });
  const status = await refused.next('offline');
  assert.ok(status.state === 'offline');
  assert.equal(status.error.code, 'E_DEVICE_REFUSED');

  const genuine = scramServer(KEY);
  const forged = `v=${createHmac('sha256', 'x').digest('base64')}`;
  const liar = await lab(t, { scram: { ...genuine, prove: () => forged } });
  const lied = await liar.next('offline');
  assert.ok(lied.state === 'offline');
  assert.equal(lied.error.code, 'E_DEVICE_API_KEY');
  assert.equal(liar.broker.publishes().length, 0);
});

test('a server that asks for no proof gets no reading [E_DEVICE_API_KEY]', async (t) => {
  const { broker, device, next } = await deviceLab(t, PKI, { apiKey: KEY });
  const published = device.publish({ n: 1 });
  const status = await next('offline');
  assert.ok(status.state === 'offline' && status.error.code === 'E_DEVICE_API_KEY');
  assert.equal(broker.publishes().length, 0);
  await Promise.all([assert.rejects(published, { code: 'E_DEVICE_CLOSED' }), device.close()]);
});

test('limits that a server of MQTT 5 names are kept: messages at a time, keep-alive', async (t) => {
  const script = { receiveMax: 2, serverKeepAliveS: 8, acknowledges: false };
  const { broker, clock, device, next } = await lab(t, script);
  await next('online');
  const published = [1, 2, 3].map((n) => device.publish({ n }));
  await broker.packet('publish', () => broker.publishes().length === 2);
  clock.advance(6_000);
  await broker.packet('pingreq');
  assert.equal(broker.publishes().length, 2);
  assert.ok(IN_FLIGHT_MAX > 2);
  broker.script.acknowledges = true;
  for (const publish of broker.publishes()) broker.connections[0]?.acknowledge(publish);
  await Promise.all(published);
});

test('a message that the server does not take is rejected [E_DEVICE_REFUSED]', async (t) => {
  const { device } = await lab(t, { pubackCode: 0x97 });
  await assert.rejects(device.publish({ n: 1 }), { code: 'E_DEVICE_REFUSED' });
});
