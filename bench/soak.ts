/**
 * Mixed load for as long as one likes, and the server's memory meanwhile: is it flat?
 *
 *     node bench/soak.ts --minutes 30
 *
 * Devices publish at all three QoS, some of it retained, some of it refused; sessions come and go
 * and find what waited for them; subscriptions change. The clients are MQTT.js.
 *
 * The memory of a process moves by steps, as V8 takes and gives back room. So now and then all
 * garbage is collected, and what is left is what has to be flat.
 * @module
 */
import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type IClientOptions, type MqttClient, connect } from 'mqtt';
import { printedPort, startProcess } from './brokers/run-process.ts';
import { type Fleet, type Member, readFleet } from './fleet/fleet.ts';
import { seedFleet } from './fleet/seed-fleet.ts';
import type { Live } from './measure/collect-on-signal.ts';
import { cpuUsOf, memoryBytesOf } from './measure/process-tree.ts';
import { type MemoryPoint, drawMemory } from './report/draw-memory.ts';

const DEVICES = 60;
/** Of these, so many keep their session and are away half of the time. */
const WANDERERS = 20;
const PUBLISH_EVERY_MS = 80;
const AWAY_EVERY_MS = 5_000;
const SAMPLE_MS = 10_000;
/** Until caches are filled and code is compiled; the slope is taken after it. */
const WARM_UP_SHARE = 1 / 3;
/** Samples from one collection of all garbage to the next, in a long run. */
const COLLECT_EVERY = 6;
const FLAGS = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=throw',
  '--expose-gc',
  `--import=${join(import.meta.dirname, 'measure/collect-on-signal.ts')}`,
];

/** What the server used at a time. */
export interface Sample {
  readonly seconds: number;
  readonly megabytes: number;
  readonly descriptors: number;
  readonly cores: number;
  readonly published: number;
  readonly received: number;
  /** After all garbage was collected; most samples do without. */
  readonly live: Live['live'] | undefined;
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
  },
});
const counts = { published: 0, acknowledged: 0, received: 0, failed: 0 };
let isOver = false;

