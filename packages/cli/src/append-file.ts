/** A new file of mode 0600 that grows: what was appended is on the disk. @module */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { Failure, systemCode } from './failure.ts';

/** A file to which one can only append. */
export interface AppendFile {
  readonly path: string;
  /** @throws Failure `E_CLI_FILE` */
  append(text: string): void;
  close(): void;
  /** Closes it and takes it away. */
  discard(): void;
}

/** Makes the file. @throws Failure `E_CLI_FILE`, also when it is there already. */
export function createAppendFile(path: string): AppendFile {
  const file = attempt(path, () => openSync(path, 'wx', 0o600));
  return {
    path,
    append: (text) =>
      attempt(path, () => {
        const bytes = Buffer.from(text, 'utf8');
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
        fsyncSync(file);
      }),
    close: () => closeSync(file),
    discard: () => {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}

function attempt<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    const isThere = systemCode(cause) === 'EEXIST';
    throw new Failure('E_CLI_FILE', {
      what: isThere ? `${path} exists already.` : `${path} cannot be written.`,
      why: isThere ? 'It may hold claims that still count.' : systemCode(cause),
      fix: isThere
        ? 'Name another file, or remove this one if nobody needs it.'
        : 'Name a file in a folder that exists and that is yours, on a disk that is not full.',
      cause,
    });
  }
}
