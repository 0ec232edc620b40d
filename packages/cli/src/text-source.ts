/** Options whose text may come from the command line, a file or standard input. @module */
import { readFileSync } from 'node:fs';
import { unreadable, usageFailure } from './failure.ts';
import type { World } from './world.ts';

/** The text itself, the content of `@file`, or standard input for `-`; without white space around. */
export async function textFrom(source: string, { input }: Pick<World, 'input'>): Promise<string> {
  if (source === '-') return (await input.readAll()).trim();
  return source.startsWith('@') ? readText(source.slice(1)).trim() : source.trim();
}

/**
 * A secret that is no password, such as a claim: the content of `@file`, standard input for `-`, or
 * what is typed. Never the command line itself, which every user of the machine can see.
 * @throws Failure `E_CLI_USAGE`
 */
export async function secretTextFrom(
  source: string | undefined,
  { input }: Pick<World, 'input'>,
  { what, option }: { readonly what: string; readonly option: string },
): Promise<string> {
  if (source === '-' || source?.startsWith('@') === true) return textFrom(source, { input });
  const fix = `Give --${option} @FILE, or --${option} - and the ${what} on standard input.`;
  if (source !== undefined) {
    throw usageFailure(`A ${what} does not belong on a command line: others can see it.`, fix);
  }
  if (!input.isTty) throw usageFailure(`The ${what} is missing (--${option}).`, fix);
  return (await input.askHidden(`The ${what} (it is not shown): `)).trim();
}

/** Reads a file. @throws Failure `E_CLI_FILE`. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}
