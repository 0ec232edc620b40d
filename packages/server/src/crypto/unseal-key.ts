import { timingSafeEqual } from 'node:crypto';
/** Custody of the unseal secret in a file: the root of everything that is sealed. @module */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { Fault, type RandomBytes, Secret, type SecretBytes, errorCode } from '../kernel/index.ts';
import { syncFolder, writeSecretFile } from './secret-file.ts';
import { UNSEAL_KEY_BYTES } from './unseal-custody.ts';

/**
 * Reads the unseal key, or makes one where there is none yet.
 * @param isNew - true when the data folder is empty. A missing key is never replaced in a folder
 *   that has data: a new key would open nothing.
 * @throws Fault `E_CRYPTO_UNSEAL_*` when the file is missing, readable by others, or damaged.
 */
export function loadUnsealKey(
  path: string,
  { isNew, random }: { isNew: boolean; random: RandomBytes },
): SecretBytes {
  if (isNew) {
    writeUnsealKey(path, new Secret(random(UNSEAL_KEY_BYTES)));
  }
  requireOwnerOnly(path);
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new Fault({
      code: 'E_CRYPTO_UNSEAL_FORM',
      what: `The unseal key in ${path} is damaged: it must be 64 hexadecimal digits.`,
      fix: 'Restore the file from your copy of it.',
    });
  }
  return new Secret(Buffer.from(text, 'hex'));
}

/** Writes an unseal key to where {@link loadUnsealKey} finds it. */
export function writeUnsealKey(path: string, key: SecretBytes): void {
  writeSecretFile(path, textOf(key));
}

/** Whether a file holds this unseal key, or what is left when its removal was interrupted. */
export function isUnsealKeyCopy(path: string, key: SecretBytes): boolean {
  const found = readFileSync(path);
  if (found.every((byte) => byte === 0)) return true;
  const wanted = Buffer.from(textOf(key));
  return found.length === wanted.length && timingSafeEqual(found, wanted);
}

/**
 * Removes the file of an unseal key, which somebody else keeps by now. It is written over first;
 * what a disk or a file system with snapshots keeps of its own is out of reach.
 */
export function removeUnsealKey(path: string): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Buffer.alloc(fstatSync(file).size), 0, undefined, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  rmSync(path);
  syncFolder(dirname(path));
}

function textOf(key: SecretBytes): string {
  return `${Buffer.from(key.expose()).toString('hex')}\n`;
}

function requireOwnerOnly(path: string): void {
  let mode: number;
  try {
    mode = lstatSync(path).mode;
  } catch (cause) {
    const isMissing = errorCode(cause) === 'ENOENT';
    throw new Fault({
      code: 'E_CRYPTO_UNSEAL_MISSING',
      what: isMissing
        ? `The unseal key ${path} is missing.`
        : `The unseal key ${path} is unreadable.`,
      fix: 'Restore it from your copy: without it nothing in this data folder can be opened.',
      cause,
    });
  }
  if ((mode & 0o077) !== 0) {
    throw new Fault({
      code: 'E_CRYPTO_UNSEAL_MODE',
      what: `The unseal key ${path} can be read by other users of this machine.`,
      fix: `Find out who could read it, then run: chmod 600 ${path}`,
    });
  }
}
