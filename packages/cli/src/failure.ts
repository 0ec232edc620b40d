/** What the command line says when something did not work, and the exit code that tells scripts. @module */

/** Exit codes of the command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, trouble: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The codes of the command line itself; those of server and device are passed through. */
export type FailureCode =
  | 'E_CLI_USAGE'
  | 'E_CLI_NO_SERVER'
  | 'E_CLI_CREDENTIALS'
  | 'E_CLI_TRUST'
  | 'E_CLI_FILE'
  | 'E_CLI_PASSWORD'
  | 'E_CLI_SECOND_FACTOR'
  | 'E_CLI_SECRET'
  | 'E_CLI_NOT_CONFIRMED'
  | 'E_CLI_EXPECTATION'
  | 'E_CLI_STOPPED'
  | 'E_CLI_NOT_RECEIVED'
  | 'E_CLI_SIMULATION'
  | 'E_CLI_DEFECT';

/** What a person needs to know of a failure. */
export interface FailureText {
  readonly what: string;
  /** What it comes from, or what it means; undefined only where `what` says all that is known. */
  readonly why: string | undefined;
  /** The next step. */
  readonly fix: string;
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/** A failure as it is printed. Thrown by commands, caught once, in `run`. */
export class Failure extends Error {
  readonly code: string;
  readonly why: string | undefined;
  readonly fix: string;
  readonly exitCode: ExitCode;

  constructor(code: FailureCode | (string & {}), { what, why, fix, exitCode, cause }: FailureText) {
    super(what, { cause });
    this.name = 'Failure';
    this.code = code;
    this.why = why;
    this.fix = fix;
    this.exitCode = exitCode ?? EXIT.failed;
  }
}

/** The command line itself is wrong: exit code 2. */
export function usageFailure(what: string, fix: string): Failure {
  const why = 'The command line cannot be carried out as it is; nothing was done.';
  return new Failure('E_CLI_USAGE', { what, why, fix, exitCode: EXIT.usage });
}

/**
 * Anything thrown as a {@link Failure}. The errors of client, device and server carry `code` and
 * `fix`; whatever has none is a defect of ours, and says so.
 */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (isExplained(error)) {
    const exitCode = UNREACHABLE_CODES.has(error.code) ? EXIT.unreachable : EXIT.failed;
    const { code, message: what, fix, cause } = error;
    const why = causeText(error) ?? statusText(error);
    return new Failure(code, { what, why, fix, exitCode, cause });
  }
  return new Failure('E_CLI_DEFECT', {
    what: 'Something went wrong that should not be possible.',
    why: error instanceof Error ? (error.stack ?? error.message) : String(error),
    fix: 'Please report it, with the lines above.',
    cause: error,
  });
}

/** The code of a system error (`ENOENT`), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Why the system did not do something, in words where they are known. */
export function systemWhy(error: unknown): string | undefined {
  const code = systemCode(error);
  const words = code === undefined ? undefined : SYSTEM_WORDS[code];
  return words === undefined ? code : `${words} (${code}).`;
}

const SYSTEM_WORDS: Readonly<Partial<Record<string, string>>> = {
  EACCES: 'You may not',
  EEXIST: 'There is one already',
  EISDIR: 'It is a folder',
  ENOENT: 'There is no such file or folder',
  ENOSPC: 'The disk is full',
  ENOTDIR: 'A part of the path is no folder',
  EPERM: 'You may not',
  EROFS: 'The disk can only be read',
};

/** A file that cannot be read. */
export function unreadable(path: string, cause: unknown): Failure {
  return new Failure('E_CLI_FILE', {
    what: `${path} cannot be read.`,
    why: systemWhy(cause),
    fix: 'Check the path and who may read it.',
    cause,
  });
}

const UNREACHABLE_CODES = new Set(['E_CLIENT_UNREACHABLE', 'E_DEVICE_UNREACHABLE']);

function isExplained(error: unknown): error is Error & { code: string; fix: string } {
  if (!(error instanceof Error) || !('code' in error) || !('fix' in error)) return false;
  return typeof error.code === 'string' && typeof error.fix === 'string';
}

/** Of an answer of the server, that it was one: nothing on this machine has failed. */
function statusText(error: Error): string | undefined {
  if (!('status' in error) || typeof error.status !== 'number') return undefined;
  return `The server was asked, and refused (HTTP ${error.status}).`;
}

function causeText({ message, cause }: Error): string | undefined {
  if (!(cause instanceof Error) || cause.message === '') return undefined;
  return message.includes(cause.message) ? undefined : cause.message;
}
