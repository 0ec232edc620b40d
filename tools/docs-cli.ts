/** The reference page of the command line, made of the table of commands. @module */
import { type CommandEntry, usageOf } from '../packages/cli/src/command-entry.ts';
import type { Command } from '../packages/cli/src/command.ts';
import { COMMAND_GROUPS } from '../packages/cli/src/commands/index.ts';
import { EXIT_CODE_TEXTS, SIGNAL_TEXT } from '../packages/cli/src/exit-codes.ts';

const INTRODUCTION = `# Command line

\`holdfast <noun> <verb>\`. Each level explains itself: \`holdfast --help\`, \`holdfast device --help\`,
\`holdfast device add --help\`; this page is made of the same texts.

- It talks to the server on the data folder of this machine (\`--data\`, \`HOLDFAST_DATA\`, or
  \`./data\`), and where none runs, to the one of \`holdfast login\`.
- \`--json\` prints for programs what every command reads; lists are one object a line. \`--watch\`
  shows it again every 5 seconds, \`--follow\` goes on with what is new; both with \`--json\`, too.
- On a terminal there are colors and, for what takes long, a bar; elsewhere there is neither.
  \`--no-color\`, or \`NO_COLOR\` in the environment with any value, leaves out the colors.
- What goes wrong is written to standard error: what, its code, why, and how to fix it. The codes are
  listed [here](refusals.md).
- Secrets are never options: they are asked for, or read from a file or a descriptor.

## Exit codes

| code | what |
|---|---|
`;

const COMPLETION = `
## Completion

\`\`\`sh
holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast
holdfast completion zsh > ~/.zfunc/_holdfast     # a folder of your $fpath
holdfast completion fish > ~/.config/fish/completions/holdfast.fish
\`\`\`

It completes nouns, verbs and options, and asks the server for the ids of devices, with a short
time-out; when there is no answer, it stays quiet.
`;

const GROUPS = await Promise.all(
  COMMAND_GROUPS.map(async ({ title, commands }) => ({
    title,
    commands: await Promise.all(commands.map((entry: CommandEntry) => entry.load())),
  })),
);

/** Makes the page. */
export function cliPage(): string {
  const codes = EXIT_CODE_TEXTS.map(({ code, text }) => `| ${code} | ${cell(text)} |\n`);
  const groups = GROUPS.map(({ title, commands }) => {
    return `\n## ${title}\n\n${commands.map(commandText).join('\n')}`;
  });
  return `${INTRODUCTION}${codes.join('')}\n${SIGNAL_TEXT}\n${COMPLETION}${groups.join('')}`;
}

function commandText({ path, summary, details, options, examples, ...command }: Command): string {
  const parts = [`### ${path}\n`, `${sentence(summary)}\n`];
  if (details !== undefined) parts.push(`${escaped(details)}\n`);
  const hasOptions = Object.keys(options).length > 0;
  const usage = `holdfast ${usageOf(path, command.arguments)}${hasOptions ? ' [options]' : ''}`;
  const lines = examples.map((example) => `holdfast ${example}`);
  parts.push(`Usage: \`${usage}\`\n`, `\`\`\`sh\n${lines.join('\n')}\n\`\`\`\n`);
  const rows = Object.entries(options).map(([name, { value, multiple, help }]) => {
    const flag = value === undefined ? `--${name}` : `--${name} ${value}`;
    return `| \`${cell(flag)}\` | ${cell(escaped(help))}${multiple === true ? ' (may be repeated)' : ''} |\n`;
  });
  if (hasOptions) parts.push(`| option | what |\n|---|---|\n${rows.join('')}`);
  return parts.join('\n');
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${escaped(summary.slice(1))}.`;
}

/** What Markdown would take for a tag or an emphasis. */
function escaped(text: string): string {
  return text.replaceAll(/[<>*_]/gu, (mark) => `\\${mark}`);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
