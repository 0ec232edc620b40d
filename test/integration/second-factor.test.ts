/** API keys of devices over real TLS: who has shown none is out within a second. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, loadBundle, renew } from '@holdfast/device';
import { REASON } from '@holdfast/protocol/mqtt';
import { RawClient, connectPacket, runningMs, startInProcess } from '@holdfast/testkit';

const DEVICES = 20;

test('a class that begins to require API keys closes who has shown none', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const keyed = await server.enroll('keyed-1');
  const { key } = await client.createDeviceApiKey('keyed-1', {});
  const credentials = { userName: '', password: Buffer.from(key) };
  const shown = await RawClient.connect(keyed, credentials);
  const others: RawClient[] = [];
  for (let n = 0; n < DEVICES; n += 1) {
    others.push(await RawClient.connect(await server.enroll(`bare-${n}`), { protocolLevel: 5 }));
  }

  const tookMs = await runningMs(async () => {
    const { deviceCount, withoutApiKeyCount } = await client.setDeviceClass('sensor', {
      requiresApiKey: true,
    });
    assert.deepEqual([deviceCount, withoutApiKeyCount], [DEVICES + 1, DEVICES]);
    for (const other of others) {
      assert.equal((await other.expect('disconnect')).reasonCode, REASON.administrativeAction);
      await other.closed();
    }
  });
  assert.ok(tookMs < 1_000, `${tookMs} ms`);
  t.diagnostic(`${DEVICES} connections closed ${tookMs} ms after the request was sent`);

  // The one with its key stays, until that ends.
  assert.ok(!shown.socket.destroyed);
  await server.expectRefusal('E_SESSION_API_KEY', async () => {
    const late = await RawClient.open(keyed);
    late.send(connectPacket(keyed));
    assert.equal((await late.expect('connack')).reasonCode, 5);
    await late.closed();
  });
  const [apiKey] = await client.deviceApiKeys('keyed-1');
  await client.deleteDeviceApiKey('keyed-1', apiKey?.id ?? '');
  await shown.closed();
});

test('a revoked device loses its API keys, and comes back without them', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  await server.enroll('pump-1');
  await client.createDeviceApiKey('pump-1', {});
  await client.revokeDevice('pump-1', 'stolen');
  assert.deepEqual(await client.deviceApiKeys('pump-1'), []);
  await client.claimDevice('pump-1');
  assert.deepEqual(await client.deviceApiKeys('pump-1'), []);
  const { client: later } = await server.restart();
  assert.deepEqual(await later.deviceApiKeys('pump-1'), []);
});

test('renewing takes the API key as well as the certificate', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const old = await server.enroll('pump-1');
  const { key } = await client.createDeviceApiKey('pump-1', {});
  await client.setDeviceClass('sensor', { requiresApiKey: true });
  const states = async (): Promise<string[]> => {
    const { certificates } = await client.device('pump-1');
    return certificates.map(({ status }) => status).toSorted();
  };
  const apiKeyFile = join(old.folder, 'api.key');

  // Whoever has stolen the certificate, and not the key, ends nothing by it.
  for (const stolen of [undefined, `hfk_${'A'.repeat(43)}`]) {
    if (stolen !== undefined) writeFileSync(apiKeyFile, stolen, { mode: 0o600 });
    await server.expectRefusal('E_SESSION_API_KEY', async () => {
      await assert.rejects(renew({ bundle: old.folder }), { code: 'E_DEVICE_RENEWAL' });
    });
  }
  assert.deepEqual(await states(), ['current']);
  const password = Buffer.from(key);
  const before = await RawClient.connect(old, { userName: '', password });

  writeFileSync(apiKeyFile, key, { mode: 0o600 });
  const next = await renew({ bundle: old.folder });
  assert.deepEqual(await states(), ['current', 'superseded']);
  await before.closed();
  await RawClient.connect(loadBundle(next.folder), { userName: '', password });
});

test('a device enrolls into a class that requires an API key, and gets its key then', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  await client.setDeviceClass('sensor', { requiresApiKey: true });
  const { folder } = await server.enroll('pump-1');
  const { key } = await client.createDeviceApiKey('pump-1', {});
  writeFileSync(join(folder, 'api.key'), key, { mode: 0o600 });
  const device = connect({ bundle: folder, random: () => 0.02 });
  await device.publish({ n: 1 });
  await device.close();
});
