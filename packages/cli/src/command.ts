/** What a command is, and how its arguments are read. @module */
import { parseArgs } from 'node:util';
import { EXIT, type ExitCode, systemCode, usageFailure } from './failure.ts';
import { nearest } from './suggest.ts';
import type { World } from './world.ts';

/** One option of a command. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** May be given several times. */
  readonly multiple?: true;
  /** What its value is called in the help, in capitals. */
  readonly value?: string;
  /** What it does, one line. */
  readonly help: string;
}

/** Options by name, without the hyphens. */
export type OptionSet = Readonly<Record<string, OptionSpec>>;

/** The values of options that were given. */
export type Values<O extends OptionSet> = {
  readonly [Name in keyof O]?:
    | (O[Name] extends { type: 'boolean' }
        ? boolean
        : O[Name] extends { multiple: true }
          ? string[]
          : string)
    | undefined;
};

/** What help shows of a command. */
export interface CommandText {
  /** Its words: `device add`. */
  readonly path: string;
  /** What it does, one line without a period. */
  readonly summary: string;
  /** More about it, in lines of at most 78 characters. */
  readonly details?: string;
  /**
   * What it takes, in order: `id`; one that may be left out ends in a question mark, and a last one
   * that may come several times in three dots, and in `...?` when it may be left out as well.
   */
  readonly arguments?: readonly string[];
  readonly options: OptionSet;
  /** Command lines after `holdfast`. */
  readonly examples: readonly string[];
}

/** A command that can be run. */
export interface Command extends CommandText {
  /** Reads the arguments behind the command's own words, and does it. */
  readonly run: (world: World, args: readonly string[]) => Promise<ExitCode>;
}

/** What a command is given. */
export interface Invocation<O extends OptionSet> {
  readonly values: Values<O>;
  /** As many as the command takes. */
  readonly positionals: readonly string[];
}

/**
 * Makes a command; `act` gets its arguments already checked. It returns an exit code only where
 * what it found is one: all that it could not do is thrown.
 */
export function defineCommand<const O extends OptionSet>(
  text: CommandText & { readonly options: O },
  act: (world: World, invocation: Invocation<O>) => Promise<ExitCode> | Promise<void>,
): Command {
  return {
    ...text,
    run: async (world, args) => {
      const { values, positionals } = parse(text, args);
      checkCount(text, positionals);
      // parseArgs has checked each value against the type of its option.
      return (await act(world, { values: values as Values<O>, positionals })) ?? EXIT.ok;
    },
  };
}

/** The option of every command that asks the server. */
export const DATA_OPTION = {
  type: 'string',
  value: 'FOLDER',
  help: 'data folder on this machine (default ./data, or HOLDFAST_DATA)',
} as const satisfies OptionSpec;

/** The option of every command that reads. */
export const JSON_OPTION = {
  type: 'boolean',
  help: 'print JSON, for programs',
} as const satisfies OptionSpec;

/** Reads the value of an option as an integer. @throws Failure when it is none within the bounds. */
export function integerOption(
  text: string,
  { name, min, max }: { readonly name: string; readonly min: number; readonly max: number },
): number {
  const number = /^\d{1,15}$/u.test(text) ? Number(text) : -1;
  if (number >= min && number <= max) return number;
  throw usageFailure(
    `--${name} takes a whole number from ${min} to ${max}, not "${text}".`,
    `Give a number within these bounds, or leave --${name} out.`,
  );
}

function parse({ path, options }: CommandText, args: readonly string[]) {
  const config = Object.entries(options).map(([name, { type, multiple }]) => [
    name,
    { type, multiple: multiple ?? false },
  ]);
  try {
    return parseArgs({
      args: joinNegative(args, options),
      options: Object.fromEntries(config),
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const see = `See holdfast ${path} --help.`;
    const named = /'(-[^' ]*)/u.exec(error.message)?.[1] ?? '';
    if (systemCode(error) !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const isTooMuch = error.message.includes('does not take');
      throw usageFailure(`${named} ${isTooMuch ? 'takes no value' : 'needs a value'}.`, see);
    }
    const meant = nearest(
      named,
      [...Object.keys(options), 'help'].map((name) => `--${name}`),
    );
    throw usageFailure(
      `holdfast ${path} has no option ${named}.`,
      meant === undefined ? see : `Did you mean ${meant}? ${see}`,
    );
  }
}

/** A value that begins with a hyphen and a digit, as `-7d`, cannot be an option: there is none. */
function joinNegative(args: readonly string[], options: OptionSet): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const option = joined.at(-1) ?? '';
    const isValue = /^-\d/u.test(arg) && options[option.slice(2)]?.type === 'string';
    if (isValue && option.startsWith('--')) joined[joined.length - 1] = `${option}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

/** Whether an argument may come several times. */
export function isManyArgument(name = ''): boolean {
  return /\.{3}\??$/u.test(name);
}

function checkCount(text: CommandText, positionals: readonly string[]): void {
  const expected = text.arguments ?? [];
  const isOpen = isManyArgument(expected.at(-1));
  const missing = expected[positionals.length];
  if (missing !== undefined && !missing.endsWith('?')) {
    throw usageFailure(
      `holdfast ${text.path} needs <${missing}>.`,
      `For example: holdfast ${text.examples[0] ?? text.path}`,
    );
  }
  const extra = positionals[expected.length];
  if (extra !== undefined && !isOpen) {
    throw usageFailure(
      `holdfast ${text.path} does not know what to do with "${extra}".`,
      `See holdfast ${text.path} --help.`,
    );
  }
}
