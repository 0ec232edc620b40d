/** Keeps a data folder to one writing process at a time. @module */
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../kernel/index.ts';

const LOCK_FILE = 'lock';
const OWNER_ONLY = 0o600;

/** A data folder that is kept from other processes. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes a data folder for this process, until it releases the folder or ends, however it ends: the
 * lock is one of the operating system on an empty SQLite file. The databases themselves can then
 * be read by other threads of this process while they are written.
 * @throws Fault `E_PERSISTENCE_IN_USE` when another process has it, `E_PERSISTENCE_OPEN`.
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, LOCK_FILE);
  let database: DatabaseSync | undefined;
  try {
    closeSync(openSync(path, 'a', OWNER_ONLY));
    database = new DatabaseSync(path);
    database.exec('BEGIN EXCLUSIVE');
    const held = database;
    return { release: () => held.close() };
  } catch (cause) {
    database?.close();
    throw isBusy(cause) ? inUseFault(folder, cause) : unusableFault(path, cause);
  }
}

/**
 * Throws when a process has the folder; leaves the folder as it was.
 * @throws Fault `E_PERSISTENCE_IN_USE`, `E_PERSISTENCE_OPEN`.
 */
export function requireUnlocked(folder: string): void {
  const path = join(folder, LOCK_FILE);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (cause) {
    throw isBusy(cause) ? inUseFault(folder, cause) : unusableFault(path, cause);
  } finally {
    database?.close();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && /locked|busy/iu.test(error.message);
}

function inUseFault(folder: string, cause: unknown): Fault {
  return new Fault({
    code: 'E_PERSISTENCE_IN_USE',
    what: `${folder} is in use: another Holdfast runs on this data folder.`,
    fix: 'Stop the other one, or choose another folder with --data.',
    cause,
  });
}

function unusableFault(path: string, cause: unknown): Fault {
  return new Fault({
    code: 'E_PERSISTENCE_OPEN',
    what: `${path} cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}.`,
    fix: 'Check that the folder exists, is yours, and has space left.',
    cause,
  });
}
