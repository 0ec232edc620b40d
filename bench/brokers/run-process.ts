/** Starts and ends the processes of brokers. @module */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, createWriteStream } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endWithUs } from '../measure/children.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;

/** A broker process. */
export interface BrokerProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Ends it with SIGTERM, and with SIGKILL when that takes too long. */
  stop(): Promise<void>;
}

/** Starts a process whose output goes to `log.txt` in its folder. */
export function startProcess(
  command: string,
  args: readonly string[],
  { folder, env }: { folder: string; env?: NodeJS.ProcessEnv },
): BrokerProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: env ?? process.env,
  });
  const log = createWriteStream(join(folder, 'log.txt'));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
    child.on('error', () => resolve());
  });
  endWithUs(child);
  return {
    child,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Waits until a line of the form `{"port": 1234}` is printed. */
export function printedPort({ child }: BrokerProcess): Promise<number> {
  let printed = '';
  return new Promise((resolve, reject) => {
    child.on('close', () => reject(new Error(`the broker ended at its start: ${printed}`)));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const port = /^\{"port": ?(\d+)\}$/m.exec(printed)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

/** Waits until something listens on a port. */
export async function listensOn(port: number, { child }: BrokerProcess): Promise<void> {
  const endMs = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < endMs) {
    if (child.exitCode !== null) throw new Error('the broker ended at its start');
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => resolve(true));
      socket.on('connect', () => socket.destroy());
      socket.on('error', () => resolve(false));
    });
    if (isThere) return;
    await delay(100);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** A port that is free now. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The full path of a command of the system, if it is installed. */
export function findCommand(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
