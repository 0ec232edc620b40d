/** Writes a secret into a file that only this user can read. @module */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { Failure, systemWhy } from './failure.ts';

/** A file that can be written: what comes next may be asked for now, and is not lost then. */
export interface SecretFile {
  /** Gives the file its content and its name, in place of one that is there. */
  keep(text: string): void;
  /** Leaves everything as it was. */
  drop(): void;
}

/** Opens a file of mode 0600 for a secret. @throws Failure `E_CLI_FILE` */
export function openSecretFile(path: string): SecretFile {
  const partial = `${path}.partial`;
  const file = attempt(path, () => {
    // What a broken run left is not written over as it is: it may have another mode.
    rmSync(partial, { force: true });
    return openSync(partial, 'wx', 0o600);
  });
  return {
    keep: (text) =>
      attempt(path, () => {
        writeSync(file, text);
        fsyncSync(file);
        closeSync(file);
        renameSync(partial, path);
      }),
    drop: () => {
      closeSync(file);
      rmSync(partial, { force: true });
    },
  };
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new Failure('E_CLI_FILE', {
      what: `${path} cannot be written.`,
      why: systemWhy(cause),
      fix: 'Name a file in a folder that exists and that is yours.',
      cause,
    });
  }
}
