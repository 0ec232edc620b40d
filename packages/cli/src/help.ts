/** The help texts, made from the commands themselves. @module */
import type { Command, OptionSet } from './command.ts';
import type { Paint } from './paint.ts';
import { table } from './table.ts';

/** Commands under a headline. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Command[];
}

/** What `holdfast` alone prints. */
export function overviewHelp(groups: readonly CommandGroup[], paint: Paint): string {
  const rows = groups.flatMap(({ commands }) => commands.map((command) => row(command, paint)));
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const sections = groups.map(({ title, commands }) => {
    const listed = commands.map((command) => {
      const [usage, summary] = row(command, paint);
      return [usage.padEnd(width), summary];
    });
    return `${paint.strong(title)}\n${table(listed, 2)}`;
  });
  return [
    `${paint.strong('holdfast')}: a secure backend for your fleet of devices\n`,
    ...sections,
    `${paint.faint('More on each: holdfast <command> --help')}\n`,
  ].join('\n');
}

/** What `holdfast device --help` prints. */
export function nounHelp(noun: string, commands: readonly Command[], paint: Paint): string {
  return [
    `${paint.strong(`holdfast ${noun} <command>`)}\n`,
    table(
      commands.map((command) => row(command, paint)),
      2,
    ),
    `${paint.faint(`More on each: holdfast ${noun} <command> --help`)}\n`,
  ].join('\n');
}

/** What `holdfast device add --help` prints. */
export function commandHelp(command: Command, paint: Paint): string {
  const options = Object.keys(command.options).length > 0 ? ' [options]' : '';
  const parts = [
    `${paint.strong(`holdfast ${command.path}`)}: ${command.summary}\n`,
    `${paint.strong('Usage')}\n  holdfast ${usageOf(command)}${options}\n`,
  ];
  if (command.details !== undefined) parts.push(`${indented(command.details)}\n`);
  if (options !== '') parts.push(`${paint.strong('Options')}\n${optionTable(command.options)}`);
  const examples = command.examples.map((example) => `  ${paint.command(`holdfast ${example}`)}\n`);
  parts.push(`${paint.strong(examples.length > 1 ? 'Examples' : 'Example')}\n${examples.join('')}`);
  return parts.join('\n');
}

function row(command: Command, paint: Paint): [string, string] {
  return [usageOf(command), paint.faint(command.summary)];
}

function usageOf({ path, arguments: names = [] }: Command): string {
  const shown = names.map((name) => (name.endsWith('?') ? `[${name.slice(0, -1)}]` : `<${name}>`));
  return [path, ...shown].join(' ');
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

/** Lines of at most so many characters, where words allow it. */
function wrapped(text: string, columns: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** What every terminal has. */
const HELP_COLUMNS = 80;

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
}
