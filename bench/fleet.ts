/**
 * Connects a large fleet to one Holdfast at once, each device with its own certificate, and says
 * what that costs: time, memory, processor, and the latency of those who were connected before.
 *
 *     node bench/fleet.ts --devices 10000
 *
 * Needs Linux. Devices and server share the machine, so its cores are shared, too.
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { printedPort, startProcess } from './brokers/run-process.ts';
import { atLeastOne } from './flags.ts';
import { CrewProcess } from './fleet/crew.ts';
import type { Connected, Published } from './fleet/orders.ts';
import { seedFleet } from './fleet/seed-fleet.ts';
import { cpuUsOf, memoryBytesOf } from './measure/process-tree.ts';
import { printRow } from './report/row.ts';

/** Width of the first column. */
const HEAD = 20;

const HELP = `node bench/fleet.ts [options]

  --devices N     devices that connect at once (default: 10000)
  --witnesses N   devices that are connected before, and publish once a second (default: 100)
  --period N      seconds between two messages of a device (default: 10)
  --seconds N     how long the fleet publishes (default: 60)
  --networks N    addresses that the devices come from (default: 1, a site behind one router)
  --out FOLDER    where fleet.json is written (default: bench/results)`;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '10000' },
    witnesses: { type: 'string', default: '100' },
    period: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '60' },
    networks: { type: 'string', default: '1' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
    help: { type: 'boolean', default: false },
  },
});

const FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];
/** How far the fleet runs below server and witnesses in priority. */
const FLEET_NICE = 10;
const WITNESS_PERIOD_MS = 1_000;
/** How long the witnesses are alone with the server. */
const ALONE_MS = 10_000;
/** Until the server has freed what it needed for a while only. */
const SETTLE_MS = 5_000;
const SAMPLE_MS = 500;

/** What the server used in one phase. */
interface Usage {
  readonly seconds: number;
  /** Cores of the machine that the server kept busy. */
  readonly cores: number;
  /** PSS in bytes at the end, and its peak. */
  readonly memoryBytes: number;
  readonly memoryPeakBytes: number;
}

/** One phase: the server, the fleet, and those who were there before. */
interface Phase {
  readonly name: string;
  readonly usage: Usage;
  readonly connected?: Connected;
  readonly fleet?: Published;
  readonly witnesses: Published;
}

