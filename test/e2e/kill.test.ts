/**
 * Acknowledged is durable: the server is killed again and again at random moments, while clients
 * publish with QoS 1 and 2, while one subscriber is connected and others are away. Nobody helps the
 * server up again. Nothing that was acknowledged is missing: not in the log, not in a queue, not
 * among the retained messages; and no QoS 2 message is heard twice.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Bundle, enroll } from '@holdfast/device';
import { holdfast, startServer, storedCounters, temporaryFolder, waitFor } from '@holdfast/testkit';
import { connectAsync } from 'mqtt';
import {
  type Flood,
  type HeardCounter,
  Publisher,
  endQuietly,
  hearCounters,
  openLasting,
  retainedTopic,
  startFlood,
} from './kill-clients.ts';
import { seedOfRun, seededRandom } from './seeded.ts';

/** As many as the gate has time for; HOLDFAST_KILLS=100 for more. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 20);
/** No kill begins after so long: starts take most of the time, and a busy machine has little. */
const KILLING_MS_MAX = KILLS * 15_000;
/** Messages for those who are away, before each kill: all of them fit into the queue of a session. */
const KEPT_PER_KILL = Math.floor(800 / KILLS);
/** What has to flow of each kind before a kill; a fifth of it may be for those who are away. */
const FLOW = 60;
const KEPT_PER_KILL_MIN = Math.min(KEPT_PER_KILL, 40) / 8;
const RETAINED_TOPICS = 10;

/** The newest acknowledged counter of each retained topic of some floods. */
function newestRetained(floods: readonly Flood[]): Map<string, number> {
  const newest = new Map<string, number>();
  for (const { bundle, acknowledged } of floods) {
    for (const counter of acknowledged()) {
      const topic = retainedTopic(bundle, counter);
      if (topic !== undefined) newest.set(topic, Math.max(counter, newest.get(topic) ?? 0));
    }
  }
  return newest;
}

/** The counter of each retained message that a new subscriber gets. */
async function readRetained(bundle: Bundle): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const client = await connectAsync(`mqtts://localhost:${bundle.broker.port}`, {
    clientId: bundle.device,
    ca: bundle.anchorPem,
    cert: bundle.certificatePem,
    key: bundle.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  });
  client.on('message', (topic, payload, { retain }) => {
    if (retain) found.set(topic, (JSON.parse(payload.toString()) as { ctr: number }).ctr);
  });
  await client.subscribeAsync('d/+/telemetry/last/+', { qos: 1 });
  await waitFor('retained messages', () => found.size === RETAINED_TOPICS);
  await client.endAsync();
  return found;
}

/** Each retained message is the last acknowledged one of its topic, or one sent after it. */
function assertRetained(found: Map<string, number>, newest: Map<string, number>): void {
  for (const [topic, counter] of newest) {
    const kept = found.get(topic) ?? 0;
    assert.ok(kept >= counter, `${topic} has ${kept}, and ${counter} was acknowledged`);
  }
}

function missingFrom(there: ReadonlySet<number>, wanted: Iterable<number>): number[] {
  return [...wanted].filter((counter) => !there.has(counter));
}

function countersOf(heard: readonly HeardCounter[]): Set<number> {
  return new Set(heard.map(({ counter }) => counter));
}

/** QoS 2 is exactly once, and in the order of publishing. */
function assertOnceInOrder(heard: readonly HeardCounter[], who: string): void {
  const counters = heard.filter(({ qos }) => qos === 2).map(({ counter }) => counter);
  const wrong = counters.filter((counter, at) => at > 0 && counter <= (counters[at - 1] ?? 0));
  assert.deepEqual(wrong, [], `${who} heard these twice or late`);
}

/** Subscribes, and leaves the session to itself. */
async function subscribeAndLeave(t: TestContext, bundle: Bundle, what: Filter): Promise<void> {
  const client = openLasting(t, bundle);
  await client.subscribeAsync(what.filter, { qos: what.qos });
  await client.endAsync();
}

interface Filter {
  readonly filter: string;
  readonly qos: 1 | 2;
}

