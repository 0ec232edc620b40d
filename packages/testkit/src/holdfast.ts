/** Runs the `holdfast` command and its server as a user does. @module */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Client, createClient } from '@holdfast/client';
import { onFreePorts } from './next-ports.ts';
import { type Run, type RunOptions, collect, run, waitFor } from './run.ts';

/**
 * With the flags for which the launcher would start Node a second time; whether it does is for
 * `launcher.test.ts` to see.
 */
const COMMAND = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=throw',
  '--wasm-tiering-budget=200000000',
  join(import.meta.dirname, '../../cli/bin/holdfast.js'),
];

/** A folder that got another file while it was removed is removed again, after a growing pause. */
const REMOVALS_MAX = 10;

/** Runs `holdfast …` to its end. */
export function holdfast(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(process.execPath, [...COMMAND, ...args], options);
}

/** A folder that is removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  // A server that the test started in it ends in a later hook, and may make one more file meanwhile.
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: REMOVALS_MAX }));
  return folder;
}

/** A server that runs in a process of its own. */
export interface ServerProcess {
  readonly dataDir: string;
  readonly pid: number;
  readonly ports: { readonly broker: number; readonly api: number; readonly enroll: number };
  /** What it printed so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Runs a command against it. */
  cli(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** A client of its API, with the token of the data folder. */
  client(): Client;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** What ends with whoever started it: a test, or a benchmark. */
export interface Lifetime {
  after(task: () => Promise<void>): void;
}

/** How to start a server. */
interface ServerOptions {
  readonly dataDir: string;
  readonly args?: readonly string[];
  /** In addition to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `holdfast up` on a data folder, on free ports unless some are given. */
export function startServer(t: Lifetime, options: ServerOptions): Promise<ServerProcess> {
  return onFreePorts(({ broker, api, enroll }) => {
    const ports = ['--broker-port', broker, '--api-port', api, '--enroll-port', enroll];
    return startProcess(t, { ...options, args: [...ports.map(String), ...(options.args ?? [])] });
  });
}

async function startProcess(
  t: Lifetime,
  { dataDir, args = [], env = {} }: ServerOptions,
): Promise<ServerProcess> {
  const all = [...COMMAND, 'up', '--data', dataDir, '--log', 'json', ...args];
  const child = spawn(process.execPath, all, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const output = collect(child);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const port = (scheme: string, at: number): number | undefined => {
    const found = [...output.stderr.matchAll(new RegExp(`${scheme}://[^:/\\s]+:(\\d+)`, 'g'))][at];
    return found === undefined ? undefined : Number(found[1]);
  };
  const isUp = (): ServerProcess['ports'] | undefined => {
    if (hasEnded) throw new Error(`the server ended: ${output.stdout}${output.stderr}`);
    const broker = port('mqtts', 0);
    const api = port('https', 0);
    const enroll = port('https', 1);
    return broker !== undefined && api !== undefined && enroll !== undefined
      ? { broker, api, enroll }
      : undefined;
  };
  const found = await waitFor('the server to be up', isUp);
  return {
    dataDir,
    pid: child.pid ?? 0,
    ports: found,
    output,
    cli: (args, options) => holdfast([...args, '--data', dataDir], options),
    client: () => createClient(localAccess(dataDir)),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

/** How the first operator of a data folder gets in. */
export function localAccess(dataDir: string): { url: string; token: string; anchorPem: string } {
  return JSON.parse(readFileSync(join(dataDir, 'cli.json'), 'utf8')) as ReturnType<
    typeof localAccess
  >;
}
