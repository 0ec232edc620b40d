/** What devices fetch of a real server, and how they hear that there is something to fetch. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Bundle } from '@holdfast/device';
import { type InProcessServer, startInProcess, waitFor } from '@holdfast/testkit';
import { type MqttClient, connectAsync } from 'mqtt';
import { People } from './firmware-people.ts';

interface Got {
  readonly status: number;
  readonly etag: string | undefined;
  readonly bytes: Buffer;
}

function identity({ folder, anchorPem }: Bundle) {
  const file = (name: string): Buffer => readFileSync(join(folder, name));
  return { ca: anchorPem, cert: file('client.crt'), key: file('client.key') };
}

function get(
  { info }: InProcessServer,
  bundle: Bundle,
  path: string,
  headers: Record<string, string> = {},
): Promise<Got> {
  return new Promise((resolve, reject) => {
    request(`${info.enroll}${path}`, { ...identity(bundle), headers, agent: false }, (answer) => {
      const { statusCode: status = 0, headers: told } = answer;
      buffer(answer).then((bytes) => resolve({ status, etag: told.etag, bytes }), reject);
    })
      .on('error', reject)
      .end();
  });
}

function listen({ ports }: InProcessServer, bundle: Bundle, clientId: string): Promise<MqttClient> {
  const url = `mqtts://localhost:${ports.broker}`;
  return connectAsync(url, { ...identity(bundle), clientId, protocolVersion: 5 });
}

test('a release is fetched in parts, by the device that it is assigned to alone', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const [pump, other] = [await server.enroll('pump-1'), await server.enroll('pump-2')];
  const people = new People();
  await people.init(client);
  const image = randomBytes(2_000_000);
  const release = await people.release(client, '1.0.0', image);
  const path = `/update/v1/artifact/${release.sha256}`;
  const before = await get(server, pump, '/update/v1/poll');
  const refusal = await server.expectRefusal('E_UPDATE_NOT_ASSIGNED', async () => {
    assert.equal((await get(server, pump, path)).status, 404);
  });
  assert.equal(refusal.principal, 'pump-1');

  await client.assignRelease('pump-1', { release: release.id });
  const headers = { 'if-none-match': before.etag ?? '' };
  const after = await get(server, pump, '/update/v1/poll', headers);
  assert.equal(after.status, 200);
  assert.match(after.bytes.toString(), /"release":"thermo@1.0.0"/u);
  assert.equal((await get(server, other, path)).status, 404);

  const first = await get(server, pump, path, { range: 'bytes=0-999999' });
  const rest = { range: 'bytes=1000000-', 'if-range': first.etag ?? '' };
  const second = await get(server, pump, path, rest);
  assert.deepEqual([first.status, second.status], [206, 206]);
  assert.ok(Buffer.concat([first.bytes, second.bytes]).equals(image));
  assert.equal(await server.metric('holdfast_firmware_download_bytes_total'), image.length);
  assert.equal(await server.metric('holdfast_firmware_downloads'), 0);

  const ddi = await get(server, pump, '/DEFAULT/controller/v1/pump-1');
  assert.match(ddi.bytes.toString(), /deploymentBase/u);
  const identityRefusal = await server.expectRefusal('E_UPDATE_IDENTITY', () =>
    get(server, other, '/DEFAULT/controller/v1/pump-1'),
  );
  assert.equal(identityRefusal.principal, 'pump-2');
  await client.revokeDevice('pump-1', 'stolen');
  assert.equal((await get(server, pump, path)).status, 401);
});

test('a device hears at once that something is assigned to it, and nothing of others', async (t) => {
  const server = await startInProcess(t);
  const { client } = server;
  const [pump, other] = [await server.enroll('pump-1'), await server.enroll('pump-2')];
  const people = new People();
  await people.init(client);
  const release = await people.release(client, '1.0.0');
  const mqtt = await listen(server, pump, 'pump-1');
  t.after(() => mqtt.endAsync(true));
  const heard: { topic: string; text: string }[] = [];
  mqtt.on('message', (topic, payload) => heard.push({ topic, text: payload.toString() }));
  const topic = '$holdfast/update/pump-1';
  assert.deepEqual(
    (await mqtt.subscribeAsync(topic)).map(({ qos }) => qos),
    [0],
  );
  for (const wider of ['$holdfast/update/pump-2', '$holdfast/update/+', '$holdfast/#']) {
    await assert.rejects(mqtt.subscribeAsync(wider), wider);
  }
  const ears = await listen(server, other, 'pump-2');
  t.after(() => ears.endAsync(true));
  await assert.rejects(ears.subscribeAsync(topic));

  await client.assignRelease('pump-2', { release: release.id });
  await client.assignRelease('pump-1', { release: release.id });
  await waitFor('the news', () => heard.length > 0);
  const { revision } = JSON.parse(heard[0]?.text ?? '') as { revision: string };
  const poll = await get(server, pump, '/update/v1/poll');
  assert.equal(poll.etag, `"${revision}"`);
  assert.deepEqual(
    heard.map((one) => one.topic),
    [topic],
  );
});
