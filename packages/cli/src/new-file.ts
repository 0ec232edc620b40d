/** Writes a file that was not there before. @module */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { Failure, systemWhy } from './failure.ts';

/** How a file is written. */
export interface NewFileOptions {
  /** For its owner only, unless told otherwise. */
  readonly mode?: number;
  /** What a person has to know when it cannot be written: "the root is still on the server". */
  readonly meanwhile?: string;
}

/** Writes a file that must not exist yet; it is on the disk then. @throws Failure `E_CLI_FILE` */
export function writeNew(
  path: string,
  text: string,
  { mode = 0o600, meanwhile }: NewFileOptions = {},
): void {
  let file: number;
  try {
    file = openSync(path, 'wx', mode);
  } catch (cause) {
    const what = `${path} cannot be written`;
    throw new Failure('E_CLI_FILE', {
      what: meanwhile === undefined ? `${what}.` : `${what}; ${meanwhile}.`,
      why: systemWhy(cause),
      fix: 'Name a file that does not exist yet, in a folder of yours.',
      cause,
    });
  }
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
