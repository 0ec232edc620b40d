/** Time series of a real server: out of signed messages, rebuilt, by permission, erased, expired. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ApiError, type Client } from '@holdfast/client';
import { type Bundle, type Device, connect, enroll } from '@holdfast/device';
import { encodePublish } from '@holdfast/protocol/mqtt';
import {
  RawClient,
  VirtualClock,
  connectPacket,
  pairTestApp,
  signedPayload,
  startInProcess,
  startServer,
  temporaryFolder,
  waitFor,
} from '@holdfast/testkit';

const DAY_MS = 86_400_000;
const DATABASES = ['series.db', 'series.db-wal', 'series.db-shm'];

function connectDevice(t: TestContext, bundle: Bundle): Device {
  const device = connect({ bundle, random: () => 0.02 });
  t.after(() => device.close());
  return device;
}

/** What a device sends in these tests, and what has to come of it. */
const value = (n: number): number => ((n * 7) % 100) / 10;
async function send(device: Device, from: number, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, at) => from + at);
  await Promise.all(numbers.map((n) => device.publish({ n, temperature: value(n) })));
}

/** The points of a series once its worker has taken in all that was sent: it may be behind. */
function pointsOf(client: Pick<Client, 'seriesPoints'>, id: string, series: string) {
  return waitFor('the worker of the series', async () => {
    const page = await client.seriesPoints(id, { series, limit: 10_000 });
    return page.behind === 0 && page.points;
  });
}

async function valuesOf(client: Client, id: string, series: string): Promise<number[]> {
  return (await pointsOf(client, id, series)).map((point) => point.value);
}

/** Points have the order of their times, and those of one millisecond that of the log. */
function sorted(count: number, of: (n: number) => number): number[] {
  return Array.from({ length: count }, (_, n) => of(n)).sort((a, b) => a - b);
}

test('numbers come back by name, each with the place of its proof, also after a rebuild', async (t) => {
  let server = await startInProcess(t);
  const device = connectDevice(t, await server.enroll('pump-1'));
  await send(device, 0, 300);
  const points = await pointsOf(server.client, 'pump-1', 'temperature');
  assert.deepEqual(
    points.map((point) => point.value).sort((a, b) => a - b),
    sorted(300, value),
  );
  // The exact bytes that were signed stand at the place that each point names.
  const readings = await server.client.readings('pump-1', { limit: 1_000 });
  const payloads = new Map(readings.map(({ index, payload }) => [index, payload]));
  for (const point of points) {
    const payload = JSON.parse(payloads.get(point.index) ?? '{}') as { temperature?: number };
    assert.equal(payload.temperature, point.value);
  }
  const { series } = await server.client.series('pump-1');
  assert.deepEqual(
    series.map(({ name, count }) => [name, count]),
    [
      ['n', 300],
      ['temperature', 300],
    ],
  );
  const { buckets } = await server.client.seriesPoints('pump-1', {
    series: 'temperature',
    resolution: '1d',
  });
  assert.equal(
    buckets.reduce((sum, { count }) => sum + count, 0),
    300,
  );
  const { latest } = await server.client.latestReadings({ series: 'n', class: 'sensor' });
  assert.deepEqual(
    latest.map(({ device: id }) => id),
    ['pump-1'],
  );

  await server.stop();
  const folder = server.dataDir;
  const bytes = readdirSync(folder)
    .filter((name) => DATABASES.includes(name))
    .map((name) => readFileSync(join(folder, name), 'latin1'))
    .join('');
  assert.ok(bytes.length > 0 && !/temperature|pump-1/u.test(bytes));
  for (const name of DATABASES) rmSync(join(folder, name), { force: true });
  server = await server.restart();
  assert.deepEqual(await pointsOf(server.client, 'pump-1', 'temperature'), points);
  assert.ok(existsSync(join(folder, 'series.db')));
});

