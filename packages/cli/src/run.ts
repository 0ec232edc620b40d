/** Runs one command line: finds the command, or explains. @module */
import type { Command } from './command.ts';
import { COMMAND_GROUPS } from './commands/index.ts';
import { asFailure, EXIT, usageFailure } from './failure.ts';
import type { ExitCode } from './failure.ts';
import { commandHelp, nounHelp, overviewHelp } from './help.ts';
import { paintFor } from './paint.ts';
import { printFailure } from './print-failure.ts';
import { nearest } from './suggest.ts';
import { VERSION } from './version.ts';
import type { World } from './world.ts';

const COMMANDS: readonly Command[] = COMMAND_GROUPS.flatMap(({ commands }) => commands);

/** Runs the command line behind `holdfast`. @returns the exit code; never throws. */
export async function run(args: readonly string[], world: World): Promise<ExitCode> {
  try {
    await dispatch(args, world);
    return EXIT.ok;
  } catch (error) {
    const failure = asFailure(error);
    printFailure(world, failure);
    return failure.exitCode;
  }
}

async function dispatch(args: readonly string[], world: World): Promise<void> {
  const [first = '--help', second, third] = args;
  const paint = paintFor(world.stdout);
  if (first === 'help') return dispatch([...args.slice(1), '--help'], world);
  if (HELP.has(first)) return world.stdout.write(overviewHelp(COMMAND_GROUPS, paint));
  if (first === '--version' || first === '-v') return world.stdout.write(`${VERSION}\n`);

  const verbs = COMMANDS.filter(({ path }) => path.startsWith(`${first} `));
  if (verbs.length > 0 && (second === undefined || HELP.has(second))) {
    return world.stdout.write(nounHelp(first, verbs, paint));
  }
  const noun = `${first} ${second}`;
  const things = verbs.filter(({ path }) => path.startsWith(`${noun} `));
  if (things.length > 0 && (third === undefined || HELP.has(third))) {
    return world.stdout.write(nounHelp(noun, things, paint));
  }
  const words = things.length > 0 ? `${noun} ${third}` : noun;
  const path = verbs.length > 0 ? words : first;
  const command = COMMANDS.find((known) => known.path === path);
  if (command === undefined) throw unknownCommand(path, verbs.length > 0 ? first : undefined);
  const rest = args.slice(path.split(' ').length);
  if (asksForHelp(rest)) return world.stdout.write(commandHelp(command, paint));
  return command.run(world, rest);
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
