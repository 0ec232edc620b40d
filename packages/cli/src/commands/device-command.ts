/** `device command`. @module */
import { DATA_OPTION, defineCommand, JSON_OPTION } from '../command.ts';
import type { Command } from '../command.ts';
import { Failure, usageFailure } from '../failure.ts';
import { jsonLine } from '../printable.ts';
import { withStepUp } from '../step-up.ts';

/** Sends a signed command to a device. */
export const deviceCommand: Command = defineCommand(
  {
    path: 'device command',
    summary: 'send a command to a device, signed',
    details:
      'The server adds a counter, the time and its signature, and publishes it on\nd/<id>/cmd/<name>.',
    arguments: ['id', 'name', 'json'],
    options: { json: JSON_OPTION, data: DATA_OPTION },
    examples: [`device command thermostat-1 set '{"target": 21.5}'`],
  },
  async (world, { values, positionals: [id = '', name = '', text = ''] }) => {
    const body = readObject(text);
    const sent = await withStepUp(world, values.data, (client) =>
      client.sendCommand(id, { name, body }),
    );
    const { stdout } = world;
    if (values.json === true) stdout.write(jsonLine(sent));
    else if (sent.receivers > 0) {
      stdout.write(`Sent ${name} to ${id}; it is entry ${sent.index} of the audit log.\n`);
    }
    if (sent.receivers > 0) return;
    throw new Failure('E_CLI_NOT_RECEIVED', {
      what: `${id} has missed the command.`,
      why: 'It is not connected, or does not subscribe to its commands.',
      fix: `Connect the device, have it subscribe to d/${id}/cmd/#, and send the command again.`,
    });
  },
);

function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The message below says all.
  }
  throw usageFailure(
    'The command is no JSON object.',
    `Put it in single quotes, such as '{"target": 21.5}'.`,
  );
}
