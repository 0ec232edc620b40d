/** Where a PIN or a passphrase comes from: never the command line or the environment. @module */
import { type Stats, closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { integerOption } from './command.ts';
import { Failure, systemWhy, usageFailure } from './failure.ts';
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
    return firstLine(
      attempt(`file descriptor ${number}`, () => readFileSync(number, 'utf8')),
      what,
    );
  }
  if (file.value !== undefined) return firstLine(readSecretFile(file.value), what);
  if (input.isTty) return input.askHidden(question);
  const options = new Set([`--${fd.option}`, `--${file.option}`]);
  throw new Failure('E_CLI_SECRET', {
    what: `There is nobody to ask for the ${what}.`,
    why: 'Standard input is no terminal, and secrets are never options.',
    fix: `Run it on a terminal, or give ${[...options].join(' or ')}.`,
  });
}

/** Has a new passphrase typed a second time. @throws Failure `E_CLI_PASSWORD` when they differ. */
export async function typeOnceMore(
  { input }: Pick<World, 'input'>,
  passphrase: string,
): Promise<void> {
  if ((await input.askHidden('Once more: ')) === passphrase) return;
  throw new Failure('E_CLI_PASSWORD', {
    what: 'The two are not the same; nothing was changed.',
    why: 'A passphrase with a slip of the finger would lock you out for good.',
    fix: 'Run the command again.',
  });
}

/**
 * The text of a file that only this user can read, and only this user or root has written.
 * @param userId - effective user id of this process; undefined on Windows.
 * @throws Failure `E_CLI_FILE`
 */
export function readSecretFile(path: string, userId = process.geteuid?.()): string {
  return attempt(path, () => {
    // Opened once and judged by its descriptor: a file swapped in afterwards is not read.
    const file = openSync(path, 'r');
    try {
      if (userId !== undefined) requirePrivate(path, { file: fstatSync(file), userId });
      return readFileSync(file, 'utf8');
    } finally {
      closeSync(file);
    }
  });
}

function attempt(name: string, read: () => string): string {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure('E_CLI_FILE', {
      what: `${name} cannot be read.`,
      why: systemWhy(cause),
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

function requirePrivate(path: string, { file, userId }: { file: Stats; userId: number }): void {
  if (file.uid !== userId && file.uid !== ROOT_ID) {
    throw new Failure('E_CLI_FILE', {
      what: `${path} belongs to another user of this machine, who knows what is in it.`,
      why: 'Whoever owns a file can read and change it, whatever its mode says.',
      fix: 'Name a file of your own.',
    });
  }
  if ((file.mode & OTHERS) === 0) return;
  throw new Failure('E_CLI_FILE', {
    what: `Other users of this machine can read or change ${path}.`,
    why: 'A secret that others could have read is none.',
    fix: `Find out who did, then: chmod 600 ${path}`,
  });
}

const ROOT_ID = 0;
const OTHERS = 0o077;
const FD_MAX = 1_023;
