/** How many apps and devices one owner may have, and that apps come by WebSocket with no more rights. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AppIdentity, pairApp } from '@holdfast/client';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  type InProcessServer,
  RawClient,
  openTestApp,
  pairTestApp,
  signedPayload,
  startInProcess,
  waitFor,
} from '@holdfast/testkit';
import { type MqttClient, connect } from 'mqtt';

/** As docs/reference/limits.md says. */
const APPS_PER_OWNER_MAX = 16;
const DEVICES_PER_OWNER_MAX = 256;
const CONFLICT = { code: 'E_OPERATE_CONFLICT' };

test('an owner has sixteen apps, and one less makes room', async (t) => {
  const server = await startInProcess(t);
  await server.enroll('pump-1');
  const { client } = await pairTestApp(t, server, 'pump-1');
  const identities: AppIdentity[] = [];
  for (let n = 1; n < APPS_PER_OWNER_MAX; n++) {
    identities.push(await pairApp((await client.invite()).text));
  }
  assert.equal((await client.apps()).length, APPS_PER_OWNER_MAX);
  const { text } = await client.invite();
  await assert.rejects(pairApp(text), CONFLICT);
  await client.removeApp(identities[0]?.app ?? '');
  const last = openTestApp(t, server, await pairApp(text));
  assert.equal((await last.client.apps()).length, APPS_PER_OWNER_MAX);
});

test('an owner has 256 devices, and one less makes room', async (t) => {
  const server = await startInProcess(t);
  const ids = Array.from({ length: DEVICES_PER_OWNER_MAX + 1 }, (_, n) => `pump-${n}`);
  for (let at = 0; at < ids.length; at += 100) {
    const devices = ids.slice(at, at + 100).map((id) => ({ id, class: 'sensor' as const }));
    await server.client.importDevices({ devices, again: false, claimLifeMs: 86_400_000 });
  }
  const [first = '', ...rest] = ids;
  const last = rest.pop() ?? '';
  const { client } = await pairTestApp(t, server, first);
  const add = async (id: string) => client.addDevice((await server.client.pairCode(id)).text);
  for (const id of rest) await add(id);
  assert.equal((await client.devices()).length, DEVICES_PER_OWNER_MAX);
  await assert.rejects(add(last), CONFLICT);
  await client.release(first);
  assert.equal((await add(last)).id, last);
});

/** An app over a WebSocket. */
function overWebSocket(
  t: TestContext,
  server: InProcessServer,
  identity: AppIdentity,
  clientId = identity.app,
): MqttClient {
  const { anchorPem: ca, certificatePem: cert, keyPem: key } = identity;
  const url = `wss://localhost:${server.ports.api}/mqtt`;
  const client = connect(url, {
    ca,
    cert,
    key,
    clientId,
    protocolVersion: 5,
    reconnectPeriod: 0,
    keepalive: 60,
  });
  client.on('error', () => {});
  t.after(() => client.end(true));
  return client;
}

test('an app over a WebSocket hears and commands the devices of its owner, and no other', async (t) => {
  const server = await startInProcess(t);
  for (const id of ['a-1', 'b-1']) await server.enroll(id);
  const ada = await pairTestApp(t, server, 'a-1');
  await pairTestApp(t, server, 'b-1');
  const app = overWebSocket(t, server, ada.identity);
  await new Promise((resolve) => app.once('connect', resolve));
  const bundle = await server.enroll('a-2');
  await ada.client.addDevice((await server.client.pairCode('a-2')).text);
  const heard: string[] = [];
  app.on('message', (topic) => heard.push(topic));
  const granted = async (filter: string): Promise<number> => {
    const [grant] = await app.subscribeAsync(filter, { qos: 1 }).catch(() => [{ qos: 0x87 }]);
    return grant?.qos ?? -1;
  };
  assert.equal(await granted('d/a-2/telemetry/#'), 1);
  for (const filter of ['d/b-1/telemetry/#', 'd/+/telemetry/#', '#', '$holdfast/#']) {
    assert.ok((await granted(filter)) >= 0x80, filter);
  }
  const device = await RawClient.connect(bundle);
  const payload = signedPayload(bundle, { ctr: 1 });
  device.send(encodePublish('d/a-2/telemetry', payload, { qos: 1, packetId: 7, retain: false }));
  await device.expect('puback');
  await waitFor('the reading', () => Promise.resolve(heard.length > 0));
  assert.deepEqual([...new Set(heard)], ['d/a-2/telemetry']);
  const codes = await server.refusedDuring(async () => {
    // A refused message is acknowledged like any other.
    await app.publishAsync('d/b-1/cmd/start', '{"x":1}', { qos: 1 });
    await app.publishAsync('d/a-2/telemetry', '{"ctr":1}', { qos: 1 });
  });
  assert.equal(codes.filter((code) => code.startsWith('E_AUTHORIZE_')).length, 2, codes.join());
});

test('over a WebSocket an app comes under its own name only', async (t) => {
  const server = await startInProcess(t);
  for (const id of ['a-1', 'b-1']) await server.enroll(id);
  const ada = await pairTestApp(t, server, 'a-1');
  const bob = await pairTestApp(t, server, 'b-1');
  for (const name of [bob.identity.app, 'b-1']) {
    const app = overWebSocket(t, server, ada.identity, name);
    const end = await new Promise((resolve) => {
      app.once('connect', () => resolve('connected'));
      app.once('close', () => resolve('closed'));
    });
    assert.equal(end, 'closed', name);
  }
});
