/**
 * Measures Holdfast and other MQTT brokers with the same load, in turns, and prints the ratios.
 *
 *     npm run bench -- --help
 *
 * @module
 */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { TARGETS, type Target } from './brokers/index.ts';
import { type Case, type LatencyCase, capacityCaseName, casesOf, fleetSizeOf } from './cases.ts';
import { type Flags, HELP, parseFlags } from './flags.ts';
import { readFleet } from './fleet/fleet.ts';
import { seedFleet } from './fleet/seed-fleet.ts';
import { readProfiles } from './measure/profile.ts';
import { drawResults } from './report/draw.ts';
import { printCase } from './report/table.ts';
import { type CaseResult, type TargetResult, spreadOf } from './results.ts';
import { type RunContext, runCase } from './run-case.ts';

const TMPFS_MAGIC = 0x01021994;
/** Functions shown of each thread. */
const PROFILE_LINES = 25;

const flags = parseFlags(process.argv.slice(2), join(import.meta.dirname, 'results'));
if (flags.wantsHelp) console.log(HELP);
else await runAll(flags);

async function runAll({ only, brokers, isQuick, ...flags }: Flags): Promise<void> {
  const isWanted = (names: readonly string[], name: string): boolean =>
    names.length === 0 || names.some((wanted) => name.startsWith(wanted));
  const all = casesOf({ isQuick });
  const cases = all.filter(({ name }) => isWanted(only, name));
  const targets = TARGETS.filter(({ name }) => isWanted(brokers, name));
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  describeMachine(folder);
  const profiles = flags.isProfiling ? join(folder, 'profiles') : undefined;
  const { publishThreads, out } = flags;
  const context = { ...seed(folder, cases, all), publishThreads, profiles };
  const results: CaseResult[] = [];
  for (const one of cases) {
    const result = await measure(one, { targets, rounds: flags.rounds, context, all, results });
    results.push(result);
    printCase(result);
    if (profiles !== undefined) keepProfiles(profiles, one, out);
    mkdirSync(out, { recursive: true });
    const name = isQuick ? 'quick' : 'latest';
    writeFileSync(join(out, `${name}.json`), `${JSON.stringify(results, undefined, 1)}\n`);
    writeFileSync(join(out, `${name}.svg`), drawResults(results));
  }
}

function describeMachine(folder: string): void {
  const [cpu] = cpus();
  console.log(`${cpus().length} cores, ${cpu?.model ?? ''}, Node ${process.version}`);
  if (statfsSync(folder).type === TMPFS_MAGIC) {
    console.log(`WARNING: ${folder} is in memory: what is said to be durable is not.`);
  }
}

function seed(
  folder: string,
  cases: readonly Case[],
  all: readonly Case[],
): Omit<RunContext, 'publishThreads' | 'profiles'> {
  const capacities = cases
    .filter((one) => one.kind === 'latency')
    .map((one) => capacityCase(one, all));
  const size = fleetSizeOf([...cases, ...capacities]);
  say(`making ${size.devices} devices and ${size.services} services`);
  seedFleet({ folder, ...size });
  const fleetPath = join(folder, 'fleet.json');
  return { folder, fleetPath, fleet: readFleet(fleetPath), dataTemplate: join(folder, 'data') };
}

interface Measuring {
  readonly targets: readonly Target[];
  readonly rounds: number;
  readonly context: RunContext;
  readonly all: readonly Case[];
  /** What was measured before. */
  readonly results: readonly CaseResult[];
}

/** All rounds of a case: in each, all brokers take turns. */
async function measure(one: Case, measuring: Measuring): Promise<CaseResult> {
  const { targets, rounds, context } = measuring;
  const rates = new Map<string, number>();
  const measured = targets.map((target): TargetResult => {
    const { name, what } = target;
    return { name, what, missing: target.missing(), runs: [] };
  });
  for (let round = 1; round <= rounds; round += 1) {
    for (const [at, target] of targets.entries()) {
      const result = measured[at];
      if (result === undefined || result.missing !== undefined) continue;
      say(`${one.name}, round ${round} of ${rounds}: ${target.name}`);
      if (one.kind === 'latency' && !rates.has(target.name)) {
        rates.set(target.name, one.share * (await capacityOf(target, one, measuring)));
      }
      const rate = rates.get(target.name);
      result.runs.push(await runCase(target, one, context, { rate }));
    }
  }
  for (const [at, target] of targets.entries()) {
    const result = measured[at];
    if (result !== undefined)
      result.fsyncsPerThousand = await fsyncsOf(target, one, result, context);
  }
  const { name, title, kind } = one;
  return { name, title, kind, targets: measured };
}

/** Messages a second that a broker was measured to carry, or is now. */
async function capacityOf(
  target: Target,
  one: LatencyCase,
  { all, results, context }: Measuring,
): Promise<number> {
  const name = capacityCaseName(one);
  const known = results.find((result) => result.name === name);
  const runs = known?.targets.find((result) => result.name === target.name)?.runs ?? [
    await runCase(target, capacityCase(one, all), context),
  ];
  const spread = spreadOf(runs.map(({ flow }) => flow && flow.delivered / flow.seconds));
  return spread?.median ?? 0;
}

function capacityCase(one: LatencyCase, all: readonly Case[]): Case {
  const found = all.find(({ name }) => name === capacityCaseName(one));
  if (found === undefined) throw new Error(`no case ${capacityCaseName(one)}`);
  return found;
}

/** Counts the fsyncs of one more run; only for what stores messages, and where strace is. */
async function fsyncsOf(
  target: Target,
  one: Case,
  { runs }: TargetResult,
  context: RunContext,
): Promise<number | undefined> {
  const isStoring = runs.some(({ stop, flow }) => flow && stop?.storedMessages !== undefined);
  if (one.kind !== 'flow' || !isStoring) return undefined;
  say(`${one.name}, counting fsyncs: ${target.name}`);
  const { flow, stop } = await runCase(target, one, context, { countsFsyncs: true });
  if (flow === undefined || stop?.fsyncs === undefined) return undefined;
  return (stop.fsyncs / flow.total.sent) * 1_000;
}

/** Prints where the time went, and keeps the profiles for Chrome's developer tools. */
function keepProfiles(profiles: string, { name }: Case, out: string): void {
  if (!existsSync(profiles)) return;
  for (const folder of readdirSync(profiles).filter((folder) => folder.startsWith(name))) {
    console.log(`\n${folder}: self time by thread`);
    for (const line of readProfiles(join(profiles, folder), PROFILE_LINES)) console.log(line);
    cpSync(join(profiles, folder), join(out, 'profiles', folder), { recursive: true });
  }
}

/** Progress goes to standard error: the table stays clean. */
function say(text: string): void {
  process.stderr.write(`\u001B[2m… ${text}\u001B[0m\n`);
}