test(`up to ${KILLS} SIGKILLs lose nothing that was acknowledged`, async (t) => {
  const seed = seedOfRun();
  t.diagnostic(`HOLDFAST_SEED=${seed} HOLDFAST_KILLS=${KILLS}`);
  const random = seededRandom(seed);
  const folder = temporaryFolder(t);
  const dataDir = join(folder, 'data');
  let server = await startServer(t, { dataDir });
  const { ports } = server;
  const api = server.client();
  const add = async (id: string, deviceClass: 'gateway' | 'service'): Promise<Bundle> => {
    const { claim } = await api.addDevice({ id, class: deviceClass });
    return enroll({ claim: claim.text, out: join(folder, id) });
  };
  const meter = await add('meter', 'gateway');
  const reader = await add('reader', 'service');
  const live = await add('live', 'service');
  const away = [
    { bundle: await add('away-1', 'service'), filter: 'd/meter/telemetry/kept', qos: 1 },
    { bundle: await add('away-2', 'service'), filter: 'd/meter/telemetry/kept', qos: 2 },
  ] as const;
  const flooding = [await add('flood-1', 'gateway'), await add('flood-2', 'gateway')] as const;
  api.close();

  for (const { bundle, ...what } of away) await subscribeAndLeave(t, bundle, what);
  const listening = openLasting(t, live);
  const heard = hearCounters(listening);
  await listening.subscribeAsync('d/meter/telemetry/#', { qos: 2 });
  const publisher = new Publisher(t, meter, heard);
  const floods = [startFlood(t, flooding[0], 1), startFlood(t, flooding[1], 2)];
  // A subscriber that comes before the first message of a topic gets it as a live one.
  await waitFor(
    'a message on each retained topic',
    () => newestRetained(floods).size === RETAINED_TOPICS,
  );

  let slowestStartMs = 0;
  let kills = 0;
  const endMs = performance.now() + KILLING_MS_MAX;
  while (kills < KILLS && performance.now() < endMs) {
    kills += 1;
    publisher.keepMore(KEPT_PER_KILL);
    const counts = (): number[] => [
      ...floods.map(({ acknowledged }) => acknowledged().length),
      // What is heard may have waited since the last kill, or come twice.
      publisher.acknowledged.size,
      heard.length,
    ];
    const before = counts();
    const isFlowing = (): boolean =>
      counts().every((count, at) => count >= (before[at] ?? 0) + FLOW);
    await waitFor('the load to flow', isFlowing);
    await new Promise((resolve) => {
      setTimeout(resolve, random() * 300);
    });
    await server.stop('SIGKILL');
    const newest = newestRetained(floods);
    const args = ['broker', 'api', 'enroll'] as const;
    const startMs = performance.now();
    server = await startServer(t, {
      dataDir,
      args: args.flatMap((name) => [`--${name}-port`, String(ports[name])]),
    });
    slowestStartMs = Math.max(slowestStartMs, performance.now() - startMs);
    assertRetained(await readRetained(reader), newest);
  }
  publisher.stop();
  await waitFor('the last acknowledgements', () => publisher.isDone);
  await Promise.all(floods.map((flood) => flood.stop()));

  const { acknowledged, kept } = publisher;
  const missingLive = (): number[] => missingFrom(countersOf(heard), acknowledged);
  await waitFor('all that was acknowledged to be heard', () => missingLive().length === 0).catch(
    () => assert.deepEqual(missingLive(), []),
  );
  await endQuietly(listening);
  assertOnceInOrder(heard, 'live');

  const keptAcknowledged = [...kept].filter((counter) => acknowledged.has(counter));
  assert.ok(keptAcknowledged.length > kills * KEPT_PER_KILL_MIN, 'there was little to wait for');
  for (const { bundle, qos } of away) {
    const client = openLasting(t, bundle);
    let isPresent = false;
    client.once('connect', ({ sessionPresent }) => (isPresent = sessionPresent));
    const waited = hearCounters(client);
    const missing = (): number[] => missingFrom(countersOf(waited), keptAcknowledged);
    await waitFor(`what waited for ${bundle.device}`, () => missing().length === 0).catch(() =>
      assert.deepEqual(missing(), [], bundle.device),
    );
    await endQuietly(client);
    assert.ok(isPresent);
    assert.ok(waited.every((message) => message.qos === qos || message.counter % 2 === 1));
    if (qos === 2) assertOnceInOrder(waited, bundle.device);
  }

  const client = server.client();
  t.after(() => client.close());
  const stored = await storedCounters(client, meter.device);
  assert.deepEqual(missingFrom(stored, acknowledged), []);
  assert.deepEqual(missingFrom(stored, countersOf(heard)), [], 'heard, but not in the log');
  for (const { bundle, acknowledged } of floods) {
    const there = await storedCounters(client, bundle.device);
    assert.deepEqual(missingFrom(there, acknowledged()), [], bundle.device);
  }
  await server.stop();
  const verified = await holdfast(['audit', 'verify', '--data', dataDir, '--json']);
  const report = JSON.parse(verified.stdout) as { ok: boolean; messages: number };
  assert.ok(report.ok, verified.stdout);
  const counts = floods.map((flood) => flood.acknowledged().length);
  t.diagnostic(`${kills} kills, ${report.messages} messages in the log; acknowledged:`);
  t.diagnostic(
    `floods of QoS 1 and 2: ${counts.join(' and ')}; for subscribers ${acknowledged.size},`,
  );
  t.diagnostic(`of these ${keptAcknowledged.length} to sessions that were away;`);
  t.diagnostic(`the slowest start took ${Math.round(slowestStartMs)} ms`);
});
