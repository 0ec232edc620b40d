/** Runs real programs. @module */
import { type ChildProcess, spawn } from 'node:child_process';

/** What a program did. */
export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longer than anything takes on a machine that is slow and busy: these bounds only end what hangs. */
const PROGRAM_MS_MAX = 240_000;
const WAIT_MS_MAX = 120_000;

/** How to run a program. */
export interface RunOptions {
  readonly input?: string | undefined;
  readonly cwd?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  /** Milliseconds after which it is killed. */
  readonly timeoutMs?: number | undefined;
}

/** Runs a program to its end. Never throws for its exit code; throws when it is not installed. */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    timeout: options.timeoutMs ?? PROGRAM_MS_MAX,
    killSignal: 'SIGKILL',
  });
  const output = collect(child);
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => {
      reject(
        new Error(`${command} cannot be run; .ci/run installs what the tests need`, { cause }),
      );
    });
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

/** Gathers what a child prints, as it comes. */
export function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  return output;
}

/** Waits until `look` gives something other than undefined or false. */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = WAIT_MS_MAX,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
