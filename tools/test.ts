/** What `npm test` does: types, lint, format, unit tests, then tests across packages. @module */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const unitTests = globSync('packages/*/src/**/*.test.ts').sort();
const otherTests = globSync('test/**/*.test.ts').sort();

const TEST_FLAGS = ['--disallow-code-generation-from-strings', '--disable-proto=throw', '--test'];

const STEPS: readonly Step[] = [
  { name: 'types', command: 'tsc', args: ['--noEmit'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', command: 'oxfmt', args: ['--check'] },
  { name: 'docs', command: 'node', args: ['tools/docs.ts', '--check'] },
  {
    name: 'unit tests',
    command: 'node',
    args: [...TEST_FLAGS, '--test-concurrency=2', ...unitTests],
  },
  // One at a time: they start servers and real clients, which compete for the processor.
  {
    name: 'tests across packages',
    command: 'node',
    args: [...TEST_FLAGS, '--test-concurrency=1', ...otherTests],
  },
];

function run({ command, args }: Step): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    child.on('error', (error) => {
      console.error(`${command} cannot be started: ${error.message}. Run it by: npm test`);
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

const wanted = process.argv.slice(2);
for (const step of STEPS) {
  if (wanted.length > 0 && !wanted.includes(step.name.split(' ')[0] ?? '')) continue;
  const startMs = performance.now();
  console.log(`\n── ${step.name}`);
  const code = await run(step);
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  console.log(`── ${step.name}: ${code === 0 ? 'good' : 'FAILED'} (${seconds} s)`);
  if (code !== 0) process.exit(code);
}
