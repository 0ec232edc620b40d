/** Reads a file that decides which server gets a person's password. @module */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname } from 'node:path';
import { Failure, systemCode } from './failure.ts';

/**
 * The text of a file that only this user can have written, and only this user can read; undefined
 * when there is none. File and folder must belong to the user or to root. Windows says neither
 * owner nor mode, so nothing is checked there.
 * @param userId - effective user id of this process; undefined on Windows.
 * @throws Failure `E_CLI_CREDENTIALS` when others could have written or read it, or it is unreadable.
 */
export function readPrivateFile(path: string, userId = process.geteuid?.()): string | undefined {
  try {
    // Opened once and judged by its descriptor: a file swapped in afterwards is not read. A planted
    // pipe must not make the command wait, hence O_NONBLOCK.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (userId !== undefined) requirePrivate(path, { file: fstatSync(file), userId });
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Failure('E_CLI_CREDENTIALS', {
      what: `${path} cannot be read.`,
      why: code,
      fix: 'Run the command as the user who runs the server, or log in: holdfast login.',
      cause,
    });
  }
}

function requirePrivate(path: string, { file, userId }: { file: Stats; userId: number }): void {
  requireOwner(path, file, userId);
  const folderPath = dirname(path);
  const folder = statSync(folderPath);
  requireOwner(folderPath, folder, userId);
  if ((folder.mode & OTHERS_WRITE) !== 0) {
    throw new Failure('E_CLI_CREDENTIALS', {
      what: `Others on this machine can write in ${folderPath}.`,
      why: PLANTED,
      fix: `If it is yours: chmod go-w ${folderPath}. Else name your own folder with --data.`,
    });
  }
  if ((file.mode & OTHERS_READ_OR_WRITE) !== 0) {
    throw new Failure('E_CLI_CREDENTIALS', {
      what: `Others on this machine can read or change ${path}.`,
      why: 'The token in it may have leaked, or the server it names may not be yours.',
      fix: `Start the server again, or chmod 600 ${path} and log in again: holdfast login.`,
    });
  }
}

function requireOwner(path: string, { uid }: Stats, userId: number): void {
  if (uid === userId || uid === ROOT_ID) return;
  throw new Failure('E_CLI_CREDENTIALS', {
    what: `${path} belongs to another user of this machine.`,
    why: PLANTED,
    fix: 'Run the command as the user who runs the server, or name your own folder with --data.',
  });
}

const PLANTED = 'A file planted there could send your password and commands to a false server.';
const ROOT_ID = 0;
const OTHERS_WRITE = 0o022;
const OTHERS_READ_OR_WRITE = 0o066;
