/** `device set-hardware`. @module */
import { withClient } from '../access.ts';
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { jsonLine, printable } from '../printable.ts';

const PATH = 'device set-hardware';

/** Says which kind of hardware a device is. */
export const deviceSetHardware: Command = defineCommand(
  {
    path: PATH,
    summary: 'say which kind of hardware a device is, as releases name it',
    details:
      'A release is for kinds of hardware, and no rollout brings it to a device of which\n' +
      'nobody has told the kind. A device that reports it itself needs no word from you;\n' +
      'what you say counts, and a report that differs is put on the audit log.',
    arguments: ['id'],
    options: {
      to: { type: 'string', value: 'HARDWARE', help: 'the kind, such as thermo-a' },
      reason: { type: 'string', value: 'TEXT', help: 'why, for the audit log' },
      json: JSON_OPTION,
      data: DATA_OPTION,
    },
    examples: [`${PATH} thermostat-1 --to thermo-a`],
  },
  async (world, { values, positionals: [id = ''] }) => {
    const { to: hardware, data, json } = values;
    if (hardware === undefined) {
      throw usageFailure('--to is missing.', `For example: holdfast ${PATH} pump-1 --to pump-b`);
    }
    const reason = values.reason ?? 'said on the command line';
    const changed = await withClient(world, data, (client) =>
      client.setDeviceHardware(id, { hardware, reason }),
    );
    const line = `${printable(changed.device.id)} is ${printable(hardware)}.\n`;
    world.stdout.write(json === true ? jsonLine(changed) : line);
  },
);
