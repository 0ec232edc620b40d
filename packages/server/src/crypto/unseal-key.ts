/** Custody of the unseal secret in a file: the root of everything that is sealed. @module */
import { lstatSync, readFileSync } from 'node:fs';
import { Fault, type RandomBytes, Secret, type SecretBytes, errorCode } from '../kernel/index.ts';
import { writeSecretFile } from './secret-file.ts';

const UNSEAL_KEY_BYTES = 32;

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
    writeSecretFile(path, Buffer.from(random(UNSEAL_KEY_BYTES)).toString('hex') + '\n');
  }
  requirePrivateFile(path);
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

function requirePrivateFile(path: string): void {
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
