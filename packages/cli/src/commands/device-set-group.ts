/** `device set-group`. @module */
import { withClient } from '../access.ts';
import { defineCommand } from '../command.ts';
import type { Command } from '../command.ts';
import { CHANGE_OPTIONS, confirmMany, readSelection } from '../device-selection.ts';
import { usageFailure } from '../failure.ts';
import { jsonLine, printable } from '../printable.ts';
import { withStepUp } from '../step-up.ts';
import { showMany } from './device-acts.ts';

const PATH = 'device set-group';

/** Puts devices into a group, or into none. */
export const deviceSetGroup: Command = defineCommand(
  {
    path: PATH,
    summary: 'put a device into a group, or into none',
    details:
      'A device is in one group. The policy can say what people may do to the devices\n' +
      'of a group, and what its devices may hear: it holds at once.',
    arguments: ['id?'],
    options: {
      to: { type: 'string', value: 'GROUP', help: 'where it goes to; "" for no group' },
      ...CHANGE_OPTIONS,
    },
    examples: [`${PATH} thermostat-1 --to north`, `${PATH} --group north --to south --yes`],
  },
  async (world, { values, positionals: [id] }) => {
    const { data, json = false, yes = false, to: group } = values;
    if (group === undefined) {
      throw usageFailure('--to is missing.', `For example: holdfast ${PATH} pump-1 --to north`);
    }
    const reason = values.reason ?? 'moved on the command line';
    const select = readSelection(PATH, id, values);
    const where = group === '' ? 'in no group' : `in the group ${printable(group)}`;
    if ('id' in select) {
      const changed = await withStepUp(world, data, (client) =>
        client.setDeviceGroup(select.id, { group, reason }),
      );
      const line = `${printable(changed.device.id)} is ${where}.\n`;
      return world.stdout.write(json ? jsonLine(changed) : line);
    }
    const deed = (devices: string): string => `puts ${devices} ${where.replace(/^in /u, 'into ')}`;
    await withClient(world, data, (client) => confirmMany(world, client, { deed, select, yes }));
    const changed = await withStepUp(world, data, (client) =>
      client.actOnDevices({ act: 'set-group', group, select, reason }),
    );
    showMany(world, changed, { participle: where, json });
  },
);
