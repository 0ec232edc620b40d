/** `simulate remove`. @module */
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { countText } from '../device-selection.ts';
import { jsonLine } from '../printable.ts';
import { removeFleet } from '../simulate/remove-fleet.ts';

/** Takes a simulation away. */
export const simulateRemove: Command = defineCommand(
  {
    path: 'simulate remove',
    summary: 'take all simulated devices away, with what they have sent',
    details:
      'The devices are retired, so that nothing of them gets in or counts as part of the\n' +
      'fleet; what they have sent is erased, and their keys on this machine are deleted.\n' +
      'The audit log keeps that they were there. Devices that are not simulated are not\n' +
      'touched. It shows what would happen and asks; in a script it needs --yes.',
    options: {
      'keep-readings': { type: 'boolean', help: 'do not erase what they have sent' },
      yes: { type: 'boolean', help: 'do not ask' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: ['simulate remove', 'simulate remove --yes'],
  },
  async (world, { values }) => {
    const { data, json, yes = false } = values;
    const keepsReadings = values['keep-readings'] === true;
    const removed = await withClient(world, data, (client) =>
      removeFleet(world, client, { data, keepsReadings, isSure: yes }),
    );
    const { stdout } = world;
    if (json === true) return stdout.write(jsonLine(removed));
    const { retired, folder } = removed;
    if (retired === 0) stdout.write('The server has no simulated devices.\n');
    else {
      const erased = keepsReadings ? '' : ', and what they have sent is erased';
      stdout.write(`${countText(retired)} ${retired === 1 ? 'is' : 'are'} retired${erased}.\n`);
    }
    if (folder !== undefined) stdout.write(`Their keys are deleted (${folder}).\n`);
  },
);