test('a server that is killed again and again misses no value and doubles none', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  let server = await startServer(t, { dataDir });
  let client = server.client();
  const { claim } = await client.addDevice({ id: 'pump-1', class: 'gateway' });
  const bundle = await enroll({ claim: claim.text, out: join(dataDir, '..', 'bundle') });
  let sent = 0;
  for (let kill = 0; kill < 3; kill += 1) {
    const { port } = new URL(`mqtts://localhost:${server.ports.broker}`);
    const device = connect({
      bundle: { ...bundle, broker: { ...bundle.broker, port: Number(port) } },
      random: () => 0.02,
    });
    await send(device, sent, 200);
    sent += 200;
    // The worker has taken a part in, or all of it, or nothing.
    if (kill > 0) await client.series('pump-1');
    await device.close();
    client.close();
    await server.stop('SIGKILL');
    server = await startServer(t, { dataDir });
    client = server.client();
  }
  const values = await valuesOf(client, 'pump-1', 'n');
  assert.deepEqual(
    values.sort((a, b) => a - b),
    sorted(sent, (n) => n),
  );
  client.close();
});

test('an app sees the series of its own device, since it has it', async (t) => {
  const server = await startInProcess(t);
  const own = connectDevice(t, await server.enroll('pump-1'));
  const other = connectDevice(t, await server.enroll('pump-2'));
  await other.publish({ secret: 1 });
  const { client } = await pairTestApp(t, server, 'pump-1');
  await own.publish({ temperature: 21.5 });
  const points = await pointsOf(client, 'pump-1', 'temperature');
  assert.deepEqual(
    points.map((point) => point.value),
    [21.5],
  );
  assert.deepEqual(
    (await client.series('pump-1')).series.map(({ name }) => name),
    ['temperature'],
  );
  const isAbsent = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
  await assert.rejects(client.series('pump-2'), isAbsent);
  await assert.rejects(client.seriesPoints('pump-2', { series: 'secret' }), isAbsent);
});

test('an erasure takes the series along, and those of others stay', async (t) => {
  const server = await startInProcess(t);
  for (const id of ['pump-1', 'pump-2']) {
    await connectDevice(t, await server.enroll(id)).publish({ temperature: 20 });
  }
  assert.equal((await valuesOf(server.client, 'pump-1', 'temperature')).length, 1);
  await server.client.eraseDevice('pump-1', 'asked for');
  assert.deepEqual((await server.client.series('pump-1')).series, []);
  assert.equal((await valuesOf(server.client, 'pump-2', 'temperature')).length, 1);
});

test('what is too old expires, out of the log and out of the series, and is on record', async (t) => {
  const clock = new VirtualClock();
  const server = await startInProcess(t, { clock });
  const bundle = await server.enroll('pump-1');
  const publish = async (ctr: number): Promise<void> => {
    const client = await RawClient.open(bundle);
    client.send(connectPacket(bundle));
    await client.expect('connack');
    const payload = signedPayload(bundle, { ctr, ts: clock.nowMs(), t: ctr });
    const topic = 'd/pump-1/telemetry';
    const flags = { qos: 1, retain: false, dup: false, packetId: ctr } as const;
    client.send(encodePublish(topic, payload, flags));
    await client.expect('puback');
    await client.abort();
  };
  for (let day = 1; day <= 10; day += 1) {
    await publish(day);
    clock.advance(DAY_MS);
  }
  assert.equal((await valuesOf(server.client, 'pump-1', 't')).length, 10);
  const view = await server.client.setDeviceClass('sensor', {
    retention: { ageDays: 4, rollupDays: 7 },
  });
  assert.deepEqual(view.retention, { ageDays: 4, rollupDays: 7 });
  clock.advance(3_600_000);
  const values = await waitFor('the old ones to go', async () => {
    const found = await valuesOf(server.client, 'pump-1', 't');
    return found.length < 10 ? found : undefined;
  });
  assert.deepEqual(values, [8, 9, 10]);
  const daily = { series: 't', resolution: '1d' } as const;
  const { buckets } = await server.client.seriesPoints('pump-1', daily);
  assert.equal(buckets.length, 6);
  const readings = await server.client.readings('pump-1');
  assert.equal(readings.length, 3);
  const acts = (await server.client.acts()).map(({ action }) => action);
  assert.ok(acts.includes('log.expire') && acts.includes('class.set'), acts.join());
  const all = await server.client.setDeviceClass('sensor', {
    retention: { ageDays: null, rollupDays: null },
  });
  assert.equal(all.retention, undefined);
});
