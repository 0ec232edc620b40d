/** Files that others must not be able to read or change. @module */
import { lstatSync, readFileSync } from 'node:fs';
import { Fault, errorCode } from '../kernel/index.ts';

const OTHERS = 0o077;
const ROOT = 0;

/**
 * Checks that a file is one, and that only its owner can read or change it.
 * @param code - Of the fault when it is not.
 */
export function requirePrivateFile(path: string, code: string): void {
  const stat = attempt(path, code, () => lstatSync(path));
  if (!stat.isFile()) throw privateFault(path, code, 'is no file');
  if ((stat.mode & OTHERS) !== 0) {
    throw privateFault(path, code, 'can be read or written by other users of this machine');
  }
  // Whoever owns a file can write to it, whatever its mode says. Windows has no such owners.
  if (process.getuid === undefined || stat.uid === process.getuid() || stat.uid === ROOT) return;
  throw privateFault(path, code, 'belongs to another user of this machine');
}

/** Reads a private file. @throws Fault with `code`, which never says what the file holds. */
export function readPrivateFile(path: string, code: string): string {
  requirePrivateFile(path, code);
  return attempt(path, code, () => readFileSync(path, 'utf8'));
}

function attempt<T>(path: string, code: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw privateFault(path, code, `cannot be read (${errorCode(cause) ?? 'unknown'})`, cause);
  }
}

function privateFault(path: string, code: string, problem: string, cause?: unknown): Fault {
  return new Fault({
    code,
    what: `${path} ${problem}.`,
    fix: `Check that it exists, find out who could read it, then: chmod 600 ${path}`,
    cause,
  });
}
