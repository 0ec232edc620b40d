/** What `npm test` does: types, lint, format, unit tests, then tests across packages. @module */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

/** One program. */
interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

interface Step {
  readonly name: string;
  /** They run beside each other; what all but the first one print is shown when they have ended. */
  readonly lanes: readonly Command[];
}

/** Longer than any test takes on a machine that is slow and busy: these bounds only end what hangs. */
const TEST_MS_MAX = 600_000;
const STEP_MS_MAX = 2_700_000;

/** Those of `packages/device/bin/launch.js`, and with them what was compiled for it. */
const TEST_FLAGS = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=throw',
  '--wasm-tiering-budget=200000000',
  '--test',
  `--test-timeout=${TEST_MS_MAX}`,
];

/** Files of tests that run beside each other: as many as the machine of CI has processors. */
const PARALLEL = 2;

/**
 * Packages whose unit tests share one process: they compute, and put back what they change of it. To
 * start a process for each of their files would take longer than most of the tests.
 */
const PURE = new Set(['cli', 'client', 'console', 'firmware', 'protocol']);

/** Tests across packages that hardly use a processor: they run one by one beside all others. */
const WAITING: Readonly<Record<string, string>> = {
  'test/e2e/agent.test.ts': 'the agent is killed at moments spread over some seconds of waiting',
  'test/e2e/console-updates.test.ts': 'the page looks again every few seconds',
  'test/e2e/mender.test.ts': 'mender-client waits a minute, built in, after its line was cut',
  'test/e2e/swupdate.test.ts': 'swupdate asks and pauses by seconds',
  'test/integration/s3.test.ts':
    'the daemons of the gateway wait for each other, 12 s at the start',
};

/** What Node has compiled, for the next process that loads it: a third of the time of all tests. */
const COMPILED = join(import.meta.dirname, '../node_modules/.cache/compiled-for-tests');

const unitTests = globSync('packages/*/src/**/*.test.ts').sort();
const otherTests = globSync('test/**/*.test.ts').sort();
const isPure = (file: string): boolean => PURE.has(file.split('/')[1] ?? '');
const isWaiting = (file: string): boolean => Object.hasOwn(WAITING, file);

function testsOf(files: readonly string[], ...flags: string[]): Command {
  return { command: 'node', args: [...TEST_FLAGS, ...flags, ...files] };
}

/** So many files at a time, each in a process of its own. */
const atATime = (count: number): string => `--test-concurrency=${count}`;

function step(name: string, command: string, ...args: string[]): Step {
  return { name, lanes: [{ command, args }] };
}

const STEPS: readonly Step[] = [
  step('types', 'tsc', '--noEmit'),
  step('types of the console', 'tsc', '--noEmit', '-p', 'packages/console'),
  step('build of the console', 'npm', 'run', '--silent', 'build'),
  step('lint', 'oxlint', '--type-aware', '--deny-warnings'),
  step('format', 'oxfmt', '--check'),
  step('docs', 'node', 'tools/docs.ts', '--check'),
  {
    name: 'unit tests',
    lanes: [
      testsOf(
        unitTests.filter((file) => !isPure(file)),
        atATime(PARALLEL),
      ),
      testsOf(unitTests.filter(isPure), '--test-isolation=none'),
    ],
  },
  {
    name: 'tests across packages',
    lanes: [
      testsOf(
        otherTests.filter((file) => !isWaiting(file)),
        atATime(PARALLEL),
      ),
      testsOf(otherTests.filter(isWaiting), atATime(1)),
    ],
  },
];

/** Runs a program to its end. @param isShown - now, or when it has ended. */
function run({ command, args }: Command, isShown: boolean): Promise<number> {
  return new Promise((resolve) => {
    const env = { ...process.env, NODE_COMPILE_CACHE: COMPILED };
    const output = isShown ? 'inherit' : 'pipe';
    const stdio = ['inherit', output, output] as const;
    // Node's test runner says at SIGTERM which file still runs.
    const child = spawn(command, args, { env, stdio: [...stdio], timeout: STEP_MS_MAX });
    const held: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => held.push(chunk));
    }
    child.on('error', (error) => {
      console.error(`${command} cannot be started: ${error.message}. Run it by: npm test`);
      resolve(1);
    });
    child.on('close', (code) => {
      process.stdout.write(Buffer.concat(held));
      resolve(code ?? 1);
    });
  });
}

const wanted = process.argv.slice(2);
for (const { name, lanes } of STEPS) {
  if (wanted.length > 0 && !wanted.includes(name.split(' ')[0] ?? '')) continue;
  const startMs = performance.now();
  console.log(`\n── ${name}`);
  const codes = await Promise.all(lanes.map((lane, at) => run(lane, at === 0)));
  const code = codes.find((one) => one !== 0) ?? 0;
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  console.log(`── ${name}: ${code === 0 ? 'good' : 'FAILED'} (${seconds} s)`);
  if (code !== 0) process.exit(code);
}
