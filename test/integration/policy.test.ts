/** Another policy in force: on live connections, on sessions that are away, and over the API. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@holdfast/client';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  RawClient,
  connectPacket,
  runningMs,
  signedPayload,
  startInProcess,
  subscribePacket,
} from '@holdfast/testkit';

/** What is promised: in force within a second. */
const IN_FORCE_MS = 1_000;
const NOT_AUTHORIZED = 0x87;

const NO_SERVICES = `
forbid (principal in DeviceClass::"service", action == Action::"subscribe", resource)
when { resource.part == Part::"telemetry" };`;
const NO_STATE = `
forbid (principal is Device, action == Action::"publish", resource)
when { resource.part == Part::"state" };`;

test('a policy holds on live connections within a second, and takes no others along', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const { text } = await client.policy();
  const set = (policy: string) => client.setPolicy({ text: policy, reason: 'a test' });
  const service = await server.enroll('billing', 'service');
  const pump = await server.enroll('pump-1');
  const hears = await RawClient.connect(service, { protocolLevel: 5 });
  hears.send(subscribePacket(1, [{ filter: 'd/#', qos: 1 }], 5));
  assert.deepEqual((await hears.expect('suback')).reasonCodes, [1]);
  const device = await RawClient.connect(pump);
  let counter = Date.now();
  const report = async (topic: string): Promise<void> => {
    const payload = signedPayload(pump, { ctr: (counter += 1) });
    device.send(encodePublish(topic, payload, { qos: 1, packetId: 7 }));
    await device.expect('puback');
  };
  await report('d/pump-1/telemetry');
  assert.equal((await hears.expect('publish')).topic, 'd/pump-1/telemetry');

  // Who lost a subscription is told, and closed.
  const tookMs = await runningMs(async () => {
    await set(text + NO_SERVICES);
    assert.equal((await hears.expect('disconnect')).reasonCode, NOT_AUTHORIZED);
    await hears.closed();
  });
  assert.ok(tookMs < IN_FORCE_MS, `${tookMs} ms`);
  const again = await RawClient.connect(service, { protocolLevel: 5 });
  again.send(subscribePacket(1, [{ filter: 'd/#', qos: 1 }], 5));
  assert.deepEqual((await again.expect('suback')).reasonCodes, [NOT_AUTHORIZED]);
  again.send(subscribePacket(2, [{ filter: 'd/+/state', qos: 1 }], 5));
  assert.deepEqual((await again.expect('suback')).reasonCodes, [1]);

  // What a device may not publish any more is refused on the connection that it has.
  await report('d/pump-1/state');
  assert.equal((await again.expect('publish')).topic, 'd/pump-1/state');
  await set(text + NO_STATE);
  const refused = await server.refusedDuring(() => report('d/pump-1/state'));
  assert.deepEqual(refused, ['E_AUTHORIZE_PUBLISH']);
  await report('d/pump-1/telemetry');
  await client.rollbackPolicy(1, 'a test');
  assert.deepEqual(await server.refusedDuring(() => report('d/pump-1/state')), []);
  assert.equal((await again.expect('publish')).topic, 'd/pump-1/state');

  const acts = (await client.acts()).filter(({ action }) => action === 'policy.set');
  assert.equal(acts.length, 4);
  const [newest] = await client.policyVersions();
  assert.deepEqual(acts[0]?.facts, { version: newest?.number, sha256: newest?.sha256 });
});

test('a session that is away ends when it may not hear what it waits for', async (t) => {
  const server = await startInProcess(t);
  const { text } = await server.client.policy();
  const service = await server.enroll('billing', 'service');
  const kept = {
    protocolLevel: 5,
    cleanStart: false,
    properties: { sessionExpiryS: 600 },
  } as const;
  const subscribe = async (): Promise<void> => {
    const here = await RawClient.connect(service, {
      protocolLevel: 5,
      properties: kept.properties,
    });
    here.send(subscribePacket(1, [{ filter: 'd/+/telemetry', qos: 1 }], 5));
    await here.expect('suback');
    await here.abort();
  };
  const isPresent = async (onServer: typeof server): Promise<boolean> => {
    const client = await RawClient.open({ ...service, broker: brokerOf(service, onServer) }, 5);
    client.send(connectPacket(service, kept));
    const { sessionPresent } = await client.expect('connack');
    await client.abort();
    return sessionPresent;
  };
  await subscribe();
  assert.equal(await isPresent(server), true);
  await server.client.setPolicy({ text: text + NO_SERVICES, reason: 'a test' });
  await server.client.rollbackPolicy(1, 'a test');
  assert.equal(await isPresent(server), false, 'it ended while it was away');
});

test('the policy survives a restart, and is told apart from a mistake', async (t) => {
  const server = await startInProcess(t);
  const { text } = await server.client.policy();
  await server.client.setPolicy({ text: `${text}${NO_STATE}`, reason: 'a test' });
  const restarted = await server.restart();
  assert.equal((await restarted.client.policy()).text, text + NO_STATE);
  await assert.rejects(
    restarted.client.setPolicy({ text: 'permit (everybody);', reason: 'a test' }),
    (error) => error instanceof ApiError && error.code === 'E_POLICY_INVALID',
  );
  const { decision, rules } = await restarted.client.explainPolicy({
    principal: 'device:pump[class=sensor]',
    action: 'publish',
    resource: 'topic:pump[class=sensor]/state',
  });
  assert.equal(decision, 'refuse');
  assert.match(rules[0]?.text ?? '', /forbid/);
});

function brokerOf(
  { broker }: { broker: { host: string; port: number } },
  { ports }: { ports: { broker: number } },
): { host: string; port: number } {
  return { ...broker, port: ports.broker };
}
