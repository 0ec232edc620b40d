/** What is known of a command before its module is loaded. @module */
import type { Command } from './command.ts';

/** One line of the table of commands. */
export interface CommandEntry {
  /** Its words: `device add`. */
  readonly path: string;
  /** Its words and what it takes, as help shows them: `device add <id>`. */
  readonly usage: string;
  /** What it does, one line without a period. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Commands under a headline. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly CommandEntry[];
}

/** Makes a line of the table. */
export function entry(usage: string, summary: string, load: () => Promise<Command>): CommandEntry {
  return { path: usage.replace(ARGUMENTS, ''), usage, summary, load };
}

/** How help shows a command and what it takes. */
export function usageOf(path: string, names: readonly string[] = []): string {
  const shown = names.map((name) => (name.endsWith('?') ? `[${name.slice(0, -1)}]` : `<${name}>`));
  return [path, ...shown].join(' ');
}

const ARGUMENTS = / [<[].*$/u;
