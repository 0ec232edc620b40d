/** `completion`: lets a shell complete commands, options and ids of devices. @module */
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { SCRIPTS, SHELLS } from '../completion/scripts.ts';
import { usageFailure } from '../failure.ts';
import { nearest } from '../suggest.ts';

/** Prints the script for a shell. */
export const completion: Command = defineCommand(
  {
    path: 'completion',
    summary: 'print the script by which bash, zsh or fish completes holdfast',
    details:
      'For this shell only: source <(holdfast completion bash). For every one, put it where\n' +
      'its first lines say. It completes commands and options, and asks the server that you\n' +
      'are logged in to for ids of devices; when that does not answer, it stays quiet.',
    arguments: ['shell'],
    options: {},
    examples: [
      'completion bash > ~/.local/share/bash-completion/completions/holdfast',
      'completion zsh > ~/.zfunc/_holdfast',
      'completion fish > ~/.config/fish/completions/holdfast.fish',
    ],
  },
  ({ stdout }, { positionals: [name = ''] }) => {
    const shell = SHELLS.find((known) => known === name);
    if (shell !== undefined) return Promise.resolve(stdout.write(SCRIPTS[shell]));
    const meant = nearest(name, SHELLS);
    throw usageFailure(
      `There is no completion for "${name}".`,
      meant === undefined ? `One of ${SHELLS.join(', ')}.` : `Did you mean ${meant}?`,
    );
  },
);
