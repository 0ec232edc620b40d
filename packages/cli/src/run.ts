/** Runs one command line: finds the command, or explains. @module */
import type { CommandEntry } from './command-entry.ts';
import { COMMAND_GROUPS } from './commands/index.ts';
import { asFailure, EXIT, type ExitCode, usageFailure } from './failure.ts';
import { allHelp, commandHelp, exitCodeHelp, nounHelp, overviewHelp } from './help.ts';
import { paintFor } from './paint.ts';
import { printFailure } from './print-failure.ts';
import { nearest } from './suggest.ts';
import { VERSION } from './version.ts';
import type { World } from './world.ts';

const COMMANDS: readonly CommandEntry[] = COMMAND_GROUPS.flatMap(({ commands }) => commands);

/** Runs the command line behind `holdfast`. @returns the exit code; never throws. */
export async function run(args: readonly string[], world: World): Promise<ExitCode> {
  try {
    return (await dispatch(args, world)) ?? EXIT.ok;
  } catch (error) {
    const failure = asFailure(error);
    printFailure(world, failure);
    return failure.exitCode;
  }
}

async function dispatch(args: readonly string[], world: World): Promise<ExitCode | void> {
  const [first = '--help', ...others] = args;
  const { stdout } = world;
  const paint = paintFor(stdout);
  if (first === 'help') return help(others, world);
  if (HELP.has(first)) return stdout.write(overviewHelp(COMMAND_GROUPS, paint));
  if (first === '--version' || first === '-v') return stdout.write(`${VERSION}\n`);
  if (first === '__complete') {
    const { complete } = await import('./completion/complete.ts');
    return complete(world, others, COMMANDS);
  }

  const found = COMMANDS.filter(({ path }) => beginsWith(args, path))
    .toSorted(longestFirst)
    .at(0);
  if (found !== undefined) {
    const rest = args.slice(found.path.split(' ').length);
    const command = await found.load();
    if (!asksForHelp(rest)) return command.run(world, rest);
    return stdout.write(commandHelp(command, { below: below(found.path), paint }));
  }
  const noun = nounOf(args);
  if (noun === undefined) throw unknownCommand(first, undefined);
  const next = args[noun.split(' ').length];
  if (next !== undefined && !HELP.has(next)) throw unknownCommand(`${noun} ${next}`, noun);
  stdout.write(nounHelp(noun, below(noun), paint));
}

/** `holdfast help`, and of what. */
function help(words: readonly string[], world: World): Promise<ExitCode | void> | void {
  const paint = paintFor(world.stdout);
  if (words[0] === 'commands') return world.stdout.write(allHelp(COMMAND_GROUPS, paint));
  if (words[0] === 'exit-codes') return world.stdout.write(exitCodeHelp(paint));
  return dispatch([...words, '--help'], world);
}

/** The longest noun at the beginning of a command line. */
function nounOf(args: readonly string[]): string | undefined {
  return [2, 1]
    .filter((length) => args.length >= length)
    .map((length) => args.slice(0, length).join(' '))
    .find((words) => below(words).length > 0);
}

function below(words: string): readonly CommandEntry[] {
  return COMMANDS.filter(({ path }) => path.startsWith(`${words} `));
}

function beginsWith(args: readonly string[], path: string): boolean {
  return path.split(' ').every((word, at) => args[at] === word);
}

function longestFirst(a: CommandEntry, b: CommandEntry): number {
  return b.path.length - a.path.length;
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).some((arg) => HELP.has(arg));
}

function unknownCommand(path: string, noun: string | undefined) {
  const words = COMMANDS.flatMap(({ path }) => [path, path.split(' ', 1)[0] ?? path]);
  const meant = nearest(path, [...new Set(words)]);
  const see = `See holdfast${noun === undefined ? '' : ` ${noun}`} --help.`;
  return usageFailure(
    `There is no command holdfast ${path}.`,
    meant === undefined ? see : `Did you mean holdfast ${meant}? ${see}`,
  );
}

const HELP = new Set(['--help', '-h']);
