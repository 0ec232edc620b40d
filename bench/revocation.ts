/**
 * How quickly devices are cut off when they are revoked, how many certificates can be issued, and
 * what others have to fetch to learn of 100,000 revocations.
 *
 *     node bench/revocation.ts --devices 1000
 *
 * Needs Linux and openssl. Devices and server share the machine, so its cores are shared, too.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printedPort, startProcess } from './brokers/run-process.ts';
import { atLeastOne } from './flags.ts';
import { seedFleet } from './fleet/seed-fleet.ts';
import { printRow } from './report/row.ts';
import { measureClosing } from './revocation/closing.ts';
import { measureEnrolling } from './revocation/enrolling.ts';
import type { IssuingFigures } from './revocation/issuing-main.ts';

/** Width of the first column. */
const HEAD = 26;

const HELP = `node bench/revocation.ts [options]

  --devices N      connected devices (default: 1000)
  --one-by-one N   of these, revoked one after the other (default: 50)
  --enroll N       devices that enroll over EST (default: 500)
  --revoked N      entries of the revocation list (default: 100000)
  --out FOLDER     where revocation.json is written (default: bench/results)`;

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000' },
    'one-by-one': { type: 'string', default: '50' },
    enroll: { type: 'string', default: '500' },
    revoked: { type: 'string', default: '100000' },
    out: { type: 'string', default: join(import.meta.dirname, 'results') },
    help: { type: 'boolean', default: false },
  },
});

const FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];

if (values.help) console.log(HELP);
else await run();

async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-revocation-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? ''}, Node ${process.version}`);

  say(`a list of ${values.revoked} certificates`);
  const issuing = measureIssuing(folder);
  say(`making ${values.devices} certificates`);
  seedFleet({ folder, devices: atLeastOne(values.devices), services: 0, isMixed: true });
  const main = join(import.meta.dirname, 'brokers/holdfast-main.ts');
  const dataDir = join(folder, 'data');
  const job = JSON.stringify({ dataDir, isVerifying: true });
  const server = startProcess(process.execPath, [...FLAGS, main, job], { folder });
  const known = { fleet: join(folder, 'fleet.json'), dataDir, port: await printedPort(server) };
  say('connecting and revoking');
  const closing = await measureClosing({ ...known, oneByOne: atLeastOne(values['one-by-one']) });
  say('enrolling');
  const enrolling = await measureEnrolling({ dataDir, devices: atLeastOne(values.enroll), server });
  await server.stop();

  for (const { what, devices, closedMs, answeredMs } of closing.acts) {
    printRow([`revoke ${what}`, HEAD], {
      devices,
      'closed p50 ms': closedMs.p50.toFixed(1),
      'p99 ms': closedMs.p99.toFixed(1),
      'max ms': closedMs.max.toFixed(1),
      'answered after ms': answeredMs.toFixed(1),
    });
  }
  printRow(['not revoked', HEAD], { devices: closing.others, lost: closing.othersLost });
  printRow(['enroll over EST', HEAD], {
    'a second': enrolling.perSecond.toFixed(0),
    'server CPU ms each': enrolling.serverCpuMs.toFixed(2),
  });
  for (const [what, cells] of Object.entries(issuing)) printRow([what, HEAD], cells);
  mkdirSync(values.out, { recursive: true });
  const result = { closing, enrolling, issuing };
  writeFileSync(join(values.out, 'revocation.json'), `${JSON.stringify(result, undefined, 1)}\n`);
}

/** A process of its own, so that nothing else is in its memory. */
function measureIssuing(folder: string): IssuingFigures {
  const script = join(import.meta.dirname, 'revocation/issuing-main.ts');
  const job = JSON.stringify({ folder, revoked: atLeastOne(values.revoked) });
  const child = spawnSync(process.execPath, [...FLAGS, '--expose-gc', script, job], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.status !== 0) throw new Error('issuing could not be measured');
  return JSON.parse(child.stdout.toString()) as IssuingFigures;
}

/** Progress goes to standard error: the table stays clean. */
function say(text: string): void {
  process.stderr.write(`\u001B[2m… ${text}\u001B[0m\n`);
}