const folder = mkdtempSync(join(tmpdir(), 'holdfast-soak-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
process.once('SIGINT', () => process.exit(130));
seedFleet({ folder, devices: DEVICES, services: 4 });
const fleet = readFleet(join(folder, 'fleet.json'));
const main = join(import.meta.dirname, 'brokers/holdfast-main.ts');
const job = JSON.stringify({ dataDir: join(folder, 'data'), isVerifying: true });
const server = startProcess(process.execPath, [...FLAGS, main, job], { folder });
const port = await printedPort(server);

const clients = [
  ...fleet.devices.map((member, at) => startDevice(member, at)),
  ...fleet.services.map((member, at) => startService(member, at)),
];
const samples = await sample(Number(values.minutes) * 60);
isOver = true;
for (const client of clients) client.end(true);
await server.stop();
report(samples);

function options(member: Member, more: IClientOptions): IClientOptions {
  const { anchorPem } = fleet satisfies Fleet;
  return {
    host: 'localhost',
    port,
    protocol: 'mqtts',
    ca: anchorPem,
    cert: member.certificatePem,
    key: member.keyPem,
    clientId: member.id,
    reconnectPeriod: 1_000,
    ...more,
  };
}

function startDevice(member: Member, at: number): MqttClient {
  const isWanderer = at < WANDERERS;
  const version = at % 2 === 0 ? 5 : 4;
  const properties = version === 5 && isWanderer ? { sessionExpiryInterval: 3_600 } : {};
  const client = connect(
    options(member, { protocolVersion: version, clean: !isWanderer, properties }),
  );
  client.on('error', () => (counts.failed += 1));
  client.on('connect', () => client.subscribe(`d/${member.id}/cmd/#`, { qos: 2 }));
  let counter = Date.now();
  const timer = setInterval(() => {
    if (isOver) return clearInterval(timer);
    if (!client.connected) return;
    counter = Math.max(counter + 1, Date.now());
    publish(client, member, counter);
  }, PUBLISH_EVERY_MS);
  if (isWanderer) wander(client, at);
  return client;
}

/** Away and back again, without a goodbye every second time. */
function wander(client: MqttClient, at: number): void {
  const timer = setInterval(
    () => {
      if (isOver) clearInterval(timer);
      else if (client.connected) client.stream.destroy();
    },
    AWAY_EVERY_MS + at * 100,
  );
}

function publish(client: MqttClient, member: Member, counter: number): void {
  const place = counter % 20;
  const topic = place === 0 ? `d/${member.id}/state` : `d/${member.id}/telemetry/${place % 5}`;
  const canonical = `{"ctr": ${counter}, "temp": ${20 + (counter % 100) / 10}}`;
  // One in twenty is signed with another key.
  const key = Buffer.from(place === 7 ? '00'.repeat(32) : member.payloadKeyHex, 'hex');
  const sig = createHmac('sha256', key).update(canonical).digest('hex');
  const payload = `${canonical.slice(0, -1)}, "sig": "${sig}"}`;
  const qos = (counter % 3) as 0 | 1 | 2;
  counts.published += 1;
  client.publish(topic, payload, { qos, retain: place === 0 }, (error) => {
    if (error === undefined || error === null) counts.acknowledged += 1;
    else counts.failed += 1;
  });
}

function startService(member: Member, at: number): MqttClient {
  const client = connect(
    options(member, {
      protocolVersion: 5,
      clean: false,
      properties: { sessionExpiryInterval: 3_600 },
    }),
  );
  client.on('error', () => (counts.failed += 1));
  client.on('message', () => (counts.received += 1));
  const filter = at < 2 ? '$share/all/d/+/telemetry/#' : 'd/#';
  client.on('connect', () => client.subscribe(filter, { qos: at === 3 ? 2 : 1 }));
  // The last one is away a third of the time, so that its messages wait; the third one changes.
  const timer = setInterval(() => {
    if (isOver) return clearInterval(timer);
    if (!client.connected) return;
    if (at === 3) client.stream.destroy();
    if (at === 2) client.unsubscribe(filter, () => client.subscribe(filter, { qos: 1 }));
  }, 3_000);
  return client;
}

/** Collects the garbage of the server. */
function collect(): Promise<Live['live']> {
  return new Promise((resolve) => {
    const take = (text: string): void => {
      const line = /^\{"live".*$/m.exec(text)?.[0];
      if (line === undefined) return;
      server.child.stdout?.off('data', take);
      resolve((JSON.parse(line) as Live).live);
    };
    server.child.stdout?.on('data', take);
    server.child.kill('SIGUSR2');
  });
}

async function sample(seconds: number): Promise<Sample[]> {
  const taken: Sample[] = [];
  const startMs = performance.now();
  let cpuUs = cpuUsOf(server.pid);
  const collectEvery = seconds * 1_000 < 2 * COLLECT_EVERY * SAMPLE_MS ? 1 : COLLECT_EVERY;
  console.log(
    '   seconds   memory MB   descriptors   cores   published    received' +
      '   live heap MB   outside MB   handles',
  );
  while (performance.now() - startMs < seconds * 1_000) {
    await delay(SAMPLE_MS);
    const nowUs = cpuUsOf(server.pid);
    const one: Sample = {
      seconds: Math.round((performance.now() - startMs) / 1_000),
      megabytes: memoryBytesOf(server.pid) / 1e6,
      descriptors: readdirSync(`/proc/${server.pid}/fd`).length,
      cores: (nowUs - cpuUs) / (SAMPLE_MS * 1_000),
      published: counts.published,
      received: counts.received,
      live: (taken.length + 1) % collectEvery === 0 ? await collect() : undefined,
    };
    cpuUs = nowUs;
    taken.push(one);
    console.log(
      [
        String(one.seconds).padStart(10),
        one.megabytes.toFixed(1).padStart(11),
        String(one.descriptors).padStart(13),
        one.cores.toFixed(2).padStart(7),
        String(one.published).padStart(11),
        String(one.received).padStart(11),
        ...liveCells(one),
      ].join(' '),
    );
  }
  return taken;
}

function liveCells({ live }: Sample): string[] {
  if (live === undefined) return [];
  const { heapBytes, outsideBytes, handles } = live;
  return [
    (heapBytes / 1e6).toFixed(2).padStart(14),
    (outsideBytes / 1e6).toFixed(2).padStart(12),
    String(handles).padStart(9),
  ];
}

/** Kilobytes a minute by which a straight line through some megabytes over time rises. */
function slopeOf(points: readonly MemoryPoint[]): number {
  const mean = (read: (one: MemoryPoint) => number): number =>
    points.reduce((sum, one) => sum + read(one), 0) / points.length;
  const [atMean, memoryMean] = [mean((one) => one.seconds), mean((one) => one.megabytes)];
  const covariance = mean((one) => (one.seconds - atMean) * (one.megabytes - memoryMean));
  const variance = mean((one) => (one.seconds - atMean) ** 2);
  return (covariance / variance) * 60 * 1_000;
}

/** The heap after each collection. What its objects own outside goes up and down with the load. */
function liveOf(taken: readonly Sample[]): MemoryPoint[] {
  return taken.flatMap(({ seconds, live }) =>
    live === undefined ? [] : [{ seconds, megabytes: live.heapBytes / 1e6 }],
  );
}

function report(taken: readonly Sample[]): void {
  const settled = taken.slice(Math.floor(taken.length * WARM_UP_SHARE));
  const memory = settled.map(({ megabytes }) => megabytes);
  const slope = slopeOf(settled);
  const live = liveOf(settled);
  const liveSlope = slopeOf(live);
  console.log(
    `\nafter the first third: ${Math.min(...memory).toFixed(1)} to ` +
      `${Math.max(...memory).toFixed(1)} MB, rising by ${slope.toFixed(0)} kB a minute; ` +
      `alive on the heap: ${live[0]?.megabytes.toFixed(2)} MB at first, ` +
      `${live.at(-1)?.megabytes.toFixed(2)} MB at last, rising by ${liveSlope.toFixed(1)} kB a ` +
      `minute; ${counts.acknowledged} of ${counts.published} publishes ended well, ` +
      `${counts.failed} were cut off by a connection that broke`,
  );
  mkdirSync(values.out, { recursive: true });
  const name = join(values.out, 'soak');
  writeFileSync(
    `${name}.json`,
    `${JSON.stringify({ counts, slope, liveSlope, samples: taken })}\n`,
  );
  writeFileSync(`${name}.svg`, drawMemory(taken, liveOf(taken)));
  console.log(`the picture is ${name}.svg (${readFileSync(`${name}.svg`).length} bytes)`);
}
