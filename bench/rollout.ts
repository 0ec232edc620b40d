/**
 * A fleet through a rollout in which the new release fails on some devices: over the real HTTPS
 * interface, with mutual TLS, while devices and the server are killed at random moments.
 *
 *     node bench/rollout.ts --devices 2000
 *
 * Devices and server share the machine, so its cores are shared, too. Needs Linux.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { RolloutView } from '@holdfast/protocol/api';
import { isOfShare } from '@holdfast/testkit';
import { People } from '../test/integration/firmware-people.ts';
import { Crews } from './rollout/crews.ts';
import { Server } from './rollout/server.ts';

const HELP = `node bench/rollout.ts [options]

  --devices N      devices (default: 2000)
  --crews N        processes that they are in (default: 8)
  --kills N        SIGKILLs at random moments (default: 20); a third of them hit the server
  --poll SECONDS   between two polls of a device (default: 10)
  --seed N         of the random moments (default: 1)
  --out FOLDER     where rollout.json is written (default: bench/results)`;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '2000' },
    crews: { type: 'string', default: '8' },
    kills: { type: 'string', default: '20' },
    poll: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
    help: { type: 'boolean', default: false },
  },
});

const OLD = 'thermo@1.0.0';
const BAD = 'thermo@2.0.0';
const FIX = 'thermo@2.0.1';
const FAILING = 0.08;
const STEP_MS = 200;
const IDLE_MS = 20_000;
const LOOK_MS = 500;

if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  const [devices, kills] = [Number(values.devices), Number(values.kills)];
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-rollout-'));
  const cleanUps: (() => Promise<void>)[] = [];
  process.once('SIGINT', () => process.exit(130));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? ''}, Node ${process.version}`);
  say(`making ${devices} devices`);
  const seeder = join(import.meta.dirname, 'fleet/seed.ts');
  const size = JSON.stringify({ folder, devices, services: 0 });
  const { status } = spawnSync(process.execPath, [seeder, size], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the fleet could not be made');
  const server = new Server(join(folder, 'data'), { after: (task) => void cleanUps.push(task) });
  await server.start();
  try {
    await measure(server, { folder, devices, kills });
  } finally {
    for (const task of cleanUps.reverse()) await task();
  }
}

async function measure(
  server: Server,
  { folder, devices, kills }: { folder: string; devices: number; kills: number },
): Promise<void> {
  say('the ceremony, and three releases');
  const people = new People();
  await people.init(server.client);
  for (const version of ['1.0.0', '2.0.0', '2.0.1']) await people.release(server.client, version);
  const crews = new Crews(jobsOf(folder, devices, server.url));
  process.once('exit', () => crews.stop());
  try {
    crews.start();
    const all = { stages: [{ select: { percent: 100 } }] };
    say('waiting for all devices to tell their hardware');
    const told = async (): Promise<boolean> =>
      (await server.client.planRollout({ release: BAD, plan: all })).devices === devices;
    while (!(await told())) await wait(LOOK_MS);
    const idle = await idleFigures(server, crews);

    say('the rollout');
    const plan = { ...all, pauseOn: { failures: 0.04 }, inProgressMax: Math.ceil(devices / 5) };
    const draft = await server.client.draftRollout({ release: BAD, plan });
    const beganMs = performance.now();
    const cpuBefore = server.cpuSeconds;
    await server.client.startRollout(draft.id, 'the benchmark');
    const killing = killAtRandom(server, crews, kills);
    const paused = await until(server, draft.id, ({ state }) => state === 'paused');
    const pausedAfterS = (performance.now() - beganMs) / 1_000;
    await killing;
    const settled = await until(server, draft.id, isSettled);
    const onReleases = crews.running();
    const strays = crews
      .disks()
      .filter(({ id, disk }) => isOfShare(id, FAILING) && disk.running !== OLD).length;
    say('rolling forward');
    const forwardMs = performance.now();
    const { id } = await server.client.forwardRollout(draft.id, { release: FIX, reason: 'a fix' });
    await until(server, id, ({ counts }) => counts.confirmed === devices);
    const results = {
      devices,
      kills,
      idle,
      pausedAfterS,
      pausedBy: paused.stateBy,
      pauseReason: paused.stateReason,
      settled: settled.counts,
      onReleases,
      failedOnAnotherRelease: strays,
      forwardS: (performance.now() - forwardMs) / 1_000,
      onReleasesAtTheEnd: crews.running(),
      serverCpuS: server.cpuSeconds - cpuBefore,
    };
    console.log(JSON.stringify(results, undefined, 2));
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, 'rollout.json'), `${JSON.stringify(results, undefined, 1)}\n`);
  } finally {
    crews.stop();
  }
}

/** What a fleet costs that has nothing to do. */
async function idleFigures(server: Server, crews: Crews): Promise<Record<string, number>> {
  say(`${IDLE_MS / 1_000} s of polls alone`);
  crews.answers();
  const [cpuBefore, beganMs] = [server.cpuSeconds, performance.now()];
  await wait(IDLE_MS);
  const seconds = (performance.now() - beganMs) / 1_000;
  const answers = crews.answers();
  const polls = Object.values(answers).reduce((sum, count) => sum + count, 0);
  const cpu = server.cpuSeconds - cpuBefore;
  return {
    pollsPerSecond: polls / seconds,
    share304: (answers['304'] ?? 0) / polls,
    serverCpuShare: cpu / seconds,
    serverCpuMsPerPoll: (cpu / polls) * 1_000,
  };
}

async function killAtRandom(server: Server, crews: Crews, kills: number): Promise<void> {
  let state = Number(values.seed);
  // Park and Miller: the same moments for the same seed.
  const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let kill = 1; kill <= kills; kill += 1) {
    await wait(500 + random() * 1_500);
    const isServer = kill % 3 === 0;
    say(`SIGKILL ${kill} of ${kills}: ${isServer ? 'the server' : 'a crew'}`);
    if (isServer) await server.kill();
    else await crews.kill(Math.floor(random() * Number(values.crews)));
  }
}

async function until(
  server: Server,
  id: string,
  isSo: (rollout: RolloutView) => boolean,
): Promise<RolloutView> {
  for (;;) {
    try {
      const rollout = await server.client.rollout(id);
      if (isSo(rollout)) return rollout;
    } catch (error) {
      // It was killed just now.
      if (!(error instanceof Error) || !error.message.includes('cannot be reached')) throw error;
    }
    await wait(LOOK_MS);
  }
}

function isSettled({ counts }: RolloutView): boolean {
  return counts.offered + counts.downloading + counts.staged + counts.trial === 0;
}

function jobsOf(folder: string, devices: number, url: string) {
  const crews = Number(values.crews);
  return Array.from({ length: crews }, (_, at) => ({
    fleetPath: join(folder, 'fleet.json'),
    from: Math.floor((at * devices) / crews),
    to: Math.floor(((at + 1) * devices) / crews),
    url,
    diskPath: join(folder, `crew-${at}.disk`),
    pollMs: Number(values.poll) * 1_000,
    stepMs: STEP_MS,
    running: OLD,
    bad: BAD,
    failing: FAILING,
  }));
}

function say(what: string): void {
  process.stderr.write(`… ${what}\n`);
}
