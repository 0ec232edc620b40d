/** Files that only their owner may read, written whole or not at all. POSIX systems. @module */
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DeviceError, systemCode } from './device-error.ts';
import { BUNDLE_FILE_BYTES_MAX } from './limits.ts';

/** Whom a file is kept from: others may read a public one, but change none. */
export type FileSecrecy = 'secret' | 'public';

/** Writes a file of mode 0600 under another name, makes it durable, and gives it its name. */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const partial = `${path}.partial`;
  const file = openSync(partial, 'w', OWNER_ONLY);
  try {
    // The mode given to open counts only for a new file, and not before the umask.
    fchmodSync(file, OWNER_ONLY);
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(partial, path);
  syncFolder(dirname(path));
}

/** Makes the names in a folder durable: without it a crash may undo a rename. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Reads a file of a bundle.
 * @throws DeviceError `E_DEVICE_BUNDLE` when it is missing or too large, `E_DEVICE_MODE`
 */
export function readPrivateFile(path: string, secrecy: FileSecrecy): string {
  try {
    // Following links is wanted here: an installation may mount its secrets elsewhere.
    const { mode, size } = statSync(path);
    requireMode(path, mode, secrecy);
    if (size <= BUNDLE_FILE_BYTES_MAX) return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof DeviceError) throw cause;
    throw bundleError(`${path} cannot be read (${systemCode(cause) ?? 'unknown'})`, cause);
  }
  throw bundleError(`${path} is larger than ${BUNDLE_FILE_BYTES_MAX} bytes`);
}

/** @throws DeviceError `E_DEVICE_MODE` when others could change the folder, or it is a link. */
export function requirePrivateFolder(path: string): void {
  const stat = lstatSync(path);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.()) {
    throw new DeviceError('E_DEVICE_MODE', {
      message: `${path} is no folder of this user.`,
      fix: 'Somebody else made it: remove it, or choose another place.',
    });
  }
  requireMode(path, stat.mode, 'secret');
}

/** A bundle that cannot be used; the way out is always the same. */
export function bundleError(what: string, cause?: unknown): DeviceError {
  return new DeviceError('E_DEVICE_BUNDLE', {
    message: `${what}.`,
    fix: 'Restore the folder from a copy, or make a new claim and enroll again.',
    cause,
  });
}

function requireMode(path: string, mode: number, secrecy: FileSecrecy): void {
  const forbidden = secrecy === 'secret' ? 0o077 : 0o022;
  if ((mode & forbidden) === 0) return;
  const verb = secrecy === 'secret' ? 'read' : 'change';
  throw new DeviceError('E_DEVICE_MODE', {
    message: `Other users of this machine can ${verb} ${path}.`,
    fix: `Find out who did, then run: chmod go-rwx ${path}`,
  });
}

const OWNER_ONLY = 0o600;
