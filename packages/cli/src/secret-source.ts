/** Where a PIN or a passphrase comes from: never the command line or the environment. @module */
import { readFileSync, statSync } from 'node:fs';
import { integerOption } from './command.ts';
import { Failure, systemCode, usageFailure } from './failure.ts';
import type { World } from './world.ts';

/** How a secret was offered. */
export interface SecretSource {
  /** What it is, in messages: `PIN`. */
  readonly what: string;
  /** Option that names a file descriptor, and its value. */
  readonly fd: { readonly option: string; readonly value: string | undefined };
  /** Option that names a file, and its value. */
  readonly file: { readonly option: string; readonly value: string | undefined };
}

/**
 * Reads a secret: the first line of a file descriptor or of a private file, or what is typed.
 * @throws Failure `E_CLI_USAGE`, `E_CLI_FILE`, or `E_CLI_SECRET` when there is nobody to ask.
 */
export async function readSecret(
  { input }: Pick<World, 'input'>,
  { what, fd, file }: SecretSource,
  question: string,
): Promise<string> {
  if (fd.value !== undefined) {
    const number = integerOption(fd.value, { name: fd.option, min: 0, max: FD_MAX });
    return firstLine(readOrFail(number, `file descriptor ${number}`), what);
  }
  if (file.value !== undefined) {
    requirePrivate(file.value);
    return firstLine(readOrFail(file.value, file.value), what);
  }
  if (input.isTty) return input.askHidden(question);
  throw new Failure('E_CLI_SECRET', {
    what: `There is nobody to ask for the ${what}.`,
    fix: `Run it on a terminal, or give --${fd.option} or --${file.option}.`,
  });
}

function readOrFail(source: string | number, name: string): string {
  try {
    return readFileSync(source, 'utf8');
  } catch (cause) {
    throw new Failure('E_CLI_FILE', {
      what: `${name} cannot be read.`,
      why: systemCode(cause),
      fix: 'Check that it exists, and who may read it.',
      cause,
    });
  }
}

function firstLine(text: string, what: string): string {
  const line = /^[^\r\n]*/u.exec(text)?.[0] ?? '';
  if (line !== '') return line;
  throw usageFailure(`The ${what} is empty.`, `Put the ${what} into the first line.`);
}

function requirePrivate(path: string): void {
  const { mode } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (mode === undefined || (mode & OTHERS) === 0 || process.platform === 'win32') return;
  throw new Failure('E_CLI_FILE', {
    what: `Other users of this machine can read or change ${path}.`,
    fix: `Find out who did, then: chmod 600 ${path}`,
  });
}

const OTHERS = 0o077;
const FD_MAX = 1_023;
