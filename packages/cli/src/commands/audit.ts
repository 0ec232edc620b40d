/** `audit acts` and `audit checkpoint`. @module */
import { actWords } from '@holdfast/protocol';
import type { ActView } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { paintFor } from '../paint.ts';
import { jsonLine, printable, printableLines } from '../printable.ts';
import type { World } from '../world.ts';
import { HISTORY_OPTIONS, printHistory } from './history.ts';

/** Prints who did what. */
export const auditActs: Command = defineCommand(
  {
    path: 'audit acts',
    summary: 'show who did what, and why',
    details: 'Each act as the log calls it, and in words. --json says it as the log does.',
    options: HISTORY_OPTIONS,
    examples: ['audit acts --limit 50'],
  },
  async (world, { values }) => {
    await withClient(world, values.data, (client) =>
      printHistory(world, values, {
        read: (page) => client.acts(page),
        format: (act) => line(act, world),
        empty: 'Nobody has done anything yet.',
      }),
    );
  },
);

/** Prints the newest signed checkpoint. */
export const auditCheckpoint: Command = defineCommand(
  {
    path: 'audit checkpoint',
    summary: 'print the newest signed checkpoint of the audit log',
    details:
      'Keep checkpoints where the server cannot change them: with one of them, nobody\n' +
      'can rewrite what came before it unseen.',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['audit checkpoint > checkpoint.txt'],
  },
  async (world, { values }) => {
    const checkpoint = await withClient(world, values.data, (client) => client.checkpoint());
    const { stdout } = world;
    stdout.write(values.json === true ? jsonLine({ checkpoint }) : printableLines(checkpoint));
  },
);

function line(act: ActView, { stdout, timeZone }: World): string {
  const { at, action, principal, target, reason } = act;
  const paint = paintFor(stdout);
  const name = paint.faint(printable(action).padEnd(ACTION_CHARACTERS));
  const words = paint.strong(printable(actWords(action)).padEnd(WORDS_CHARACTERS));
  const what = [name, words, printable(target ?? '')];
  const why = reason === undefined || reason === '' ? '' : `  (${printable(reason)})`;
  const who = printable(principal).padEnd(PRINCIPAL_CHARACTERS);
  return `${paint.faint(localTime(at, timeZone))}  ${who}  ${what.join('  ').trimEnd()}${why}\n`;
}

/** Widths that fit the usual ones: entries are printed one by one, before the next are known. */
const PRINCIPAL_CHARACTERS = 14;
const ACTION_CHARACTERS = 16;
const WORDS_CHARACTERS = 20;
