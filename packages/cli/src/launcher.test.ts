import assert from 'node:assert/strict';
import { type StdioOptions, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { VERSION } from './version.ts';

const PACKAGES = join(import.meta.dirname, '..', '..');
const NODE_MODULES = join(PACKAGES, '..', 'node_modules');
const BIN = join('cli', 'bin', 'holdfast.js');
const SYSTEM_NODE = '/usr/bin/node';

/** Says what it is, then counts signals: SIGTERM ends it with 7 and tells the count. */
const COUNTING_MAIN = `
const signals: string[] = [];
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    signals.push(name);
    console.log(name);
    if (name === 'SIGTERM') {
      console.log(signals.join(' '));
      process.exit(7);
    }
  });
}
process.on('disconnect', () => console.log('alone'));
process.channel?.unref();
console.log(JSON.stringify({ pid: process.pid, argv: process.argv.slice(2), flags: process.execArgv,
  node: process.versions.node }));
setInterval(() => {}, 1_000);
`;

const folder = mkdtempSync(join(tmpdir(), 'holdfast-launcher-'));
after(() => rmSync(folder, { recursive: true }));

/** A copy of the launcher beside a main module of our own. */
function copyWith(name: string, main: string, hasModules = true): string {
  const copy = join(folder, name);
  for (const file of [BIN, join('device', 'bin', 'launch.js')]) {
    cpSync(join(PACKAGES, file), join(copy, file));
  }
  mkdirSync(join(copy, 'cli', 'src'));
  writeFileSync(join(copy, 'cli', 'src', 'main.ts'), main);
  writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
  if (hasModules) symlinkSync(NODE_MODULES, join(copy, 'node_modules'));
  return join(copy, BIN);
}

function major(node: string): number {
  return Number(
    spawnSync(node, ['-p', 'process.versions.node']).stdout.toString().split('.', 1)[0],
  );
}

const nodes = [{ name: 'this Node', path: process.execPath, isOld: false }];
if (existsSync(SYSTEM_NODE) && major(SYSTEM_NODE) >= 18 && major(SYSTEM_NODE) < 26) {
  nodes.push({ name: `Node ${major(SYSTEM_NODE)}`, path: SYSTEM_NODE, isOld: true });
}

/** Starts a process and reads what it prints, line by line. */
function startLines(node: string, args: readonly string[], detached = false) {
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'], detached });
  const text: string[] = [];
  const waiting: (() => void)[] = [];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.push(chunk);
    for (const check of waiting.splice(0)) check();
  });
  const lines = () => text.join('').split('\n').slice(0, -1);
  const closed = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      resolve(code);
    });
  });
  /** Resolves when `count` lines have been printed. */
  const printed = (count: number): Promise<string[]> =>
    new Promise((resolve) => {
      const check = () => (lines().length >= count ? resolve(lines()) : waiting.push(check));
      check();
    });
  return { child, closed, lines, printed };
}

