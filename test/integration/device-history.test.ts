/** What a running server tells of one device: its connection, what was done, its commands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeDisconnect, encodePublish, encodeSubscribe } from '@holdfast/protocol/mqtt';
import { RawClient, signedPayload, startInProcess, waitFor } from '@holdfast/testkit';

test('connections, acts and commands of a device are told, and kept over a restart', async (t) => {
  let server = await startInProcess(t);
  const bundle = await server.enroll('pump-1', 'actuator');
  const online = async (): Promise<string[]> =>
    (await server.client.devices({ online: 'yes' })).map(({ id }) => id);
  assert.deepEqual(await online(), []);
  await server.client.addDevice({ id: 'pump-2', class: 'actuator' });
  const { devices: unseen, count } = await server.client.devicePage({
    seen: 'never',
    count: 'yes',
  });
  assert.deepEqual([unseen.map(({ id }) => id), count], [['pump-2'], 1]);
  const [known] = await server.client.devices({ seen: 'ever' });
  // It has fetched its payload keys by its certificate.
  assert.deepEqual([known?.id, known?.online], ['pump-1', false]);
  assert.equal(typeof known?.certificateEndsAt, 'string');

  const peer = await RawClient.connect(bundle);
  const filter = { filter: 'd/pump-1/cmd/#', qos: 1 } as const;
  const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  peer.send(
    encodeSubscribe({ packetId: 1, subscriptions: [{ ...filter, ...options }], properties: {} }, 4),
  );
  await peer.expect('suback');
  assert.deepEqual(await online(), ['pump-1']);
  const { connection, session, previous } = await server.client.deviceSessions('pump-1');
  const { certificates } = await server.client.device('pump-1');
  assert.deepEqual(
    [connection?.transport, connection?.tls, connection?.certificate],
    ['TLS', 'TLSv1.3', certificates[0]?.fingerprint],
  );
  assert.match(connection?.protocol ?? '', /^MQTT (?:3\.1\.1|5)$/u);
  assert.match(connection?.cipher ?? '', /^TLS_/u);
  assert.match(connection?.address ?? '', /^(?:127\.0\.0\.1|::1)$/u);
  assert.deepEqual(session?.subscriptions, [filter]);
  assert.deepEqual(previous, []);

  // Two commands; the second one is answered, as the device says by its counter.
  await server.client.sendCommand('pump-1', { name: 'open', body: { valve: 1 } });
  await peer.expect('publish');
  await server.client.sendCommand('pump-1', { name: 'open', body: { valve: 2 } });
  const command = await peer.expect('publish');
  const { ctr } = JSON.parse(Buffer.from(command.payload).toString('utf8')) as { ctr: number };
  const answer = signedPayload(bundle, { ctr: 1, of: ctr, ok: true });
  peer.send(encodePublish('d/pump-1/ack/open', answer, { qos: 1, packetId: 7 }));
  await peer.expect('puback');
  const { commands, next } = await server.client.deviceCommands('pump-1');
  assert.deepEqual(
    commands.map(({ name, by, payload, ack }) => [
      name,
      by,
      (JSON.parse(payload) as { valve: number }).valve,
      ack?.topic,
    ]),
    [
      ['open', 'local', 2, 'd/pump-1/ack/open'],
      ['open', 'local', 1, undefined],
    ],
  );
  assert.equal(next, undefined);

  peer.send(encodeDisconnect());
  const left = await waitFor('the end of the connection', async () => {
    const sessions = await server.client.deviceSessions('pump-1');
    return sessions.online ? undefined : sessions;
  });
  assert.equal(left.previous[0]?.why, 'The device said goodbye.');
  assert.notEqual(left.lastSeen, undefined);
  assert.deepEqual(await online(), []);
  await server.client.setDeviceTags('pump-1', { tags: ['roof'], reason: 'found it' });
  await server.client.actOnDevice('pump-1', 'suspend', 'closed for the winter');

  await server.stop();
  server = await server.restart();
  const { device } = await server.client.device('pump-1');
  assert.deepEqual([device.tags, device.online, device.lastSeen], [['roof'], false, left.lastSeen]);
  const { acts } = await server.client.deviceActs('pump-1', { limit: 2 });
  assert.deepEqual(
    acts.map(({ action, principal, reason, before, after }) => [
      action,
      principal,
      reason,
      before,
      after,
    ]),
    [
      ['device.suspend', 'local', 'closed for the winter', 'active', 'suspended'],
      ['device.set-tags', 'local', 'found it', undefined, undefined],
    ],
  );
  const page = await server.client.deviceActs('pump-1', { limit: 200, before: acts[1]?.index });
  const actions = page.acts.map(({ action }) => action);
  assert.deepEqual(actions.at(-1), 'device.add');
  assert.ok(actions.includes('device.activate') && !actions.includes('device.claim'));
  const { commands: kept } = await server.client.deviceCommands('pump-1', { limit: 1 });
  assert.equal(kept[0]?.ack?.topic, 'd/pump-1/ack/open');
});
