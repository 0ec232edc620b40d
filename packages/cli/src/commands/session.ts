/** `session`: who is signed in, and ending it. @module */
import type { Client } from '@holdfast/client';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { localTime } from '../local-time.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { table } from '../table.ts';

const ALL_OPTION = { type: 'boolean', help: 'of everybody, for administrators' } as const;

/** Lists sessions. */
export const sessionList: Command = defineCommand(
  {
    path: 'session list',
    summary: 'list where you are signed in, or everybody is',
    options: { all: ALL_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['session list', 'session list --all'],
  },
  async (world, { values }) => {
    const { stdout, timeZone } = world;
    const sessions = await withClient(world, values.data, async (client) =>
      (await isAll(client, values.all)) ? client.sessions() : client.ownSessions(),
    );
    if (values.json === true) return stdout.write(jsonLine(sessions));
    if (sessions.length === 0) return stdout.write('Nobody is signed in in a browser.\n');
    const rows = sessions.map(({ id, principal, by, address, lastUsedAt }) => {
      const name = printable(principal.replace(/^person:/u, ''));
      return [
        printable(id),
        name,
        by,
        printable(address),
        `last used ${localTime(lastUsedAt, timeZone)}`,
      ];
    });
    stdout.write(table(rows));
  },
);

/** Ends a session. */
export const sessionEnd: Command = defineCommand(
  {
    path: 'session end',
    summary: 'end a session at once',
    arguments: ['id'],
    options: { all: ALL_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['session end 0123456789abcdef', 'session end 0123456789abcdef --all'],
  },
  async (world, { values, positionals: [id = ''] }) => {
    await withStepUp(world, values.data, async (client) =>
      (await isAll(client, values.all)) ? client.endSession(id) : client.endOwnSession(id),
    );
    const { stdout } = world;
    if (values.json === true) return stdout.write(jsonLine({ ended: id }));
    stdout.write(`The session ${printable(id)} has ended.\n`);
  },
);

/** Whoever holds the data folder has no sessions of their own. */
async function isAll(client: Client, isAsked: boolean | undefined): Promise<boolean> {
  return isAsked === true || (await client.me()).credential === 'local';
}
