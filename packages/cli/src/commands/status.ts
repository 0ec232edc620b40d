/** `status`: whether everything is well, and what is not. @module */
import type { Overview, ServerInfo } from '@holdfast/protocol/api';
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../failure.ts';
import { jsonLine } from '../printable.ts';
import { showOrWatch, WATCH_OPTION } from '../watch.ts';
import { isWell, statusText } from './status-text.ts';

/** What is read of a server. */
interface Status {
  readonly overview: Overview;
  readonly server: ServerInfo;
}

/** Shows on one screen how things are. */
export const status: Command = defineCommand(
  {
    path: 'status',
    summary: 'show whether everything is well, and what is not',
    details:
      'What is wrong comes first, the worst on top: each with what it means and what to do.\n' +
      'Ends with 0 when nothing is wrong, with 4 when something is, and with 3 when the\n' +
      'server cannot be asked: fit for a script that watches it. Advice is no trouble.',
    options: { watch: WATCH_OPTION, json: JSON_OPTION, data: DATA_OPTION },
    examples: ['status', 'status --watch', 'status --json | jq .troubles'],
  },
  async (world, { values }) =>
    withClient(world, values.data, async (client) => {
      const { overview } = await showOrWatch<Status>(world, values, {
        read: async () => ({ overview: await client.overview(), server: await client.server() }),
        text: (read) => statusText(read, world),
        json: ({ overview, server }) => {
          const { broker, api, enroll, pins } = server;
          return jsonLine({ isWell: isWell(overview), ...overview, broker, api, enroll, pins });
        },
      });
      return isWell(overview) ? EXIT.ok : EXIT.trouble;
    }),
);
