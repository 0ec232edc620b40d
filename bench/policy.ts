/**
 * Whether a change of the policy slows publishing, and how quickly it is in force: connected
 * devices publish at an even rate, first undisturbed, then while another policy is set once a
 * second; in the end one of four groups loses its subscriptions, and its connections with them.
 *
 *     node bench/policy.ts --devices 1000 --rate 2000
 *
 * Needs Linux. Devices and server share the machine, so its cores are shared, too.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Client } from '@holdfast/client';
import { printedPort, startProcess } from './brokers/run-process.ts';
import { atLeastOne } from './flags.ts';
import { FleetDevice } from './fleet/fleet-device.ts';
import { readFleet } from './fleet/fleet.ts';
import { seedFleet } from './fleet/seed-fleet.ts';
import type { Quantiles } from './load/job.ts';
import { quantilesOf } from './load/threads.ts';
import { printRow } from './report/row.ts';
import { localClient } from './revocation/closing.ts';

/** Width of the first column. */
const HEAD = 22;

const HELP = `node bench/policy.ts [options]

  --devices N    connected devices (default: 1000)
  --rate N       messages a second, of all together (default: 2000)
  --seconds N    length of each measurement (default: 15)
  --out FOLDER   where policy.json is written (default: bench/results)`;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '15' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
    help: { type: 'boolean', default: false },
  },
});

const FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];
const TICK_MS = 1;
const WARM_UP_MS = 3_000;
const BETWEEN_CHANGES_MS = 1_000;
const WAIT_MS = 10_000;

/** Takes the commands away from every fourth device. */
const NO_COMMANDS = `
forbid (principal in Group::"site-2", action == Action::"subscribe", resource);`;

/** What was published while it was measured. */
interface Published {
  readonly perSecond: number;
  readonly pubackMs: Quantiles;
  readonly changes: number;
  /** Until a change was answered; it holds for the next message then. */
  readonly answeredMs: Quantiles;
}

if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-policy-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? ''}, Node ${process.version}`);
  seedFleet({ folder, devices: atLeastOne(values.devices), services: 0, isMixed: true });
  const main = join(import.meta.dirname, 'brokers/holdfast-main.ts');
  const dataDir = join(folder, 'data');
  const job = JSON.stringify({ dataDir, isVerifying: true });
  const server = startProcess(process.execPath, [...FLAGS, main, job], { folder });
  const port = await printedPort(server);
  const client = localClient(dataDir);
  const { text } = await client.policy();
  const devices = await connectAll(join(folder, 'fleet.json'), port);
  const lengthMs = atLeastOne(values.seconds) * 1_000;

  await publish(devices, WARM_UP_MS);
  const undisturbed = await publish(devices, lengthMs);
  const changing = await publish(devices, lengthMs, async (n) => {
    await client.setPolicy({ text: `${text}\n// ${n}`, reason: 'bench' });
  });
  const again = await publish(devices, lengthMs);
  const closing = await takeAway(client, text, devices);
  for (const device of devices) device.drop();
  client.close();
  await server.stop();

  for (const [what, figures] of Object.entries({ undisturbed, changing, again })) {
    const { perSecond, pubackMs, changes, answeredMs } = figures;
    printRow([what, HEAD], {
      'acknowledged a second': perSecond.toFixed(0),
      'PUBACK p50 ms': pubackMs.p50.toFixed(1),
      'p99 ms': pubackMs.p99.toFixed(1),
      'max ms': pubackMs.max.toFixed(1),
      changes,
      ...(changes > 0 && { 'in force after p50 ms': answeredMs.p50.toFixed(1) }),
      ...(changes > 0 && { 'at most ms': answeredMs.max.toFixed(1) }),
    });
  }
  printRow(['subscriptions taken', HEAD], {
    devices: closing.devices,
    'closed p50 ms': closing.closedMs.p50.toFixed(1),
    'p99 ms': closing.closedMs.p99.toFixed(1),
    'max ms': closing.closedMs.max.toFixed(1),
    'others closed': closing.othersClosed,
  });
  mkdirSync(values.out, { recursive: true });
  const result = { undisturbed, changing, again, closing };
  writeFileSync(join(values.out, 'policy.json'), `${JSON.stringify(result, undefined, 1)}\n`);
}

async function connectAll(fleet: string, port: number): Promise<FleetDevice[]> {
  const { devices: members, anchorPem } = readFleet(fleet);
  const devices = members.map(
    (member) => new FleetDevice({ member, port, anchorPem, localAddress: '127.0.1.1' }),
  );
  await Promise.all(
    devices.map(
      (device) =>
        new Promise<void>((resolve, reject) => {
          device.onOpen = () => device.subscribe();
          device.onSubscribed = (isGranted) =>
            isGranted ? resolve() : reject(new Error('a subscription was refused'));
          device.connect();
        }),
    ),
  );
  return devices;
}

/** Publishes at the rate, and meanwhile carries out a change once a second. */
async function publish(
  devices: readonly FleetDevice[],
  lengthMs: number,
  change?: (n: number) => Promise<void>,
): Promise<Published> {
  const pubackMs: number[] = [];
  for (const device of devices) {
    device.onAcknowledged = (dueMs) => pubackMs.push(performance.now() - dueMs);
  }
  const startMs = performance.now();
  const everyMs = 1_000 / atLeastOne(values.rate);
  let sent = 0;
  const timer = setInterval(() => {
    for (; startMs + sent * everyMs <= performance.now(); sent += 1) {
      const device = devices[sent % devices.length];
      if (device?.isOpen === true && device.waitingSinceMs === 0) {
        device.publish(startMs + sent * everyMs);
      }
    }
  }, TICK_MS);
  const answeredMs: number[] = [];
  const endMs = startMs + lengthMs;
  if (change !== undefined) {
    while (performance.now() + BETWEEN_CHANGES_MS < endMs) {
      const beganMs = performance.now();
      await change(answeredMs.length);
      answeredMs.push(performance.now() - beganMs);
      await delay(BETWEEN_CHANGES_MS);
    }
  }
  await delay(Math.max(0, endMs - performance.now()));
  clearInterval(timer);
  const perSecond = (1_000 * pubackMs.length) / (performance.now() - startMs);
  await delay(500);
  return {
    perSecond,
    pubackMs: quantilesOf(Float32Array.from(pubackMs)),
    changes: answeredMs.length,
    answeredMs: quantilesOf(Float32Array.from(answeredMs)),
  };
}

async function takeAway(
  client: Client,
  text: string,
  devices: readonly FleetDevice[],
): Promise<{ devices: number; closedMs: Quantiles; othersClosed: number }> {
  const closedMs: number[] = [];
  // As the fleet is seeded: every fourth device is of the same group.
  const those = devices.filter((_device, at) => at % 4 === 2);
  const others = devices.filter((_device, at) => at % 4 !== 2);
  const startMs = performance.now();
  for (const device of those) {
    device.onLost = () => {
      closedMs.push(performance.now() - startMs);
      device.drop();
    };
  }
  await client.setPolicy({ text: text + NO_COMMANDS, reason: 'bench' });
  while (closedMs.length < those.length && performance.now() - startMs < WAIT_MS) await delay(10);
  return {
    devices: closedMs.length,
    closedMs: quantilesOf(Float32Array.from(closedMs)),
    othersClosed: others.filter(({ lost }) => lost > 0).length,
  };
}
