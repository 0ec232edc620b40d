/** Where the keys of simulated devices are kept: a folder for nobody else, one for each server. @module */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, systemCode } from '../failure.ts';
import type { World } from '../world.ts';
import { simulationFailure } from './simulation-failure.ts';

const SETTINGS = 'simulation.json';
const LOCK = 'lock';
const OTHERS = 0o077;

/** The folder of the simulation of one server. */
export class SimulationFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * The folder for a server, whether it is there or not.
   * @param serverKey - what tells servers apart: the key that their logs are signed with
   */
  static of({ env, home }: Pick<World, 'env' | 'home'>, serverKey: string): SimulationFolder {
    const base = env['XDG_STATE_HOME'] ?? '';
    const state = base === '' ? join(home, '.local', 'state') : base;
    const name = createHash('sha256').update(serverKey).digest('hex').slice(0, 16);
    return new SimulationFolder(join(state, 'holdfast', 'simulated', name));
  }

  get exists(): boolean {
    return existsSync(this.path);
  }

  /** Makes it if need be. @throws Failure `E_CLI_FILE` when others could read or write in it. */
  make(): void {
    try {
      mkdirSync(join(this.path, 'devices'), { recursive: true, mode: 0o700 });
      const { mode, uid } = statSync(this.path);
      const isOurs = process.geteuid === undefined || uid === process.geteuid();
      if (isOurs && (mode & OTHERS) === 0) return;
    } catch (cause) {
      throw unusable(this.path, systemCode(cause), cause);
    }
    throw unusable(this.path, 'Others on this machine could read the keys in it.');
  }

  /** The bundle of a device. */
  bundleOf(id: string): string {
    return join(this.path, 'devices', id);
  }

  hasKeysOf(id: string): boolean {
    return existsSync(this.bundleOf(id));
  }

  /** Number of the simulation whose keys are here; undefined before the first one. */
  get run(): number | undefined {
    const path = join(this.path, SETTINGS);
    if (!existsSync(path)) return undefined;
    const [, run] =
      /^\{"version":1,"run":([1-9]\d{0,5})\}\n$/u.exec(readFileSync(path, 'utf8')) ?? [];
    if (run !== undefined) return Number(run);
    throw simulationFailure(
      `${path} is damaged.`,
      'Remove the simulation: holdfast simulate remove.',
    );
  }

  keepRun(run: number): void {
    const path = join(this.path, SETTINGS);
    writeFileSync(`${path}.partial`, `{"version":1,"run":${run}}\n`, { mode: 0o600 });
    renameSync(`${path}.partial`, path);
  }

  /**
   * Keeps the folder for this process: two that use the same counters would be taken for replays.
   * @returns what gives it back
   * @throws Failure when another process has it
   */
  lock(): () => void {
    const path = join(this.path, LOCK);
    const owner = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
    if (owner > 0 && isRunning(owner)) throw busy(owner);
    rmSync(path, { force: true });
    try {
      writeFileSync(path, `${process.pid}\n`, { mode: 0o600, flag: 'wx' });
    } catch (cause) {
      if (systemCode(cause) === 'EEXIST') throw busy(0);
      throw unusable(this.path, systemCode(cause), cause);
    }
    return () => rmSync(path, { force: true });
  }

  /** Deletes all keys. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // It is there, and belongs to somebody else.
    return systemCode(error) === 'EPERM';
  }
}

function busy(processId: number): Failure {
  const which = processId === 0 ? '' : ` (process ${processId})`;
  return simulationFailure(
    `A simulation of this server is running already${which}.`,
    'Stop it first, by Ctrl-C in its terminal.',
  );
}

function unusable(path: string, why: string | undefined, cause?: unknown): Failure {
  return new Failure('E_CLI_FILE', {
    what: `${path} cannot keep the keys of simulated devices.`,
    why,
    fix: 'It has to be a folder of yours alone: chmod 700, or remove it if nobody needs it.',
    cause,
  });
}
