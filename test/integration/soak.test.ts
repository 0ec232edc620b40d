/**
 * A short soak: 200 connections of one device class publish 50 messages each, as fast as they are
 * acknowledged. All is stored, and the log verifies. The server runs in a process of its own, so
 * that its processor time is its own; the figures are printed and not judged, as they depend on
 * the machine.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bundle, enroll } from '@holdfast/device';
import { encodePublish } from '@holdfast/protocol/mqtt';
import { verifyData } from '@holdfast/server';
import { RawClient, signedPayload, startServer, temporaryFolder } from '@holdfast/testkit';

const CONNECTIONS = 200;
const MESSAGES = 50;
/** Devices that enroll at a time; a divisor of the connections. */
const ENROLLMENTS = 4;

/** Ticks of the clock in which Linux counts processor time; 100 a second everywhere. */
const TICK_US = 10_000;

/** Processor time of a process so far, all threads, in microseconds; undefined off Linux. */
function cpuUs(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program, in parentheses, may hold spaces: count from behind it. proc(5)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** Publishes all messages in one write and waits for each PUBACK. */
async function publishAll(client: RawClient, bundle: Bundle): Promise<void> {
  const ids = Array.from({ length: MESSAGES }, (_, i) => i + 1);
  const packets = ids.map((id) => {
    const payload = signedPayload(bundle, { ctr: id, temp: 20 + id / 10, ts: Date.now() });
    return encodePublish(`d/${bundle.device}/telemetry`, payload, { qos: 1, packetId: id });
  });
  client.send(...packets);
  for (const id of ids) assert.equal((await client.expect('puback')).packetId, id);
}

test(`${CONNECTIONS} connections publish ${MESSAGES} messages each`, async (t) => {
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  const server = await startServer(t, { dataDir });
  const api = server.client();
  let names = 0;
  const bundles: Bundle[] = [];
  const enrollNext = async (): Promise<Bundle> => {
    names += 1;
    const id = `meter-${names}`;
    const { claim } = await api.addDevice({ id, class: 'sensor' });
    return enroll({ claim: claim.text, out: join(folder, id) });
  };
  const enrollStartMs = performance.now();
  while (bundles.length < CONNECTIONS) {
    bundles.push(...(await Promise.all(Array.from({ length: ENROLLMENTS }, enrollNext))));
  }
  const enrolledMs = performance.now();
  const clients = await Promise.all(bundles.map((bundle) => RawClient.connect(bundle)));
  const connectedMs = performance.now();

  const startUs = cpuUs(server.pid);
  await Promise.all(
    clients.map((client, i) => publishAll(client, bundles[i] ?? assert.fail('a bundle each'))),
  );
  const publishedMs = performance.now();
  const endUs = cpuUs(server.pid);

  const total = CONNECTIONS * MESSAGES;
  const perSecond = (count: number, ms: number): number => Math.round((count * 1_000) / ms);
  t.diagnostic(`${perSecond(CONNECTIONS, enrolledMs - enrollStartMs)} enrollments/s`);
  t.diagnostic(`${perSecond(CONNECTIONS, connectedMs - enrolledMs)} connections/s`);
  t.diagnostic(`${perSecond(total, publishedMs - connectedMs)} messages/s`);
  if (startUs !== undefined && endUs !== undefined) {
    t.diagnostic(`${((endUs - startUs) / total).toFixed(1)} us of server processor time a message`);
  }

  for (const { device } of bundles) {
    const stored = await api.readings(device, { limit: 1_000 });
    const counters = stored.map(({ payload }) => (JSON.parse(payload) as { ctr: number }).ctr);
    assert.deepEqual(
      counters.toReversed(),
      Array.from({ length: MESSAGES }, (_, i) => i + 1),
    );
  }
  assert.deepEqual(await api.refusals(), []);
  api.close();
  assert.equal((await server.stop()).code, 0);
  const { ok, messages, findings } = await verifyData({ dataDir });
  assert.deepEqual({ ok, messages, findings }, { ok: true, messages: total, findings: [] });
});
