/** The help texts, made from the commands themselves. @module */
import { type CommandEntry, type CommandGroup, usageOf } from './command-entry.ts';
import type { Command, OptionSet } from './command.ts';
import { EXIT_CODE_TEXTS, SIGNAL_TEXT } from './exit-codes.ts';
import { NOUNS } from './nouns.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { wrapped } from './wrap.ts';

/** What somebody does on the first day, in this order. */
const FIRST_DAY: readonly (readonly [string, string])[] = [
  ['up', 'start the server; it makes all it needs'],
  ['login', 'become the first operator, with the code that up prints'],
  ['device add thermostat-1 --class sensor', 'register a device, and print its claim'],
  ['readings thermostat-1 --follow', 'see what it sends'],
  ['status', 'see whether everything is well'],
];

/** What `holdfast` alone prints: the first day, and then each noun on a line. */
export function overviewHelp(groups: readonly CommandGroup[], paint: Paint): string {
  const seen = new Set<string>();
  const sections = groups.map(({ title, commands }) => {
    const words = commands.map(({ path }) => path.split(' ', 1)[0] ?? path);
    const rows = [...new Set(words)].flatMap((word): [string, string][] => {
      if (seen.has(word)) return [];
      seen.add(word);
      const whole = commands.find(({ path }) => path === word);
      if (whole !== undefined) return [row(whole, paint)];
      return [[`${word} …`, paint.faint(NOUNS[word]?.summary ?? '')]];
    });
    return { title, rows };
  });
  const width = Math.max(...sections.flatMap(({ rows }) => rows.map(([word]) => word.length)));
  const listed = sections
    .filter(({ rows }) => rows.length > 0)
    .map(({ title, rows }) => {
      const aligned = rows.map(([word, text]) => [word.padEnd(width), text]);
      return `${paint.strong(title)}\n${table(aligned, 2)}`;
    });
  const firstDay = FIRST_DAY.map(([line, text]) => [
    paint.command(`holdfast ${line}`),
    paint.faint(text),
  ]);
  return [
    `${paint.strong('holdfast')}: a secure backend for your fleet of devices\n`,
    `${paint.strong('The first day')}\n${table(firstDay, 2)}`,
    `  No device at hand? See it at work: ${paint.command('holdfast simulate')}\n`,
    ...listed,
    table(MORE_HELP.map(([line, text]) => [paint.command(line), paint.faint(text)])),
  ].join('\n');
}

const MORE_HELP: readonly (readonly [string, string])[] = [
  ['holdfast <command> --help', 'what it does, its options, and examples'],
  ['holdfast help commands', 'every command on a line'],
  ['holdfast help exit-codes', 'what a script can tell from how a command ends'],
  ['--json', 'with every command that reads: for programs'],
  ['--no-color', 'with every command, or NO_COLOR=1 in the environment'],
];

/** What `holdfast help commands` prints. */
export function allHelp(groups: readonly CommandGroup[], paint: Paint): string {
  const rows = groups.flatMap(({ commands }) => commands.map((command) => row(command, paint)));
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const sections = groups.map(({ title, commands }) => {
    const listed = commands.map((command) => {
      const [usage, summary] = row(command, paint);
      return [usage.padEnd(width), summary];
    });
    return `${paint.strong(title)}\n${table(listed, 2)}`;
  });
  return [...sections, `${paint.faint('More on each: holdfast <command> --help')}\n`].join('\n');
}

/** What `holdfast help exit-codes` prints. */
export function exitCodeHelp(paint: Paint): string {
  const rows = EXIT_CODE_TEXTS.map(({ code, text }) => [String(code), text]);
  return `${paint.strong('How a command ends')}\n${table(rows, 2)}\n${SIGNAL_TEXT}\n`;
}

/** What `holdfast device --help` prints. */
export function nounHelp(noun: string, commands: readonly CommandEntry[], paint: Paint): string {
  const { summary, examples = [] } = NOUNS[noun] ?? {};
  const rows = commands.map((command) => row(command, paint));
  return [
    `${paint.strong(`holdfast ${noun} <command>`)}${summary === undefined ? '' : `: ${summary}`}\n`,
    table(rows, 2),
    exampleText(examples, paint),
    `${paint.faint(`More on each: holdfast ${noun} <command> --help`)}\n`,
  ].join('\n');
}

/** What `holdfast device add --help` prints. */
export function commandHelp(
  command: Command,
  { below, paint }: { readonly below: readonly CommandEntry[]; readonly paint: Paint },
): string {
  const options = Object.keys(command.options).length > 0 ? ' [options]' : '';
  const parts = [
    `${paint.strong(`holdfast ${command.path}`)}: ${command.summary}\n`,
    `${paint.strong('Usage')}\n  holdfast ${usageOf(command.path, command.arguments)}${options}\n`,
  ];
  if (command.details !== undefined) parts.push(`${indented(command.details)}\n`);
  if (options !== '') parts.push(`${paint.strong('Options')}\n${optionTable(command.options)}`);
  if (below.length > 0) {
    const rows = below.map((one) => row(one, paint));
    parts.push(`${paint.strong('More commands')}\n${table(rows, 2)}`);
  }
  parts.push(exampleText(command.examples, paint));
  return parts.join('\n');
}

function exampleText(examples: readonly string[], paint: Paint): string {
  const lines = examples.map((example) => `  ${paint.command(`holdfast ${example}`)}\n`);
  return `${paint.strong(lines.length > 1 ? 'Examples' : 'Example')}\n${lines.join('')}`;
}

function row({ usage, summary }: CommandEntry, paint: Paint): [string, string] {
  return [usage, paint.faint(summary)];
}

function optionTable(options: OptionSet): string {
  const rows = Object.entries(options).map(([name, { value, multiple, help }]) => {
    const flag = value === undefined ? `--${name}` : `--${name} ${value}`;
    return [flag, multiple === true ? `${help} (may be repeated)` : help] as const;
  });
  const width = Math.max(...rows.map(([flag]) => flag.length));
  const lines = rows.flatMap(([flag, help]) =>
    wrapped(help, HELP_COLUMNS - width - 4).map((line, at) => [at === 0 ? flag : '', line]),
  );
  return table(lines, 2);
}

/** What every terminal has. */
const HELP_COLUMNS = 80;

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
}
