/** What a check of an installation has to know of a data folder; it opens nothing in it. @module */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../kernel/index.ts';
import { requireUnlocked } from '../persistence/index.ts';
import { connectionLimits } from '../wire/index.ts';
import { type DataFolder, dataFolderAt } from './data-folder.ts';
import { CONSOLE_FOLDER } from './doors.ts';
import { DISK_RESERVE_BYTES } from './limits.ts';
import { VERSION } from './version.ts';

/** A data folder as it lies there, and what a server on it needs. */
export interface Installation {
  readonly version: string;
  /** Whether the pages of the console were built. */
  readonly hasConsole: boolean;
  /** Names of its files; they may not exist. */
  readonly folder: DataFolder;
  /** Where artifacts of updates are. */
  readonly firmware: string;
  /** Where a restore works that has not ended. */
  readonly restoring: string;
  /** Whether a server has it; undefined when that cannot be seen. */
  readonly isRunning: boolean | undefined;
  /** Free bytes below which no messages are taken, unless the server was told otherwise. */
  readonly diskReserveBytes: number;
  /** Connections that a server takes where nothing else bounds them. */
  readonly connectionsMax: number;
  /** Connections under the limits of a process, as the text of `/proc/<pid>/limits`. */
  readonly connectionsUnder: (processLimits: string) => number;
}

/** Looks at a data folder, running or not; leaves it as it is. */
export function installationAt(dataDir: string): Installation {
  const folder = dataFolderAt(dataDir);
  return {
    version: VERSION,
    hasConsole: existsSync(join(CONSOLE_FOLDER, 'index.html')),
    folder,
    firmware: folder.firmware,
    restoring: `${folder.path}.restoring`,
    isRunning: isTaken(folder.path),
    diskReserveBytes: DISK_RESERVE_BYTES,
    connectionsMax: connectionLimits('').total,
    connectionsUnder: (processLimits) => connectionLimits(processLimits).total,
  };
}

function isTaken(path: string): boolean | undefined {
  try {
    requireUnlocked(path);
    return false;
  } catch (error) {
    return errorCode(error) === 'E_PERSISTENCE_IN_USE' ? true : undefined;
  }
}
