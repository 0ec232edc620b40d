/** Processes of the supervisor: the program, and the agent, which speaks over a channel. @module */
import { type ChildProcess, spawn } from 'node:child_process';
import { STOP_MS_MAX } from './limits.ts';
import type { AgentWord, SupervisedProcess } from './supervisor.ts';

/** What to start. */
export interface ProcessStart {
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Hears what the process says over a channel; without it there is none. */
  readonly hear?: (word: AgentWord) => void;
}

/** Starts a process with the terminal or log of this one. */
export function startProcess({ command, env, hear }: ProcessStart): SupervisedProcess {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit', ...(hear === undefined ? [] : (['ipc'] as const))],
    env: { ...process.env, ...env },
  });
  if (hear !== undefined) {
    child.on('message', (word) => {
      if (word === 'restart' || word === 'waiting') hear(word);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  return { ended, stop: () => stopProcess(child, ended) };
}

async function stopProcess(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
  await ended;
  clearTimeout(force);
}