if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  const devices = atLeastOne(values.devices);
  const witnesses = atLeastOne(values.witnesses);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-fleet-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? ''}, Node ${process.version}`);
  say(`making ${devices + witnesses} certificates`);
  seedFleet({ folder, devices: devices + witnesses, services: 0 });

  const main = join(import.meta.dirname, 'brokers/holdfast-main.ts');
  const job = JSON.stringify({ dataDir: join(folder, 'data'), isVerifying: true });
  const server = startProcess(process.execPath, [...FLAGS, main, job], { folder });
  const port = await printedPort(server);
  const known = { fleet: join(folder, 'fleet.json'), port, networks: atLeastOne(values.networks) };
  const witness = await CrewProcess.start({ ...known, from: 0, to: witnesses, nice: 0 });
  const all = { from: witnesses, to: witnesses + devices };
  const fleet = await CrewProcess.start({ ...known, ...all, nice: FLEET_NICE });
  const { phases, bytesPerDevice } = await measure({ server, witness, fleet, devices });
  fleet.end();
  witness.end();
  await server.stop();

  print(phases);
  const kilobytes = (bytesPerDevice / 1_000).toFixed(1);
  console.log(`\n${kilobytes} kB of the server for each connected device`);
  mkdirSync(values.out, { recursive: true });
  const result = { devices, witnesses, bytesPerDevice, phases };
  writeFileSync(join(values.out, 'fleet.json'), `${JSON.stringify(result, undefined, 1)}\n`);
}

interface Measuring {
  readonly server: { readonly pid: number };
  readonly witness: CrewProcess;
  readonly fleet: CrewProcess;
  readonly devices: number;
}

async function measure(measuring: Measuring): Promise<{ phases: Phase[]; bytesPerDevice: number }> {
  const { server, witness, fleet, devices } = measuring;
  const phases: Phase[] = [];
  const phase = async (
    name: string,
    act: () => Promise<Pick<Phase, 'connected' | 'fleet'> | void>,
  ): Promise<Phase> => {
    say(name);
    await witness.report();
    const { usage, result } = await watch(server.pid, act);
    const done = { name, usage, ...result, witnesses: await witness.report() };
    phases.push(done);
    return done;
  };
  const connect = async (): Promise<{ connected: Connected }> => ({
    connected: await fleet.connect(),
  });

  await witness.connect();
  await witness.publish(WITNESS_PERIOD_MS);
  await delay(SETTLE_MS);
  const before = await phase('witnesses alone', () => delay(ALONE_MS));
  await phase('all connect in full', connect);
  const after = await phase('all are idle', () => delay(SETTLE_MS));
  await phase('all publish', async () => {
    await fleet.publish(atLeastOne(values.period) * 1_000);
    await delay(atLeastOne(values.seconds) * 1_000);
    const published = await fleet.report();
    await fleet.publish(0);
    return { fleet: published };
  });
  await phase('all are cut off', async () => {
    await fleet.drop();
    await delay(SETTLE_MS);
  });
  await phase('all come back by their tickets', connect);
  await phase('all are idle again', () => delay(SETTLE_MS));
  const grownBytes = after.usage.memoryBytes - before.usage.memoryBytes;
  return { phases, bytesPerDevice: grownBytes / devices };
}

/** Does something and watches the server meanwhile. */
async function watch<T>(pid: number, act: () => Promise<T>): Promise<{ usage: Usage; result: T }> {
  const startMs = performance.now();
  const startUs = cpuUsOf(pid);
  let memoryPeakBytes = 0;
  const sample = (): number => {
    const bytes = memoryBytesOf(pid);
    memoryPeakBytes = Math.max(memoryPeakBytes, bytes);
    return bytes;
  };
  const timer = setInterval(sample, SAMPLE_MS);
  const result = await act();
  clearInterval(timer);
  const seconds = (performance.now() - startMs) / 1_000;
  const cores = (cpuUsOf(pid) - startUs) / 1e6 / seconds;
  return { usage: { seconds, cores, memoryBytes: sample(), memoryPeakBytes }, result };
}

function print(phases: readonly Phase[]): void {
  for (const { name, usage, connected, fleet, witnesses } of phases) {
    const { seconds, cores, memoryBytes, memoryPeakBytes } = usage;
    console.log(`\n${name}: ${seconds.toFixed(1)} s`);
    printRow(['server', HEAD], {
      cores: cores.toFixed(2),
      'MB at the end': inMb(memoryBytes),
      'MB at most': inMb(memoryPeakBytes),
    });
    if (connected !== undefined) {
      printRow(['connected', HEAD], {
        devices: connected.devices,
        resumed: connected.resumed,
        'tried again': connected.retries,
        ...quantiles(connected.connackMs),
        'server CPU ms each': ((1_000 * cores * seconds) / connected.devices).toFixed(2),
        'load CPU ms each': (connected.loadCpuUs / connected.devices / 1_000).toFixed(2),
      });
      for (const problem of connected.problems) console.log(`  ${problem}`);
    }
    if (fleet !== undefined) printPublished('fleet', fleet);
    printPublished('witnesses', witnesses);
  }
}

function printPublished(who: string, published: Published): void {
  const { acknowledged, skipped, lost, pubackMs, latenessMs } = published;
  printRow([`${who}, PUBACK`, HEAD], { acknowledged, skipped, lost, ...quantiles(pubackMs) });
  printRow(['  load late', HEAD], quantiles(latenessMs));
}

function quantiles({ p50, p99, max }: Published['pubackMs']): Record<string, string> {
  return { 'p50 ms': p50.toFixed(1), 'p99 ms': p99.toFixed(1), 'max ms': max.toFixed(1) };
}

function inMb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

/** Progress goes to standard error: the table stays clean. */
function say(text: string): void {
  process.stderr.write(`\u001B[2m… ${text}\u001B[0m\n`);
}
