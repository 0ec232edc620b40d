/** Options whose text may come from the command line, a file or standard input. @module */
import { readFileSync } from 'node:fs';
import { Failure, systemCode } from './failure.ts';
import type { World } from './world.ts';

/** The text itself, the content of `@file`, or standard input for `-`; without white space around. */
export async function textFrom(source: string, { input }: Pick<World, 'input'>): Promise<string> {
  if (source === '-') return (await input.readAll()).trim();
  return source.startsWith('@') ? readText(source.slice(1)).trim() : source.trim();
}

/** Reads a file. @throws Failure `E_CLI_FILE`. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure('E_CLI_FILE', {
      what: `${path} cannot be read.`,
      why: systemCode(cause),
      fix: 'Check the path and who may read it.',
      cause,
    });
  }
}
