/** Writes files that only their owner may read. @module */
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;

/**
 * Writes a file with mode 0600, whole or not at all: to a temporary name, synced, then renamed.
 * The mode is set before the first byte is written, whatever the umask.
 */
export function writeSecretFile(path: string, text: string): void {
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w', OWNER_ONLY);
  try {
    fchmodSync(file, OWNER_ONLY);
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
  syncFolder(dirname(path));
}

/** Makes what was renamed or removed in a folder survive a power failure. */
export function syncFolder(path: string): void {
  // Windows opens no folders, and keeps its directories in order by itself.
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
