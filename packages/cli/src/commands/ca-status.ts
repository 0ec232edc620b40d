/** `ca status`. @module */
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { jsonLine } from '../printable.ts';
import { statusText } from './ca-text.ts';

/** Shows the certificate authority and what comes next. */
export const caStatus: Command = defineCommand(
  {
    path: 'ca status',
    summary: 'show the certificate authority, and what comes next',
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: ['ca status'],
  },
  async (world, { values }) => {
    const status = await withClient(world, values.data, (client) => client.authority());
    const { stdout } = world;
    stdout.write(values.json === true ? jsonLine(status) : statusText(status, world));
  },
);
