/** Asks programs of this machine. @module */
import { execFile } from 'node:child_process';

/** Longer than a program that is asked here takes on a machine that is slow and busy. */
const PROGRAM_MS_MAX = 10_000;

/** What a program prints; undefined when there is none, it fails, or it takes too long. */
export function outputOfProgram(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(name, args, { env, timeout: PROGRAM_MS_MAX }, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}