for (const [at, node] of nodes.entries()) {
  describe(`holdfast on ${node.name}`, () => {
    it('runs the command and passes its exit code on', () => {
      const version = spawnSync(node.path, [join(PACKAGES, BIN), '--version'], {
        encoding: 'utf8',
      });
      assert.deepEqual([version.stdout, version.stderr, version.status], [`${VERSION}\n`, '', 0]);
      assert.equal(spawnSync(node.path, [join(PACKAGES, BIN), 'nonsense']).status, 2);
    });

    it('runs on Node 26 or newer with its flags, and passes arguments on unchanged', async () => {
      const launcher = copyWith(`arguments-${at}`, COUNTING_MAIN);
      const given = ['a b', '--x', '', "'$HOME'"];
      const { child, closed, printed } = startLines(node.path, [launcher, ...given]);
      const [facts = ''] = await printed(1);
      const { pid, argv, flags, node: version } = JSON.parse(facts);
      assert.deepEqual(argv, given);
      const guards = ['--disallow-code-generation-from-strings', '--disable-proto=throw'];
      const is26 = Number(version.split('.', 1)[0]) === 26;
      const quickStart = is26 ? ['--wasm-tiering-budget=200000000'] : [];
      assert.deepEqual(flags, [...guards, ...quickStart]);
      assert.ok(Number(version.split('.', 1)[0]) >= 26);
      if (!node.isOld) assert.equal(pid, child.pid, 'there is no process in between');
      child.kill('SIGTERM');
      assert.equal(await closed, 7);
    });

    it('brings each signal to the command once, from a kill and from a terminal', async () => {
      for (const isGroup of [false, true]) {
        const launcher = copyWith(`signals-${at}-${isGroup}`, COUNTING_MAIN);
        const { child, closed, lines, printed } = startLines(node.path, [launcher], true);
        await printed(1);
        const pid = child.pid ?? assert.fail('it did not start');
        const send = (signal: NodeJS.Signals) => process.kill(isGroup ? -pid : pid, signal);
        send('SIGINT');
        await printed(2);
        send('SIGHUP');
        await printed(3);
        send('SIGTERM');
        assert.equal(await closed, 7);
        assert.equal(lines().at(-1), 'SIGINT SIGHUP SIGTERM');
      }
    });

    it('hands over the descriptors that options name, with their numbers', () => {
      const main = `import { readFileSync } from 'node:fs';
        for (const arg of process.argv.slice(2)) {
          const fd = Number(/\\d+$/u.exec(arg)?.[0] ?? NaN);
          if (fd > 2) console.log(fd, readFileSync(fd, 'utf8'));
        }`;
      const launcher = copyWith(`descriptors-${at}`, main);
      const files = ['one', 'two'].map((text) => {
        const path = join(folder, `${text}-${at}`);
        writeFileSync(path, text);
        return openSync(path, 'r');
      });
      const args = [launcher, '--pin-fd', '3', '--passphrase-fd=7'];
      const stdio: StdioOptions = [
        'ignore',
        'pipe',
        'pipe',
        files[0],
        'ignore',
        'ignore',
        'ignore',
      ];
      const { stdout, stderr, status } = spawnSync(node.path, args, {
        stdio: [...stdio, files[1]],
        encoding: 'utf8',
      });
      for (const file of files) closeSync(file);
      assert.deepEqual([stdout, status], ['3 one\n7 two\n', 0], stderr);
    });

    it('ends like a shell says it when the command dies of a signal', async () => {
      const launcher = copyWith(
        `dies-${at}`,
        'console.log(process.pid); setInterval(() => {}, 1e3);',
      );
      const { child, closed, printed } = startLines(node.path, [launcher]);
      const [pid] = await printed(1);
      process.kill(Number(pid), 'SIGKILL');
      const code = await closed;
      if (node.isOld) assert.equal(code, 128 + 9);
      else assert.equal(child.signalCode, 'SIGKILL');
    });

    // Where execve is, there is no launcher left that could be killed, and no other Node to find.
    if (!node.isOld) return;

    it('tells the command when the launcher itself is killed', async () => {
      const launcher = copyWith(`alone-${at}`, COUNTING_MAIN);
      const { child, closed, printed } = startLines(node.path, [launcher]);
      const [facts = ''] = await printed(1);
      child.kill('SIGKILL');
      assert.equal((await printed(2))[1], 'alone');
      process.kill(Number(JSON.parse(facts).pid), 'SIGTERM');
      await closed;
    });

    it('says what to do when Node 26 is missing', () => {
      const launcher = copyWith(`missing-${at}`, COUNTING_MAIN, false);
      const { status, stderr } = spawnSync(node.path, [launcher], { encoding: 'utf8' });
      assert.equal(status, 1);
      assert.match(stderr, /E_CLI_NODE[^]*npm ci/u);
    });
  });
}
