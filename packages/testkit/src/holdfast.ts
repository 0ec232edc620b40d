/** Runs the `holdfast` command and its server as a user does. @module */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Client, createClient } from '@holdfast/client';
import { type Run, type RunOptions, collect, run, waitFor } from './run.ts';

/** A machine that runs many things beside may need long for what else takes a second. */
const START_MS_MAX = 30_000;

const COMMAND = join(import.meta.dirname, '../../cli/bin/holdfast.js');

/** Runs `holdfast …` to its end. */
export function holdfast(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return run(process.execPath, [COMMAND, ...args], options);
}

/** A folder that is removed after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
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

/** Starts `holdfast up` on a data folder, on free ports unless some are given. */
export async function startServer(
  t: TestContext,
  {
    dataDir,
    args = [],
    env = {},
  }: {
    dataDir: string;
    args?: readonly string[];
    /** In addition to the environment of the test. */
    env?: Readonly<Record<string, string>>;
  },
): Promise<ServerProcess> {
  const ports = ['--broker-port', '0', '--api-port', '0', '--enroll-port', '0'];
  const all = [COMMAND, 'up', '--data', dataDir, '--log', 'json', ...ports, ...args];
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
  const found = await waitFor('the server to be up', isUp, START_MS_MAX);
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

function localAccess(dataDir: string): { url: string; token: string; anchorPem: string } {
  return JSON.parse(readFileSync(join(dataDir, 'cli.json'), 'utf8')) as ReturnType<
    typeof localAccess
  >;
}
